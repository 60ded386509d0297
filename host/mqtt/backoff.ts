/** A connection that held so long was no mistake; one that a broker closes on what it gets ends much sooner: ms. */
const HELD = 5000;

/**
 * The pause before each attempt to connect. It doubles from min to max while attempts fail, or end as soon as
 * they have succeeded, and is short again after a connection that held. Half of it is left to chance, so that a
 * fleet does not come back in step.
 */
export class Backoff {
	#failures = 0;

	/** @param pause ms */
	constructor(
		private readonly pause: { readonly min: number; readonly max: number },
	) {}

	/** A connection was up for `ms`. */
	held(ms: number): void {
		if (ms >= Math.min(HELD, this.pause.max)) this.#failures = 0;
	}

	/** The pause before the next attempt, should one be needed: ms. */
	next(): number {
		const { min, max } = this.pause;
		const pause = Math.min(max, min * 2 ** Math.min(this.#failures++, 20));
		return Math.ceil(pause / 2 + (Math.random() * pause) / 2);
	}
}
