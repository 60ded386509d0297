/** Memory is kept in pieces of this size, bytes; pieces of zeros are not kept. */
const PIECE = 256;
/** Zeros are mostly in large stretches: these are looked at first. A wasm page is four of them. */
const BLOCK = 16 * 1024;
/** Bounds of the input kept since the last checkpoint, bytes. */
const LOG_MIN = 8 * 1024;
const LOG_MAX = 1024 * 1024;
/** What an instance that has read little takes. */
const LOG_LEAST = 1024;
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
 * Cost at full rate: the log's copy of each fd_read and a checkpoint per 8 KiB to 1 MiB of input (more for
 * larger memories), about 1 % of a filter's time; at low rates log and checkpoint take some 25 KB.
 */
export class Rewind {
	/** Whether there is a checkpoint; without one, the state is that of a new instance plus the log. */
	saved = false;
	/** What is not zeros, one run of pieces behind the other; begin and end of each run in the memory. */
	#kept: Uint8Array = NOTHING;
	#runs: number[] = [];
	#size = 0;
	#globals: (number | bigint)[] = [];
	/** What was read since. A pump that reads more than the limit is followed by a checkpoint and not logged. */
	#log: Uint8Array = NOTHING;
	#used = 0;
	#full = false;
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
		this.#keep(memory);
		this.#globals = instance.globals.map((global) => global.value);
		this.#full = false;
		this.#used = this.#settledBytes = 0;
		this.#reads.length = this.#settledReads = 0;
		this.#adapt();
	}

	/** The guest has read memory[at, at + length). */
	note(memory: Uint8Array, at: number, length: number): void {
		this.#full ||= this.#used + length > this.#limit;
		if (this.#full) return;
		if (this.#used + length > this.#log.length) this.#grow(length);
		this.#log.set(memory.subarray(at, at + length), this.#used);
		this.#used += length;
		this.#reads.push(length);
	}

	/** A pump has returned: what it read is part of the state now. */
	settle(instance: Rewindable): void {
		if (this.#full) {
			this.save(instance);
			return;
		}
		this.#reads.push(0);
		this.#settledBytes = this.#used;
		this.#settledReads = this.#reads.length;
	}

	/** Puts the checkpoint into a new instance of the same module. */
	restore(instance: Rewindable): void {
		const missing = this.#size - instance.memory.buffer.byteLength;
		if (missing > 0) instance.memory.grow(missing / 65_536);
		const memory = new Uint8Array(instance.memory.buffer);
		memory.fill(0);
		this.#eachRun((at, end, from) => {
			memory.set(this.#kept.subarray(from, from + end - at), at);
		});
		instance.globals.forEach((global, g) => {
			global.value = this.#globals[g];
		});
	}

	/** Calls pump() for each pump since the checkpoint, with the bytes each of its reads got. */
	replay(pump: (reads: Buffer[]) => void): void {
		this.#full = false;
		this.#used = this.#settledBytes;
		this.#reads.length = this.#settledReads;
		let at = 0;
		let reads: Buffer[] = [];
		for (const length of this.#reads) {
			if (length > 0) {
				reads.push(Buffer.from(this.#log.buffer, at, length));
				at += length;
				continue;
			}
			pump(reads);
			reads = [];
		}
	}

	#keep(memory: Uint8Array): void {
		this.#runs = runsIn(memory);
		const size = this.#eachRun(() => {});
		if (this.#kept.length < size) this.#kept = new Uint8Array(size);
		this.#eachRun((at, end, from) => {
			this.#kept.set(memory.subarray(at, end), from);
		});
	}

	/** Visits the runs with their place in `#kept`; returns the bytes of all. */
	#eachRun(visit: (at: number, end: number, from: number) => void): number {
		let from = 0;
		for (let r = 0; r < this.#runs.length; r += 2) {
			const [at, end] = [this.#runs[r] as number, this.#runs[r + 1] as number];
			visit(at, end, from);
			from += end - at;
		}
		return from;
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
			this.#log = NOTHING;
		}
	}

	#grow(length: number): void {
		const size = Math.max(LOG_LEAST, (this.#used + length) * 2);
		const roomier = new Uint8Array(Math.min(size, this.#limit));
		roomier.set(this.#log.subarray(0, this.#used));
		this.#log = roomier;
	}
}

const NOTHING = new Uint8Array(0);

/** Begin and end of the runs of pieces that are not all zeros. */
function runsIn(memory: Uint8Array): number[] {
	const words = new Int32Array(memory.buffer);
	const bytes = Buffer.from(memory.buffer);
	const runs: number[] = [];
	for (let block = 0; block < memory.length; block += BLOCK) {
		if (bytes.compare(ZEROS, 0, BLOCK, block, block + BLOCK) === 0) continue;
		for (let at = block; at < block + BLOCK; at += PIECE) {
			if (isZero(words, at / 4, (at + PIECE) / 4)) continue;
			if (runs.at(-1) === at) runs.pop();
			else runs.push(at);
			runs.push(at + PIECE);
		}
	}
	return runs;
}

const ZEROS = Buffer.alloc(BLOCK);

function isZero(words: Int32Array, from: number, to: number): boolean {
	let found = 0;
	for (let w = from; w < to && found === 0; w += 4) {
		found =
			(words[w] as number) |
			(words[w + 1] as number) |
			(words[w + 2] as number) |
			(words[w + 3] as number);
	}
	return found === 0;
}
