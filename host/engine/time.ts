/** Clocks and chance as a guest gets them. */
export interface Nature {
	/** Nanoseconds of clock `id`: 0 realtime, others monotonic. */
	clock(id: number): bigint;
	/** Lets `ns` nanoseconds pass. */
	sleep(ns: bigint): void;
	random(target: Uint8Array): void;
}

/** What reading the clock costs: two readings of it are never the same. */
const STEP = 1000n;
const MS = 1_000_000n;
/** The last nanosecond that fits a u64. */
const END = 2n ** 64n - 1n;

/**
 * Time and chance that depend on nothing but the input, so that the same readings give the
 * same outputs again.
 *
 * - All clocks are one: it stands where {@link startAt} put it (the gateway's time when the
 *   readings were handed over), moves on by 1 µs each time it is read and by the length of each
 *   sleep, which takes no time. It never goes back.
 * - Random numbers are the same in every instance. They are for hash tables, not for keys.
 */
export class VirtualNature implements Nature {
	#now: bigint;
	#a = 0x9e3779b9;
	#b = 0x243f6a88;
	#c = 0xb7e15162;
	#d = 1;

	/** `ms` since 1970. */
	constructor(ms: number) {
		this.#now = BigInt(Math.floor(ms)) * MS;
	}

	/** Moves to `ms` since 1970, unless that lies in the past. */
	startAt(ms: number): void {
		this.#moveTo(BigInt(Math.floor(ms)) * MS);
	}

	clock(_id: number): bigint {
		this.#moveTo(this.#now + STEP);
		return this.#now;
	}

	sleep(ns: bigint): void {
		this.#moveTo(this.#now + ns);
	}

	random(target: Uint8Array): void {
		for (let k = 0; k < target.length; ) {
			let word = this.#next();
			for (let left = 4; left > 0 && k < target.length; left--) {
				target[k++] = word;
				word >>>= 8;
			}
		}
	}

	#moveTo(then: bigint): void {
		if (then > this.#now) this.#now = then > END ? END : then;
	}

	/** xorshift128 (Marsaglia, "Xorshift RNGs", 2003). */
	#next(): number {
		const t = this.#d ^ (this.#d << 11);
		this.#d = this.#c;
		this.#c = this.#b;
		this.#b = this.#a;
		this.#a = this.#b ^ (this.#b >>> 19) ^ t ^ (t >>> 8);
		return this.#a;
	}
}

/** The machine's own time and chance, for modules whose config grants them (`time: real`). */
export class RealNature implements Nature {
	readonly #never = new Int32Array(new SharedArrayBuffer(4));

	clock(id: number): bigint {
		if (id === 0) return BigInt(Date.now()) * MS;
		return BigInt(Math.round(performance.now() * 1e6));
	}

	/** Blocks the thread. */
	sleep(ns: bigint): void {
		Atomics.wait(this.#never, 0, 0, Number(ns) / 1e6);
	}

	random(target: Uint8Array): void {
		// One getRandomValues() gives at most 65,536 bytes (Web Cryptography, 10.1.1).
		for (let at = 0; at < target.length; at += 65_536) {
			crypto.getRandomValues(
				target.subarray(at, at + 65_536) as Uint8Array<ArrayBuffer>,
			);
		}
	}
}
