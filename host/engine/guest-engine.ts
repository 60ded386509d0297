import {
	type Batch,
	type Clock,
	type Engine,
	NO_NUMBER,
	type Outcomes,
} from "../contract.js";
import { asWasieveError, WasieveError } from "../errors.js";
import { fault } from "./fault.js";
import type { Guest, GuestListener, Speech } from "./guest.js";
import { Pace } from "./pace.js";
import { Rest, type RestartPolicy } from "./rest.js";
import {
	cutUnit,
	type Span,
	sizeOf,
	tooLong,
	type Unit,
	type UnitBy,
} from "./unit.js";
import { Watchdog } from "./watchdog.js";

export interface GuestEngineOptions {
	/** For messages: the filter's name. */
	name: string;
	limits: {
		/** Milliseconds for one reading, tried alone. */
		time: number;
		/** Milliseconds from the start of the guest until it first asks for input; 5000 when left out. */
		start?: number;
		/** Milliseconds from the end of input until the guest is gone; `time` when left out. */
		end?: number;
	};
	/**
	 * What is handed over as one. By "topic" when the output topic depends on the reading's: all
	 * outputs of a unit are told as caused by its first reading.
	 */
	unitBy: UnitBy;
	restart: RestartPolicy;
	clock: Clock;
	/** Why a guest may not have asked for input within `start` ms, where more is known than the time. */
	stuck?: (start: number) => WasieveError | undefined;
	/** Looks for another module, which the guest takes when it begins next; whether there is one. */
	renewed?: () => Promise<boolean>;
}

/** Bytes of readings held before the engine wants no more. */
const FULL = 256 * 1024;
const START = 5000;
/** Units on the guest's hands: one that it works on, one that it finds when it asks for more. */
const IN_HAND = 2;

type Phase =
	/** Waits until the module first asks for input. */
	| "starting"
	| "running"
	/** The end of input was sent. */
	| "ending"
	/** No instance: resting, stopped, ended or not started. */
	| "down";

/**
 * Feeds a guest that runs beside this thread, unit by unit, under a time limit that ends even an
 * endless loop, and tries readings that it failed on together one by one.
 *
 * Exits: reading to the end of input and exiting with 0 is right; exiting before that, with any
 * code, fails the reading it happened on (E_GUEST_EXIT).
 */
export class GuestEngine implements Engine, GuestListener {
	readonly #o: GuestEngineOptions;
	readonly #guest: Guest;
	readonly #speech: Speech;
	readonly #rest: Rest;
	readonly #watchdog: Watchdog;
	readonly #pace: Pace;
	#outcomes!: Outcomes;
	#phase: Phase = "down";
	#waiting: Span[] = [];
	#inHand: Unit[] = [];
	/** Bytes of both. */
	#held = 0;
	#wasReady = true;
	#closed = false;
	/** The reading that the engine was lost on once: anybody may have killed it. */
	#pardoned = NO_NUMBER;
	/** Settles the promise of start() or restart(). */
	#starter: { resolve(): void; reject(error: unknown): void } | undefined;
	/** Resolves the promise of end(). */
	#ended: (() => void) | undefined;

