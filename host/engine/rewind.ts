/** Memory is kept in pieces of this size, bytes; pieces of zeros are not kept. */
const PIECE = 4096;
/** Bounds of the input kept since the last checkpoint, bytes. */
const LOG_MIN = 16 * 1024;
const LOG_MAX = 1024 * 1024;
/** Checkpoints closer together than this ask for a longer log, ms. */
const OFTEN = 100;

/** What of an instance can be copied: between pumps it has no live stack, so this is all of it. */
export interface Rewindable {
	memory: WebAssembly.Memory;
	globals: readonly WebAssembly.Global[];
}

/**
 * Takes an instance back to just before the batch that killed it: a copy of its memory and
 * globals (the checkpoint), and the input it has read since, to be replayed.
 *
 *   checkpoint ──▶ read 9000 B, pump ends ──▶ read 4100 B, pump ends ──▶ (trap)
 *                  └────────────── log, replayed with outputs muted ──┘
 *
 * Cost at full rate: the log's copy of each fd_read (64 KB: 5 µs per 700 readings) and a
 * checkpoint per 16 KiB to 1 MiB of input (more for larger memories), about 1 % of a filter's time; at low rates memory
 * stays at a few dozen KB an instance.
 */
export class Rewind {
	/** Whether there is a checkpoint; without one, the state is that of a new instance plus the log. */
	saved = false;
	#pieces = new Map<number, Uint8Array>();
	#size = 0;
	#globals: (number | bigint)[] = [];
	#log = Buffer.allocUnsafe(0);
	#used = 0;
	/** Lengths of the reads, and 0 where a pump ended. */
	#reads: number[] = [];
	/** How much of both was there when the running pump began. */
	#settledBytes = 0;
	#settledReads = 0;
	#limit = LOG_MIN;
	#savedAt = 0;

	/** Copies the instance as it is now and forgets the input until here. */
	save(instance: Rewindable): void {
		this.saved = true;
		const memory = new Uint8Array(instance.memory.buffer);
		this.#size = memory.length;
		const words = new Int32Array(memory.buffer);
		for (let at = 0; at < memory.length; at += PIECE) {
			this.#keep(memory, words, at);
		}
		this.#globals = instance.globals.map((global) => global.value);
		this.#used = this.#settledBytes = 0;
		this.#reads.length = this.#settledReads = 0;
		this.#adapt();
	}

	/** The guest has read memory[at, at + length). */
	note(memory: Uint8Array, at: number, length: number): void {
		if (this.#used + length > this.#log.length) this.#grow(length);
		this.#log.set(memory.subarray(at, at + length), this.#used);
		this.#used += length;
		this.#reads.push(length);
	}

	/** A pump has returned: what it read is part of the state now. */
	settle(instance: Rewindable): void {
		this.#reads.push(0);
		if (this.#used > this.#limit) {
			this.save(instance);
			return;
		}
		this.#settledBytes = this.#used;
		this.#settledReads = this.#reads.length;
	}

	/** Puts the checkpoint into a new instance of the same module. */
	restore(instance: Rewindable): void {
		const missing = this.#size - instance.memory.buffer.byteLength;
		if (missing > 0) instance.memory.grow(missing / 65_536);
		const memory = new Uint8Array(instance.memory.buffer);
		memory.fill(0);
		for (const [at, piece] of this.#pieces) memory.set(piece, at);
		instance.globals.forEach((global, g) => {
			global.value = this.#globals[g];
		});
	}

	/** Calls pump() for each pump since the checkpoint, with the bytes each of its reads got. */
	replay(pump: (reads: Buffer[]) => void): void {
		this.#used = this.#settledBytes;
		this.#reads.length = this.#settledReads;
		let at = 0;
		let reads: Buffer[] = [];
		for (const length of this.#reads) {
			if (length > 0) {
				reads.push(this.#log.subarray(at, at + length));
				at += length;
				continue;
			}
			pump(reads);
			reads = [];
		}
	}

	#keep(memory: Uint8Array, words: Int32Array, at: number): void {
		const kept = this.#pieces.get(at);
		if (kept !== undefined) {
			kept.set(memory.subarray(at, at + PIECE));
			return;
		}
		for (let w = at / 4; w < (at + PIECE) / 4; w++) {
			if (words[w] === 0) continue;
			this.#pieces.set(at, memory.slice(at, at + PIECE));
			return;
		}
	}

	/** Checkpoints cost time, the log costs memory: a longer log for a busy instance, a short one for an idle one. */
	#adapt(): void {
		const longest = Math.max(LOG_MAX, this.#size);
		const now = performance.now();
		const pause = now - this.#savedAt;
		this.#savedAt = now;
		if (pause < OFTEN) this.#limit = Math.min(this.#limit * 2, longest);
		else if (pause > OFTEN * 10 && this.#limit > LOG_MIN) {
			this.#limit = LOG_MIN;
			this.#log = Buffer.allocUnsafe(0);
		}
	}

	#grow(length: number): void {
		const roomier = Buffer.allocUnsafeSlow(
			Math.max(4096, (this.#used + length) * 2),
		);
		roomier.set(this.#log.subarray(0, this.#used));
		this.#log = roomier;
	}
}
