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
 *            settled below here ▼ low                    next ▼
 *   waits:  … 0 0 0 0 0 0 0 0 0 │ 1 0 0 2 1 0 1 1 1 1 1 1 1 │
 *
 * A source may acknowledge everything below `low`, in order. Pure: no I/O, no clock.
 */
export class Ledger {
	/** All numbers below are settled. */
	low = 0;
	/** The number the next reading gets. */
	next = 0;
	#waits: Int32Array;
	/** Mark and reason of each open number: mark << 8 | reason. */
	#marks: Uint16Array;
	#mask: number;
	#emitted = 0;
	readonly #dropped = new Tally();
	readonly #failed = new Tally();

	/** @param size open numbers there is room for at first, a power of two; it doubles as needed, for good */
	constructor(size = 64) {
		this.#waits = new Int32Array(size);
		this.#marks = new Uint16Array(size);
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
		for (let n = first; n < first + count; n++) {
			this.#waits[n & this.#mask] = 1;
			this.#marks[n & this.#mask] = NONE;
		}
		this.next = first + count;
		return first;
	}

	/** Number n waits for one thing more. */
	hold(n: number): void {
		if (n === NO_NUMBER) return;
		const k = this.#open(n);
		this.#waits[k] = (this.#waits[k] as number) + 1;
	}

	/** One thing that number n waited for is done. */
	release(n: number): void {
		if (n === NO_NUMBER) return;
		const k = this.#open(n);
		const left = (this.#waits[k] as number) - 1;
		if (left < 0) throw new RangeError(`reading ${n} released too often`);
		this.#waits[k] = left;
		if (left !== 0) return;
		this.#count(this.#marks[k] as number);
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
		const k = this.#open(n);
		if (mark > (this.#marks[k] as number) >> 8) {
			this.#marks[k] = (mark << 8) | reason;
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
				this.#dropped.add(NO_REASON);
		}
	}

	#advance(): void {
		let low = this.low;
		while (low < this.next && this.#waits[low & this.#mask] === 0) low++;
		this.low = low;
	}

	#open(n: number): number {
		if (n < this.low || n >= this.next) {
			throw new RangeError(`reading ${n} is not open`);
		}
		return n & this.#mask;
	}

	#grow(): void {
		const waits = new Int32Array(this.#waits.length * 2);
		const marks = new Uint16Array(waits.length);
		const mask = waits.length - 1;
		for (let n = this.low; n < this.next; n++) {
			waits[n & mask] = this.#waits[n & this.#mask] as number;
			marks[n & mask] = this.#marks[n & this.#mask] as number;
		}
		this.#waits = waits;
		this.#marks = marks;
		this.#mask = mask;
	}
}

/** Index of "none": most readings are dropped without a word, and looking it up was 1 to 3 % of the CPU. */
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

	add(index: number): void {
		this.#counts[index] = (this.#counts[index] as number) + 1;
		this.sum++;
	}

	toObject(): Record<string, number> {
		const named = [...this.#index.keys(), "other"].map((reason, i) => [
			reason,
			this.#counts[i === this.#index.size ? REASONS_MAX : i] as number,
		]);
		return Object.fromEntries(named.filter(([, count]) => count));
	}
}
