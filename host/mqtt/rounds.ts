/** Retained messages are through when none has come for so long, SUBACK included: ms. */
const QUIET = 100;

/**
 * Which lines of a share a retained message is for. It comes with a SUBSCRIBE, without saying which: so there is one
 * at a time, and a line that comes meanwhile waits for the next. Brokers send them before SUBACK (mosquitto) or
 * after it (aedes); so a round ends with SUBACK and some silence.
 *
 *     SUBSCRIBE ─▶ kept kept SUBACK kept   quiet   SUBSCRIBE ─▶ SUBACK kept
 *     └─ for the lines of round 0 ────────────────┘└─ for those of round 1 ─
 */
export class Rounds {
	/** The round that retained messages are of. */
	current = 0;
	/** Whether some lines are of another one. */
	several = false;
	/** Lines wait for the next. */
	#wanted = false;
	#granted = false;
	#held = false;
	#timer: NodeJS.Timeout | undefined;

	/** @param subscribe sends SUBSCRIBE once more */
	constructor(private readonly subscribe: () => void) {}

	/** The round of a line that comes when SUBSCRIBE has been sent. */
	next(): number {
		if (!this.#wanted) {
			this.several = this.#wanted = true;
			this.wait();
		}
		return this.current + 1;
	}

	/** SUBACK has come. */
	granted(): void {
		this.#granted = true;
		this.wait();
	}

	/** Silence is counted from now on: a retained message has come. */
	wait(): void {
		clearTimeout(this.#timer);
		if (!this.#wanted || !this.#granted || this.#held) return;
		this.#timer = setTimeout(() => this.#begin(), QUIET);
	}

	/** Nothing is read for now, which is no silence of the broker's; or it is again. */
	hold(on: boolean): void {
		if (on === this.#held) return;
		this.#held = on;
		this.wait();
	}

	/** The connection is lost: the next SUBSCRIBE is for all lines. */
	reset(): void {
		clearTimeout(this.#timer);
		this.several = this.#wanted = this.#granted = false;
	}

	#begin(): void {
		this.#wanted = this.#granted = false;
		this.current++;
		this.subscribe();
	}
}
