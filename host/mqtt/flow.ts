import { type Gather, RESTS, SPAN } from "./gather.js";

/** A silence this long in a fast flow is suspicious: ms. */
const STALL = 20;
/** How long a stall is believed to come back: ms. */
const MEMORY = 30_000;
/** PINGREQs in a row that bring nothing but their answers, until the flow counts as paused. */
const ENOUGH = 32;
/** How often to find out whether the broker's window is larger than seen: ms, doubled each time it was not. */
const PROBE = { first: 1000, last: 64_000 };

/** One connection's readings, as far as gathering is concerned. The next connection may be another broker's: it gets a new one. */
export class Flow {
	#since = 0;
	#last = 0;
	#readings = 0;
	/** Readings per ms in the last span. */
	#rate = 0;
	/** Most readings that were unacknowledged at a time: the broker's window has at least this size. */
	#window = 0;
	#probeAt = 0;
	#probeEvery = PROBE.first;
	#stalled = Number.NEGATIVE_INFINITY;
	/** PINGREQs since readings came. */
	#pings = 0;

	constructor(private readonly gather: Gather) {}

	/**
	 * One read.
	 * @param open readings that the broker has no acknowledgement for, those just read included; 0 at QoS 0
	 * @param paused whether the line wants no more for now
	 */
	took(readings: number, bytes: number, open: number, paused: boolean): void {
		const now = this.gather.now();
		this.#watch(readings, now);
		if (open > this.#window) this.#window = open;
		this.#readings += readings;
		if (now - this.#since >= SPAN) {
			this.#rate = this.#readings / (now - this.#since);
			this.#since = now;
			this.#readings = 0;
		}
		this.gather.took(readings, bytes, this.#bears, paused, now);
		if (!paused && this.gather.on) this.#probe(now);
	}

	/**
	 * Whether the broker waits for our TCP acknowledgements (Nagle), and those for the kernel's timer: it
	 * delays them by 40 ms when segments of equal size come, as they do when equal readings gather.
	 */
	get held(): boolean {
		return this.gather.on && this.#last - this.#stalled < MEMORY;
	}

	/**
	 * Whether a PINGREQ is to carry our TCP acknowledgements. Its answer is data as well, which can hold the next
	 * readings: so there is another one, but not without end.
	 * @param read whether readings have come in this turn
	 */
	nudged(read: boolean): boolean {
		if (!this.held) return false;
		this.#pings = read ? 1 : this.#pings + 1;
		return this.#pings <= ENOUGH;
	}

	/** A broker sends no more than its window before it hears from us; a rest that outlasts it costs rate. */
	get #bears(): number {
		if (this.#window === 0) return Number.POSITIVE_INFINITY;
		return this.#window / RESTS / this.#rate;
	}

	/** Brokers do not tell their windows. One long rest does: what comes meanwhile, up to the window, is unacknowledged. */
	#probe(now: number): void {
		const long = RESTS * this.gather.longest;
		if (this.#window === 0 || this.#window >= this.#rate * long) return;
		if (now < this.#probeAt) return;
		this.#probeAt = now + this.#probeEvery;
		this.#probeEvery = Math.min(2 * this.#probeEvery, PROBE.last);
		this.gather.ask(long);
	}

	/** Silence, then all at once what should have come meanwhile: it was held back. */
	#watch(readings: number, now: number): void {
		const silence = now - this.#last;
		this.#last = now;
		if (silence < STALL || silence > 10 * STALL) return;
		if (readings > (this.#rate * silence) / 2) this.#stalled = now;
	}
}