	constructor(
		options: GuestEngineOptions,
		speech: Speech,
		guestOf: (listener: GuestListener) => Guest,
	) {
		this.#o = options;
		this.#speech = speech;
		this.#rest = new Rest(options.restart, () => this.#begin());
		this.#pace = new Pace(options.limits.time);
		this.#watchdog = new Watchdog(
			() => this.#isExcused(),
			(limit) => this.#timeUp(limit),
		);
		this.#guest = guestOf(this);
	}

	get tickEvery(): number {
		return this.#speech.tickEvery;
	}

	get ready(): boolean {
		return this.#phase !== "down" && this.#held < FULL;
	}

	/** Closed for good. */
	protected get closed(): boolean {
		return this.#closed;
	}

	async start(outcomes: Outcomes): Promise<void> {
		this.#outcomes = outcomes;
		if (this.#closed) throw closedEarly(this.#o.name);
		this.#rest.revive();
		return this.#beginAndWait();
	}

	/** Where there is another module, what the old one has in hand waits for it. */
	async renew(): Promise<void> {
		if (!(await this.#o.renewed?.()) || this.#closed) return;
		this.#phase = "down";
		this.#wasReady = false;
		this.#watchdog.stop();
		this.#waiting.unshift(...this.#inHand);
		this.#inHand = [];
		this.#rest.stop();
		await this.#guest.kill();
		if (this.#starter !== undefined) this.#begin();
	}

	restart(): Promise<void> {
		if (this.#closed || !this.#rest.stopped) return Promise.resolve();
		this.#rest.revive();
		return this.#beginAndWait();
	}

	feed(batch: Batch): void {
		if (this.#closed || batch.count === 0) return;
		const { count } = batch;
		this.#waiting.push({
			batch: batch.copy(),
			from: 0,
			to: count,
			time: this.#o.clock(),
			alone: false,
		});
		this.#held += sizeOf(batch, 0, count);
		this.#send();
		if (!this.ready) this.#wasReady = false;
	}

	proceed(): void {
		this.#send();
	}

	tick(): void {
		const idle = this.#phase === "running" && this.#inHand.length === 0;
		if (!idle || this.tickEvery === 0) return;
		this.#guest.say?.(this.#speech.tick(this.#o.clock()));
	}

	end(): Promise<void> {
		const waits = this.#phase !== "down" || this.#rest.resting;
		if (this.#closed || this.#rest.stopped || !waits) return Promise.resolve();
		return new Promise((resolve) => {
			this.#ended = resolve;
			if (this.#rest.resting) {
				this.#rest.cancel();
				this.#begin();
			}
			this.#send();
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#phase = "down";
		this.#rest.cancel();
		this.#watchdog.stop();
		this.#waiting = [];
		this.#inHand = [];
		this.#ended?.();
		this.#starter?.reject(closedEarly(this.#o.name));
		await this.#guest.kill();
	}

	/* What the guest says. */

	output(bytes: Uint8Array): void {
		this.#speech.add(bytes);
	}

	log(line: string): void {
		this.#outcomes.log(line);
	}

	asks(): void {
		this.#watchdog.rest();
		if (this.#phase === "starting") this.#phase = "running";
		this.#starter?.resolve();
		this.#starter = undefined;
		if (!this.#told(undefined)) return;
		if (this.#inHand.length > 0) this.#watch();
		this.#send();
		this.#tellReady();
	}

	woke(): void {
		this.#watch();
	}

	done(): void {
		const unit = this.#inHand[0] as Unit;
		if (!this.#told(unit)) return;
		this.#inHand.shift();
		this.#held -= unit.size;
		this.#pace.took(this.#watchdog.rest(), unit.to - unit.from);
		if (this.#inHand.length > 0 || this.#phase === "ending") this.#watch();
		this.#rest.succeeded();
		this.#outcomes.consumed(unit.batch, unit.from, unit.to);
		this.#send();
		this.#tellReady();
	}

	died(error: WasieveError, exit: number | undefined): void {
		const phase = this.#phase;
		this.#phase = "down";
		this.#wasReady = false;
		this.#watchdog.rest();
		const [unit] = this.#inHand;
		this.#waiting.unshift(...this.#inHand);
		this.#inHand = [];
		if (phase === "ending" && unit === undefined) {
			void this.#finish(error, exit);
			return;
		}
		if (phase === "starting") this.#failStart(error);
		else if (unit !== undefined && unit.to - unit.from > 1) {
			this.#retry(unit, error);
		} else if (unit !== undefined && this.#pardons(unit, error)) {
			this.#fail(error);
		} else {
			if (unit !== undefined) this.#condemn(unit, error);
			this.#fail(error);
		}
	}

	/* Units. */

	/** Hands over as much as there is room for, then the end if it is time. */
	#send(): void {
		if (this.#phase !== "running") return;
		while (this.#inHand.length < IN_HAND && this.#guest.clear) {
			if (this.#outcomes.congested) break;
			const span = this.#waiting[0];
			if (span === undefined) break;
			if (this.#refuses(span)) continue;
			const unit = this.#cut(span);
			if (unit.to === span.to) this.#waiting.shift();
			else this.#waiting[0] = { ...span, from: unit.to };
			this.#inHand.push(unit);
			if (this.#inHand.length === 1) this.#watch();
			const readings = unit.to - unit.from;
			this.#guest.send(this.#speech.encode(unit), unit.time, readings);
		}
		const busy = this.#inHand.length + this.#waiting.length > 0;
		if (this.#ended === undefined || busy) return;
		this.#phase = "ending";
		this.#watch();
		this.#guest.sendEnd(this.#o.clock());
	}

	/** The first readings of a span, none that is too long among them. */
	#cut(span: Span): Unit {
		const unit = cutUnit(span, this.#o.unitBy, this.#pace.max);
		const { longest } = this.#speech;
		for (let i = unit.from + 1; i < unit.to; i++) {
			if (lengthOf(unit.batch, i) <= longest) continue;
			return { ...unit, to: i, size: sizeOf(unit.batch, unit.from, i) };
		}
		return unit;
	}

	/** Fails the first reading of a span when it is longer than the filter takes. */
	#refuses(span: Span): boolean {
		const { batch, from, to } = span;
		const size = lengthOf(batch, from);
		const { longest } = this.#speech;
		if (size <= longest) return false;
		if (from + 1 === to) this.#waiting.shift();
		else this.#waiting[0] = { ...span, from: from + 1 };
		this.#held -= size + 1;
		this.#failOne(batch, from, tooLong(size, longest));
		return true;
	}

	/** Tells what the guest has written; false when that was against the protocol, which ends it. */
	#told(unit: Unit | undefined): boolean {
		const outcomes = this.#outcomes;
		outcomes.begin();
		try {
			this.#speech.report(outcomes, unit, false);
		} catch (thrown) {
			outcomes.rollback();
			void this.#guest.kill();
			this.died(asWasieveError(thrown), undefined);
			return false;
		}
		outcomes.commit();
		return true;
	}

	/** Nobody knows which of its readings the module failed on: each is tried by itself. */
	#retry(unit: Unit, error: WasieveError): void {
		this.#pace.failed();
		this.#waiting[0] = { ...unit, alone: true };
		this.#outcomes.restarted(error);
		this.#begin();
	}

	#condemn(unit: Unit, error: WasieveError): void {
		this.#waiting.shift();
		this.#held -= unit.size;
		this.#failOne(unit.batch, unit.from, error);
	}

	/** An engine that was killed from outside is no reading's fault, unless it happens on the same one again. */
	#pardons({ batch, from }: Unit, { code }: WasieveError): boolean {
		const number = batch.number[from] as number;
		if (code !== "E_ENGINE_LOST" || this.#pardoned === number) return false;
		this.#pardoned = number;
		return true;
	}

	#failOne(batch: Batch, i: number, error: WasieveError): void {
		this.#outcomes.begin();
		this.#outcomes.fail(batch, i, error);
		this.#outcomes.commit();
		this.#outcomes.consumed(batch, i, i + 1);
	}

	/* Lives of the instance. */

	#beginAndWait(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#starter = { resolve, reject };
			this.#begin();
		});
	}

	#begin(): void {
		if (this.#closed) return;
		this.#phase = "starting";
		this.#speech.begin();
		this.#guest.begin();
		this.#watchdog.watch(this.#o.limits.start ?? START);
	}

	#watch(): void {
		const { time, end = time } = this.#o.limits;
		this.#watchdog.watch(this.#phase === "ending" ? end : time);
	}

	/** Time is not the guest's fault while we have not heard it or not served it. */
	#isExcused(): boolean {
		const { heldUp } = this.#guest;
		this.#guest.hear();
		return heldUp;
	}

	#timeUp(limit: number): void {
		const starting = this.#phase === "starting";
		const error =
			(starting && this.#o.stuck?.(limit)) ||
			fault(
				"E_GUEST_TIME",
				`the filter ${this.#o.name} took more than ${limit} ms`,
				"it loops without end or waits; raise limits.time if this is right",
			);
		void this.#guest.kill();
		this.died(error, undefined);
	}

	#failStart(cause: WasieveError): void {
		const error = cause.code.startsWith("E_ENGINE")
			? cause
			: failedEarly(cause);
		const starter = this.#starter;
		if (starter === undefined) {
			this.#fail(error);
			return;
		}
		this.#starter = undefined;
		this.#rest.stopped = true;
		void this.#guest.kill();
		starter.reject(error);
	}

	/** A failure that counts: after it the engine begins anew at once, after a rest, or never. */
	#fail(error: WasieveError): void {
		this.#outcomes.restarted(error);
		if (this.#rest.failed()) this.#stop(error);
		else if (!this.#rest.resting) this.#begin();
	}

	#stop(error: WasieveError): void {
		void this.#guest.kill();
		this.#outcomes.stopped(
			new WasieveError(
				"E_PIPELINE_STOPPED",
				`the filter ${this.#o.name} failed ${this.#o.restart.max} times in a row, last: ${error.message}`,
				{
					hint: "see the quarantine for what it failed on and mend the filter; a resume reads its module anew",
					cause: error,
				},
			),
		);
		this.#ended?.();
	}

	/** The module has seen the end of input and is gone. */
	async #finish(error: WasieveError, exit: number | undefined): Promise<void> {
		this.#watchdog.stop();
		if (exit === 0) this.#sayLast();
		else this.#outcomes.restarted(error);
		await this.#guest.kill();
		this.#ended?.();
	}

	#sayLast(): void {
		this.#outcomes.begin();
		try {
			this.#speech.report(this.#outcomes, undefined, true);
			this.#outcomes.commit();
		} catch (thrown) {
			this.#outcomes.rollback();
			this.#outcomes.restarted(asWasieveError(thrown));
		}
	}

	#tellReady(): void {
		if (this.#wasReady || !this.ready) return;
		this.#wasReady = true;
		this.#outcomes.ready();
	}
}

function lengthOf(batch: Batch, i: number): number {
	return (batch.payloadEnd[i] as number) - (batch.payloadAt[i] as number);
}

function failedEarly(cause: WasieveError): WasieveError {
	return new WasieveError(
		"E_GUEST_START",
		`the filter failed before its first reading: ${cause.message}`,
		{ cause, ...(cause.hint ? { hint: cause.hint } : {}) },
	);
}

function closedEarly(name: string): WasieveError {
	return fault(
		"E_GUEST_START",
		`the filter ${name} was closed before it had started`,
		"this is right when the gateway stops",
	);
}
