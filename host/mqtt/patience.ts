/** How long a line that was never slow may hold up the others at once, ms. */
const MOST = 100;
/** What it gets back of the time that passes: it may hold them up a twentieth of the time. */
const REFILL = 1 / 20;
/** How often those who are waited for are looked at, ms. */
const LOOK = 10;

/** A line's account; `credit` is in ms. */
export interface Account {
	credit: number;
	/** When the credit was last counted. */
	counted: number;
	/** What the clock of held-up time showed when the line began to pause. */
	held: number;
}

/**
 * How long lines that read the same connection wait for one that pauses. Pauses of some milliseconds are
 * normal and cost nobody a reading. A line that needs more than {@link MOST} at once, or a
 * twentieth of the time, would slow the others down to its own pace: they go on without it.
 *
 *   clock of held-up time:  runs only while somebody is waited for and somebody else could take
 *   credit:                 min(MOST, + a twentieth of real time) − what the clock showed meanwhile
 */
export class Patience {
	#held = 0;
	/** When the clock began to run; undefined while it stands. */
	#since: number | undefined;
	#timer: NodeJS.Timeout | undefined;

	/** `look` is called now and then while the clock runs. */
	constructor(readonly look: () => void) {}

	/** A line begins to pause; false when it has no credit left. */
	begin(account: Account): boolean {
		const now = performance.now();
		const refill = (now - account.counted) * REFILL;
		account.credit = Math.min(MOST, account.credit + refill);
		account.counted = now;
		account.held = this.#clock(now);
		return account.credit > 0;
	}

	/** It takes again, or is no longer waited for. */
	end(account: Account): void {
		account.credit = this.left(account);
	}

	left(account: Account): number {
		return account.credit - (this.#clock(performance.now()) - account.held);
	}

	/** Lets the clock run, or stand. */
	run(on: boolean): void {
		if (on === (this.#since !== undefined)) return;
		const now = performance.now();
		if (on) {
			this.#since = now;
			this.#timer = setInterval(this.look, LOOK);
			return;
		}
		this.#held = this.#clock(now);
		this.#since = undefined;
		clearInterval(this.#timer);
	}

	#clock(now: number): number {
		return this.#held + (this.#since === undefined ? 0 : now - this.#since);
	}
}
