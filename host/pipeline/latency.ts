/** Buckets grow by 2^(1/4), about 19 %, from 1 µs. */
const STEPS_PER_DOUBLING = 4;
const BUCKETS = 120;
/** One reading in so many is followed at most: the clock, twice, and a bucket are a twentieth of what a lone reading costs. */
const EVERY = 16;

/**
 * How long readings stay in the gateway, from take to settled. One reading is followed at a
 * time, and not each, so the hot path pays a comparison a batch.
 */
export class Latency {
	/** counts[k]: samples of at most bound(k) ms. */
	readonly counts = new Float64Array(BUCKETS);
	sum = 0;
	samples = 0;
	#followed = -1;
	/** The lowest number to be followed next. */
	#next = 0;
	#since = 0;

	taken(n: number): void {
		if (this.#followed !== -1 || n < this.#next) return;
		this.#followed = n;
		this.#next = n + EVERY;
		this.#since = performance.now();
	}

	settled(low: number): void {
		if (this.#followed === -1 || low <= this.#followed) return;
		this.#followed = -1;
		this.add(performance.now() - this.#since);
	}

	add(ms: number): void {
		const doublings = Math.log2(Math.max(ms, 0.001) * 1000);
		const k = Math.min(BUCKETS - 1, Math.ceil(doublings * STEPS_PER_DOUBLING));
		this.counts[k] = (this.counts[k] as number) + 1;
		this.sum += ms;
		this.samples++;
	}

	/** The q-quantile (0 … 1) in ms, to the bucket's upper bound; 0 without samples. */
	quantile(q: number): number {
		let left = this.samples * q;
		for (let k = 0; k < BUCKETS; k++) {
			left -= this.counts[k] as number;
			if (left <= 0 && this.samples > 0) return BOUNDS[k] as number;
		}
		return 0;
	}
}

/** Upper bounds of the buckets, ms: 1 µs to 15 minutes. */
export const BOUNDS: readonly number[] = Array.from(
	{ length: BUCKETS },
	(_, k) => 2 ** (k / STEPS_PER_DOUBLING) / 1000,
);
