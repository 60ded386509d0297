import { endianness } from "node:os";

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
/** What all logs of a thread may have beyond their least, bytes: of many busy instances each has a shorter one. */
const LOGS_MAX = 64 * 1024 * 1024;
/** How much of that they have. */
let granted = 0;

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
 * larger memories), about 1 % of a filter's time; at low rates log and checkpoint take some 25 KB. The logs of all
 * instances of a thread together stay below 64 MiB and 8 KiB each.
 */
export class Rewind {
	/** Whether there is a checkpoint; without one, the state is that of a new instance plus the log. */
	saved = false;
	/** What is not zeros, one run of pieces behind the other; begin and end of each run in the memory. */
	#kept: Uint8Array = NOTHING;
	#runs: number[] = [];
	#size = 0;
	#globals: (number | bigint)[] = [];
	/**
	 * What was read since, in one array, since a lone reading pays for each place in memory that it touches. A
	 * pump that reads more than the limit is followed by a checkpoint and not logged.
	 *
	 *     | length | bytes of a read, to a whole word | length | … | 0: the pump ended | length | …
	 */
	#log = NO_WORDS;
	/** Words of it. */
	#used = 0;
	/** How much was there when the running pump began. */
	#settled = 0;
	#full = false;
	/** Bytes. */
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
		this.#used = this.#settled = 0;
		this.#adapt();
	}

	/** The guest has read memory[at, at + length). */
	note(memory: DataView, at: number, length: number): void {
		const words = (length + 3) >> 2;
		if (at + 4 * words > memory.byteLength) this.#full = true;
		const first = this.#reserve(1 + words);
		if (first < 0) return;
		const log = this.#log;
		log[first] = length;
		if (length > LONG) copyLong(log, first + 1, memory, at, length);
		else
			for (let w = first + 1; w <= first + words; w++, at += 4)
				log[w] = memory.getInt32(at, LITTLE);
	}

	/** A pump has returned: what it read is part of the state now. */
	settle(instance: Rewindable): void {
		const end = this.#reserve(1);
		if (end < 0) {
			this.save(instance);
			return;
		}
		this.#log[end] = 0;
		this.#settled = this.#used;
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
		this.#used = this.#settled;
		let reads: Buffer[] = [];
		for (let w = 0; w < this.#used; ) {
			const length = this.#log[w++] as number;
			if (length > 0) {
				reads.push(Buffer.from(this.#log.buffer, 4 * w, length));
				w += (length + 3) >> 2;
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
		if (pause < OFTEN) this.#lengthen(Math.min(this.#limit * 2, longest));
		else if (pause > OFTEN * 10 && this.#limit > LOG_MIN) this.forget();
	}

	#lengthen(limit: number): void {
		const more = limit - this.#limit;
		if (granted + more > LOGS_MAX) return;
		granted += more;
		this.#limit = limit;
	}

	/** Gives a long log's memory back; nobody asks for what was in it. */
	forget(): void {
		granted -= this.#limit - LOG_MIN;
		this.#limit = LOG_MIN;
		this.#log = NO_WORDS;
	}

	/** Where so many words of the log begin; -1 if it is full. */
	#reserve(words: number): number {
		const first = this.#used;
		const used = first + words;
		this.#full ||= 4 * used > this.#limit;
		if (this.#full) return -1;
		if (used > this.#log.length) this.#grow(used);
		this.#used = used;
		return first;
	}

	#grow(words: number): void {
		const size = Math.max(LOG_LEAST, 8 * words);
		const roomier = new Int32Array(Math.min(size, this.#limit) / 4);
		roomier.set(this.#log.subarray(0, this.#used));
		this.#log = roomier;
	}
}

const NOTHING = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);
/** Bytes from which on two views cost less than a loop. */
const LONG = 512;

function copyLong(
	log: Int32Array,
	word: number,
	memory: DataView,
	at: number,
	length: number,
): void {
	new Uint8Array(log.buffer, 4 * word, length).set(
		new Uint8Array(memory.buffer, at, length),
	);
}

/** Words are copied as they lie in memory. */
const LITTLE = endianness() === "LE";

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
