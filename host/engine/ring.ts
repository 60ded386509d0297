/** Bytes before the data: two counters and room for the cache lines that they sit on. */
const HEADER = 128;
/** Indices of the counters in 32-bit words, 64 bytes apart so that the two threads do not share a cache line. */
const WRITTEN = 0;
const READ = 16;

/**
 * Bytes from one thread to one other, through shared memory.
 *
 *   | written | … | read | … | data: a power of two of bytes                      |
 *                                  ▲ read mod size        ▲ written mod size
 *                                  └── what can be read ──┘
 *
 * Both counters run from 0 to 2³² − 1 and over again; their difference is what lies in between.
 * Each side keeps its own counter and publishes it with {@link publish} or {@link release}, so
 * that a frame of several pieces shows up as a whole.
 */
export class Ring {
	readonly size: number;
	readonly #counters: Int32Array;
	readonly #data: Uint8Array;
	#at: number;

	/** One side of a ring: `writes` says which. */
	constructor(
		readonly shared: SharedArrayBuffer,
		readonly writes: boolean,
	) {
		this.size = shared.byteLength - HEADER;
		this.#counters = new Int32Array(shared, 0, HEADER / 4);
		this.#data = new Uint8Array(shared, HEADER, this.size);
		this.#at = Atomics.load(this.#counters, writes ? WRITTEN : READ);
	}

	/** Memory for a ring of `size` bytes, a power of two up to 2³⁰; `start` is where the counters begin. */
	static allocate(size: number, start = 0): SharedArrayBuffer {
		if (size < 1 || size > 2 ** 30 || (size & (size - 1)) !== 0) {
			throw new RangeError(`a ring of ${size} bytes: not a power of two`);
		}
		const shared = new SharedArrayBuffer(HEADER + size);
		Ring.reset(shared, start);
		return shared;
	}

	/** Empties a ring that neither side uses just now; both sides must be made anew. */
	static reset(shared: SharedArrayBuffer, start = 0): void {
		const counters = new Int32Array(shared, 0, HEADER / 4);
		Atomics.store(counters, WRITTEN, start);
		Atomics.store(counters, READ, start);
	}

	/** Bytes that the writer has room for, or that the reader can read. */
	get available(): number {
		const other = Atomics.load(this.#counters, this.writes ? READ : WRITTEN);
		if (this.writes) return this.size - ((this.#at - other) >>> 0);
		return (other - this.#at) >>> 0;
	}

	/** Writer: puts bytes[at, end) behind what is there. The caller has checked that there is room. */
	put(bytes: Uint8Array, at: number, end: number): void {
		const place = this.#at & (this.size - 1);
		const first = Math.min(end - at, this.size - place);
		this.#data.set(bytes.subarray(at, at + first), place);
		if (at + first < end) this.#data.set(bytes.subarray(at + first, end), 0);
		this.#at = (this.#at + end - at) | 0;
	}

	/** Reader: takes `length` bytes to target[at …). The caller has checked that they are there. */
	take(target: Uint8Array, at: number, length: number): void {
		const place = this.#at & (this.size - 1);
		const first = Math.min(length, this.size - place);
		target.set(this.#data.subarray(place, place + first), at);
		if (first < length) {
			target.set(this.#data.subarray(0, length - first), at + first);
		}
		this.#at = (this.#at + length) | 0;
	}

	/** Writer: shows what was put to the reader and wakes it. */
	publish(): void {
		Atomics.store(this.#counters, WRITTEN, this.#at);
		Atomics.notify(this.#counters, WRITTEN, 1);
	}

	/** Reader: gives the room of what was taken back to the writer and wakes it. */
	release(): void {
		Atomics.store(this.#counters, READ, this.#at);
		Atomics.notify(this.#counters, READ, 1);
	}

	/**
	 * Sleeps until `bytes` are available, at most `ms` milliseconds. Returns whether they are.
	 * Costs no CPU; never on a thread that has sockets.
	 */
	wait(bytes: number, ms = Number.POSITIVE_INFINITY): boolean {
		const other = this.writes ? READ : WRITTEN;
		const until = performance.now() + ms;
		for (;;) {
			const seen = Atomics.load(this.#counters, other);
			if (this.available >= bytes) return true;
			const left = until - performance.now();
			if (left <= 0) return false;
			Atomics.wait(this.#counters, other, seen, left);
		}
	}
}
