const FIRST = 32;
const LARGEST = 1024;

/**
 * How many readings a unit may have: as many as take a small part of the time limit, so that a
 * slow filter is not taken for one that hangs, and a fast one is not slowed by many small units.
 */
export class Pace {
	/** Readings in a unit. */
	max = FIRST;

	/** `limit`: ms that a unit may take. */
	constructor(readonly limit: number) {}

	/** A unit of `readings` took `ms`. */
	took(ms: number, readings: number): void {
		if (ms > this.limit / 4) this.max = Math.max(1, readings >> 1);
		else if (ms < this.limit / 16) {
			this.max = Math.min(LARGEST, this.max * 2);
		}
	}

	/** A unit failed: begin small again. */
	failed(): void {
		this.max = 1;
	}
}
