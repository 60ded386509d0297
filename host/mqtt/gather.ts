import { each } from "./each.js";

/** Readings per ms of a thread from which on it gathers; below, each is read and answered at once. */
const FROM = 4;
/** How long rates are measured before they count: ms. */
export const SPAN = 16;
/** A rest shorter than this saves less than the sleep costs: ms. */
const LEAST = 0.3;
/** Bytes that share one wake-up well enough; half of what Linux lets wait in a socket by default. */
const PLENTY = 32 * 1024;

/**
 * Rests that a broker's window has to last for. Acknowledgements take two, since outputs come back first; with
 * two in reserve a window that is too small ends in no rests, not in a slower flow.
 */
export const RESTS = 4;

/** What a thread can do; tests have one of their own. */
export interface Thread {
	/** ms of a monotonic clock. */
	now(): number;
	/** Runs `task` when every socket that is ready in this turn of the event loop has been read. */
	afterTurn(task: () => void): void;
	/** Stops the whole thread for `ms`. */
	sleep(ms: number): void;
}

/**
 * Lets readings gather in the kernel while they come in ones and twos, but fast: what they cost then is
 * wake-ups and system calls (some 40 µs a wake-up, however few readings it brings), not the filter.
 *
 *     as they come   ▼▼ ▼    ▼ ▼▼     ▼▼ ▼    ▼ ▼▼      each: wake up, read, write
 *     gathered       ──rest──▶▼▼▼▼▼▼──rest──▶▼▼▼▼▼▼     each: read, write, sleep
 *
 * One for all connections of a thread, since it is the thread that rests, at the end of a turn, when
 * everything has been read and written. It is not for threads that a broker lives on, nor for those that
 * wait for answers of others.
 */
export class Gather {
	readonly #tasks: (() => void)[] = [];
	#scheduled = false;
	/** Measured since `#since`. */
	#since = 0;
	#readings = 0;
	#bytes = 0;
	/** How long the thread may rest after a turn, by the last span's rates: ms; 0 while it does not gather. */
	#pace = 0;
	/** Whether a line has paused in this turn: what it waits for may come any moment. */
	#paused = false;
	/**
	 * How long it may by the windows of what was read or sent in this span, and in the last one: ms. Not in this turn
	 * alone: a broker whose window is full sends nothing and waits for us, while others are read.
	 */
	#window = Number.POSITIVE_INFINITY;
	#windowBefore = Number.POSITIVE_INFINITY;
	/** Readings per ms in the last span. */
	#rate = 0;
	/** A longer rest that a connection has asked for, once: ms. */
	#asked = 0;
	/** How long the thread may rest at all until sockets fill up: ms. */
	#room = 0;
	#turn = 0;

	#longest: number;

	/** @param longest ms that a reading may lie in the kernel because of this; 0: never gathers */
	constructor(
		longest: number,
		private readonly thread: Thread = THIS_THREAD,
	) {
		this.#longest = longest;
	}

	get longest(): number {
		return this.#longest;
	}

	/** Something on this thread must not wait: engines in workers and processes take the next readings when their answer is heard. */
	never(): void {
		this.#longest = this.#pace = 0;
	}

	/** Whether what can wait for the end of the turn should. */
	get on(): boolean {
		return this.#pace > 0;
	}

	now(): number {
		return this.thread.now();
	}

	/** Runs `task` at the end of this turn, one write for all that came in it; at once while the thread does not gather. */
	last(task: () => void): void {
		if (this.on || this.#scheduled) {
			this.#tasks.push(task);
			this.#schedule();
		} else task();
	}

	/**
	 * One read of one connection.
	 * @param bears ms that its window lasts for
	 * @param paused whether its line wants no more for now
	 */
	took(
		readings: number,
		bytes: number,
		bears: number,
		paused: boolean,
		now: number,
	): void {
		this.#readings += readings;
		this.#bytes += bytes;
		this.#turn += bytes;
		if (paused) this.#paused = true;
		if (now - this.#since >= SPAN) this.#measure(now);
		this.#bear(bears);
		if (this.on) this.#schedule();
		else this.#begin();
	}

	/**
	 * Outputs wait because `window` of them are unacknowledged, and that is all that their broker allows. They are
	 * taken to leave as fast as the thread's readings come.
	 */
	full(window: number): void {
		this.#bear(window / RESTS / this.#rate);
	}

	#bear(ms: number): void {
		if (ms < this.#window) this.#window = ms;
	}

	/** To be left alone once for so long, however much comes meanwhile. */
	ask(ms: number): void {
		this.#asked = ms;
	}

	#measure(now: number): void {
		const ms = now - this.#since;
		this.#room = PLENTY / (this.#bytes / ms);
		const pace = Math.min(this.#longest, this.#room);
		this.#rate = this.#readings / ms;
		this.#windowBefore = this.#window;
		this.#window = Number.POSITIVE_INFINITY;
		const fast = this.#rate >= FROM && pace >= LEAST;
		this.#pace = fast ? pace : 0;
		this.#since = now;
		this.#readings = this.#bytes = 0;
	}

	#begin(): void {
		this.#turn = 0;
		this.#paused = false;
		this.#asked = 0;
	}

	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		this.thread.afterTurn(this.#end);
	}

	readonly #end = (): void => {
		try {
			each(this.#tasks, run); // and those that they add
		} finally {
			this.#tasks.length = 0;
			this.#scheduled = false;
		}
		this.#rest();
	};

	#rest(): void {
		const usual = Math.min(this.#pace, this.#window, this.#windowBefore);
		const asked = Math.min(this.#asked, this.#room);
		const rest = this.#paused ? 0 : asked || usual;
		const taken = this.#turn;
		this.#begin();
		// Much in one turn: there is more, and no reason to wait for it.
		if (taken > 0 && taken < PLENTY && rest >= LEAST) this.thread.sleep(rest);
	}
}

function run(task: () => void): void {
	task();
}

const cell = new Int32Array(new SharedArrayBuffer(4));

const THIS_THREAD: Thread = {
	now: () => performance.now(),
	afterTurn: setImmediate,
	// A timer has a grain of 1 ms and the event loop around it; this wakes up 60 µs late.
	sleep: (ms) => Atomics.wait(cell, 0, 0, ms),
};
