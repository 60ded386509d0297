/** When to try again after failures, and when to give up. */
export interface RestartPolicy {
	/** Failures in a row after which the engine stops. */
	max: number;
	/** First and longest rest, ms; each rest is twice the last. */
	backoff: { min: number; max: number };
}

/** Failures in a row that cost no rest: one bad reading, and another, is not a broken filter. */
const FREE = 2;

/** Counts failures in a row and has the engine rest between them. */
export class Rest {
	/** Given up, until revive(). */
	stopped = false;
	#failures = 0;
	#timer: NodeJS.Timeout | undefined;

	constructor(
		readonly policy: RestartPolicy,
		readonly wake: () => void,
	) {}

	get resting(): boolean {
		return this.stopped || this.#timer !== undefined;
	}

	succeeded(): void {
		this.#failures = 0;
	}

	/** One more failure; true when it was one too many. */
	failed(): boolean {
		this.#failures++;
		if (this.#failures >= this.policy.max) {
			this.stop();
			return true;
		}
		if (this.#failures > FREE && this.#timer === undefined) {
			this.#timer = setTimeout(() => {
				this.#timer = undefined;
				this.wake();
			}, this.#pause());
		}
		return false;
	}

	/** Gives up. */
	stop(): void {
		this.cancel();
		this.stopped = true;
	}

	/** Ends a rest at once. */
	cancel(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	revive(): void {
		this.cancel();
		this.stopped = false;
		this.#failures = 0;
	}

	#pause(): number {
		const { min, max } = this.policy.backoff;
		return Math.min(max, min * 2 ** (this.#failures - FREE - 1));
	}
}
