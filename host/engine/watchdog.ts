/** ms. The longest a timer runs; beyond it Node's timers end at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Measures how long a guest has been busy and calls when it is too long. One timer for many
 * short units: it looks at the clock when it goes off instead of being set anew each time.
 */
export class Watchdog {
	#since: number | undefined;
	#limit = 0;
	#timer: NodeJS.Timeout | undefined;
	/** When the timer goes off. */
	#due = 0;

	constructor(
		/** Called before time is up: says whether the guest is to be given a full round more. */
		readonly excused: () => boolean,
		/** Called with the limit, ms, that it went beyond. */
		readonly bark: (limit: number) => void,
	) {}

	/** The guest begins to work, for at most `limit` ms. */
	watch(limit: number): void {
		this.#since = performance.now();
		this.#limit = limit;
		const sooner = this.#since + limit < this.#due;
		if (this.#timer === undefined || sooner) this.#set(limit);
	}

	/** The guest is idle. Returns how long it was busy, ms. */
	rest(): number {
		const since = this.#since;
		this.#since = undefined;
		return since === undefined ? 0 : performance.now() - since;
	}

	/** The guest is gone; no timer is left. */
	stop(): void {
		this.#since = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** One that is sooner than the limit finds time left, and is set again. */
	#set(limit: number): void {
		const ms = Math.min(limit, LONGEST);
		clearTimeout(this.#timer);
		this.#due = performance.now() + ms;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#look(performance.now() - this.#due);
		}, ms);
	}

	/** `late`: ms that this thread was busy itself and could not have served the guest. */
	#look(late: number): void {
		if (this.#since === undefined) return;
		const excused = this.excused();
		// What was heard by asking may have ended the guest's work, or the guest.
		if (this.#since === undefined || this.#timer !== undefined) return;
		if (excused) this.#since = performance.now();
		this.#since += Math.max(0, late);
		const left = this.#since + this.#limit - performance.now();
		if (left > 0) this.#set(Math.ceil(left));
		else this.bark(this.#limit);
	}
}
