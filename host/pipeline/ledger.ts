import { NO_NUMBER } from "../contract.js";

/** How a reading ended, weakest first: a stronger mark replaces a weaker one. */
const NONE = 0;
const DROPPED = 1;
const EMITTED = 2;
const FAILED = 3;

/** Distinct drop reasons counted apart; a filter that invents more goes into "other". */
const REASONS_MAX = 32;

/** What the readings became, in numbers that always add up: taken = emitted + dropped + failed + open. */
export interface Account {
	taken: number;
	emitted: number;
	dropped: number;
	failed: number;
	/** Taken, but still waiting for the engine, the broker or the quarantine. */
	open: number;
	droppedBy: Record<string, number>;
	failedBy: Record<string, number>;
}

/**
 * A pipeline's account of what each reading became. Every reading gets a number when it is
 * taken; per number the ledger keeps how many things it still waits for:
 *
 *   take ─▶ 1 (with the engine) ─▶ +1 per output hold()  ─▶ −1 per release() ─▶ 0: settled, counted once
 *
 *            settled below here ▼ low      untouched ▼   next ▼
 *   waits:  … 0 0 0 0 0 0 0 0 0 │ 1 0 0 2 1 0 1 1 1 │ 1 1 1 1 │
 *                                 written down        as take() leaves them
 *
 * Most readings are dropped without a word, in order: of those nothing is ever written down.
 * A source may acknowledge everything below `low`, in order. Pure: no I/O, no clock.
 */
export class Ledger {
	/** All numbers below are settled. */
	low = 0;
	/** The number the next reading gets. */
	next = 0;
	/**
	 * Two words for each open number, side by side, so that a lone reading touches one place: what it waits for,
	 * and mark << 8 | reason.
	 */
	#open: Int32Array;
	#mask: number;
	/** Numbers from here on have no entry in #open: each waits for the engine and nothing else. */
	#untouched = 0;
	/** Dropped without a word, since the last account(). */
	#silent = 0;
	#emitted = 0;
	readonly #dropped = new Tally();
	readonly #failed = new Tally();

	/** @param size open numbers there is room for at first, a power of two; it doubles as needed, for good */
	constructor(size = 64) {
		this.#open = new Int32Array(2 * size);
		this.#mask = size - 1;
	}

	/** Readings taken and not yet settled. */
	get open(): number {
		return this.next - this.low;
	}

	/** Numbers the next `count` readings, each waiting for the engine; returns the first. */
	take(count: number): number {
		while (this.open + count > this.#mask + 1) this.#grow();
		const first = this.next;
		this.next = first + count;
		return first;
	}

	/** Number n waits for one thing more. */
	hold(n: number): void {
		if (n === NO_NUMBER) return;
		const k = this.#place(n);
		this.#open[k] = (this.#open[k] as number) + 1;
	}

	/** One thing that number n waited for is done. */
	release(n: number): void {
		if (n === NO_NUMBER) return;
		if (n === this.low && n === this.#untouched && n < this.next) {
			this.low = this.#untouched = n + 1;
			this.#silent++;
			return;
		}
		const k = this.#place(n);
		const left = (this.#open[k] as number) - 1;
		if (left < 0) throw new RangeError(`reading ${n} released too often`);
		this.#open[k] = left;
		if (left !== 0) return;
		this.#count(this.#open[k + 1] as number);
		if (n === this.low) this.#advance();
	}

	emit(n: number): void {
		this.#mark(n, EMITTED, 0);
	}

	drop(n: number, reason: string): void {
		this.#mark(n, DROPPED, this.#dropped.index(reason));
	}

	fail(n: number, code: string): void {
		this.#mark(n, FAILED, this.#failed.index(code));
	}

	account(): Account {
		this.#dropped.add(NO_REASON, this.#silent);
		this.#silent = 0;
		return {
			taken: this.next,
			emitted: this.#emitted,
			dropped: this.#dropped.sum,
			failed: this.#failed.sum,
			open: this.next - this.#emitted - this.#dropped.sum - this.#failed.sum,
			droppedBy: this.#dropped.toObject(),
			failedBy: this.#failed.toObject(),
		};
	}

	#mark(n: number, mark: number, reason: number): void {
		if (n === NO_NUMBER) return;
		const k = this.#place(n) + 1;
		if (mark > (this.#open[k] as number) >> 8) {
			this.#open[k] = (mark << 8) | reason;
		}
	}

	#count(marked: number): void {
		const reason = marked & 0xff;
		switch (marked >> 8) {
			case EMITTED:
				this.#emitted++;
				return;
			case FAILED:
				this.#failed.add(reason);
				return;
			case DROPPED:
				this.#dropped.add(reason);
				return;
			default:
				this.#silent++;
		}
	}

	#advance(): void {
		let low = this.low;
		while (low < this.#untouched && this.#open[2 * (low & this.#mask)] === 0)
			low++;
		this.low = low;
	}

	/** Where number n is in #open; it is there from now on. */
	#place(n: number): number {
		if (n < this.low || n >= this.next) {
			throw new RangeError(`reading ${n} is not open`);
		}
		for (; this.#untouched <= n; this.#untouched++) {
			const k = 2 * (this.#untouched & this.#mask);
			this.#open[k] = 1;
			this.#open[k + 1] = NONE;
		}
		return 2 * (n & this.#mask);
	}

	#grow(): void {
		const roomier = new Int32Array(2 * this.#open.length);
		const mask = roomier.length / 2 - 1;
		for (let n = this.low; n < this.#untouched; n++) {
			const k = this.#place(n);
			roomier.set(this.#open.subarray(k, k + 2), 2 * (n & mask));
		}
		this.#open = roomier;
		this.#mask = mask;
	}
}

/** Index of "none". */
const NO_REASON = 0;

/** Counts by reason, with a bounded number of reasons. */
class Tally {
	sum = 0;
	readonly #index = new Map<string, number>([["none", NO_REASON]]);
	readonly #counts = new Float64Array(REASONS_MAX + 1);

	index(reason: string): number {
		const known = this.#index.get(reason);
		if (known !== undefined) return known;
		if (this.#index.size >= REASONS_MAX) return REASONS_MAX;
		this.#index.set(reason, this.#index.size);
		return this.#index.size - 1;
	}

	add(index: number, times = 1): void {
		this.#counts[index] = (this.#counts[index] as number) + times;
		this.sum += times;
	}

	toObject(): Record<string, number> {
		const named = [...this.#index.keys(), "other"].map((reason, i) => [
			reason,
			this.#counts[i === this.#index.size ? REASONS_MAX : i] as number,
		]);
		return Object.fromEntries(named.filter(([, count]) => count));
	}
}
