import {
	Batch,
	type Clock,
	type Engine,
	NO_CAUSE,
	type Outcomes,
} from "../contract.js";
import { WasieveError } from "../errors.js";
import { fault } from "./fault.js";
import type { FilterModule } from "./filter-module.js";
import { GuestThread, type ThreadListener } from "./guest-thread.js";
import { Pace } from "./pace.js";
import { PlainOutput } from "./plain-output.js";
import { Rest, type RestartPolicy } from "./rest.js";
import {
	cutUnit,
	encodeUnit,
	type Span,
	sizeOf,
	type Unit,
	type UnitBy,
} from "./unit.js";
import { Watchdog } from "./watchdog.js";

export interface BlockingOptions {
	/** For messages: the filter's name. */
	name: string;
	module: Pick<FilterModule, "wasm" | "fuel">;
	/** Program name first. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	limits: {
		/** Milliseconds for one reading, tried alone. */
		time: number;
		/** Milliseconds from the start of the thread until the module first asks for input; 5000 when left out. */
		start?: number;
		/** Bytes written for one reading, tried alone. */
		output: number;
		/** Fuel units for one reading, tried alone; unlimited when left out. Needs a metered module. */
		fuel?: number;
	};
	/** Grants the machine's clocks and random numbers instead of virtual ones. */
	realTime: boolean;
	/**
	 * What is handed over as one. By "topic" when the output topic depends on the reading's: all
	 * outputs of a unit are told as caused by its first reading.
	 */
	unitBy: UnitBy;
	restart: RestartPolicy;
	clock: Clock;
}

/** Bytes of readings held before the engine wants no more. */
const FULL = 256 * 1024;
const START = 5000;
/** Units on the guest's hands: one that it works on, one that it finds when it asks for more. */
const IN_HAND = 2;

/**
 * Runs a module made elsewhere (Rust, Go, C …) on a thread of its own, because it blocks in
 * fd_read, under a time limit that ends even an endless loop. Speaks plain mode of
 * docs/protocol.md: when the module asks for more input, all that it wrote belongs to the unit of
 * readings it was given.
 *
 * Exits: reading to the end of input and exiting with 0 is right; exiting before that, with any
 * code, fails the reading it happened on (E_GUEST_EXIT).
 */
export function blockingEngine(options: BlockingOptions): Engine {
	return new BlockingEngine(options);
}

type Phase =
	/** Waits until the module first asks for input. */
	| "starting"
	| "running"
	/** The end of input was sent. */
	| "ending"
	/** No instance: resting, stopped, ended or not started. */
	| "down";

class BlockingEngine implements Engine, ThreadListener {
	readonly tickEvery = 0;
	readonly #o: BlockingOptions;
	readonly #thread: GuestThread;
	readonly #rest: Rest;
	readonly #watchdog: Watchdog;
	readonly #pace: Pace;
	readonly #output = new PlainOutput();
	#outcomes!: Outcomes;
	#phase: Phase = "down";
	#waiting: Span[] = [];
	#inHand: Unit[] = [];
	/** Bytes of both. */
	#held = 0;
	#wasReady = true;
	#closed = false;
	/** Settles the promise of start() or restart(). */
	#starter: { resolve(): void; reject(error: unknown): void } | undefined;
	/** Resolves the promise of end(). */
	#ended: (() => void) | undefined;

	constructor(options: BlockingOptions) {
		this.#o = options;
		this.#rest = new Rest(options.restart, () => this.#begin());
		this.#pace = new Pace(options.limits.time);
		this.#watchdog = new Watchdog(
			() => this.#isExcused(),
			() => this.#timeUp(),
		);
		const { args, env, limits, module, realTime } = options;
		const fuel =
			module.fuel === undefined
				? undefined
				: { global: module.fuel, units: limits.fuel };
		this.#thread = new GuestThread(
			{
				wasm: module.wasm,
				args,
				env,
				fuel,
				output: limits.output,
				realTime,
			},
			this,
		);
	}

	get ready(): boolean {
		return this.#phase !== "down" && this.#held < FULL;
	}

	start(outcomes: Outcomes): Promise<void> {
		this.#outcomes = outcomes;
		return this.#beginAndWait();
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

	tick(): void {}

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
		await this.#thread.kill();
	}

	/* What the thread says. */

	output(bytes: Uint8Array): void {
		this.#output.add(bytes);
	}

	log(line: string): void {
		this.#outcomes.log(line);
	}

	asks(): void {
		this.#watchdog.rest();
		if (this.#phase === "starting") this.#phase = "running";
		this.#starter?.resolve();
		this.#starter = undefined;
		this.#report(NOTHING, NO_CAUSE, false);
		if (this.#inHand.length > 0) this.#watch();
		this.#send();
		this.#tellReady();
	}

	woke(): void {
		this.#watch();
	}

	done(): void {
		const unit = this.#inHand.shift() as Unit;
		this.#held -= unit.size;
		this.#pace.took(this.#watchdog.rest(), unit.to - unit.from);
		if (this.#inHand.length > 0 || this.#phase === "ending") this.#watch();
		this.#rest.succeeded();
		this.#report(unit.batch, unit.from, false);
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
		this.#output.clear();
		if (phase === "starting") this.#failStart(error);
		else if (unit !== undefined && unit.to - unit.from > 1) {
			this.#retry(unit, error);
		} else {
			if (unit !== undefined) this.#condemn(unit, error);
			this.#fail(error);
		}
	}

	/* Units. */

	/** Hands over as much as there is room for, then the end if it is time. */
	#send(): void {
		if (this.#phase !== "running") return;
		while (this.#inHand.length < IN_HAND && this.#thread.clear) {
			const span = this.#waiting[0];
			if (span === undefined) break;
			const unit = cutUnit(span, this.#o.unitBy, this.#pace.max);
			if (unit.to === span.to) this.#waiting.shift();
			else this.#waiting[0] = { ...span, from: unit.to };
			this.#inHand.push(unit);
			if (this.#inHand.length === 1) this.#watch();
			this.#thread.send(encodeUnit(unit), unit.time);
		}
		if (this.#ended === undefined || this.#inHand.length > 0) return;
		this.#phase = "ending";
		this.#watch();
		this.#thread.sendEnd(this.#o.clock());
	}

	/** Tells the outputs gathered so far, all caused by reading i (or by none). */
	#report(batch: Batch, i: number, all: boolean): void {
		const outcomes = this.#outcomes;
		outcomes.begin();
		this.#output.lines(all, (bytes, at, end) =>
			outcomes.output(batch, i, bytes, at, end, ""),
		);
		outcomes.commit();
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
		this.#outcomes.begin();
		this.#outcomes.fail(unit.batch, unit.from, error);
		this.#outcomes.commit();
		this.#outcomes.consumed(unit.batch, unit.from, unit.to);
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
		this.#output.clear();
		this.#thread.begin();
		this.#watchdog.watch(this.#o.limits.start ?? START);
	}

	#watch(): void {
		this.#watchdog.watch(this.#o.limits.time);
	}

	/** Time is not the guest's fault while we have not heard it or not served it. */
	#isExcused(): boolean {
		const { heldUp } = this.#thread;
		this.#thread.hear();
		return heldUp;
	}

	#timeUp(): void {
		const { time, start = START } = this.#o.limits;
		const error = fault(
			"E_GUEST_TIME",
			`the filter ${this.#o.name} took more than ${this.#phase === "starting" ? start : time} ms`,
			"it loops without end or waits; raise limits.time if this is right",
		);
		void this.#thread.kill();
		this.died(error, undefined);
	}

	#failStart(cause: WasieveError): void {
		const error = new WasieveError(
			"E_GUEST_START",
			`the filter failed before its first reading: ${cause.message}`,
			{ cause, ...(cause.hint ? { hint: cause.hint } : {}) },
		);
		const starter = this.#starter;
		if (starter === undefined) {
			this.#fail(error);
			return;
		}
		this.#starter = undefined;
		this.#rest.stopped = true;
		void this.#thread.kill();
		starter.reject(error);
	}

	/** A failure that counts: after it the engine begins anew at once, after a rest, or never. */
	#fail(error: WasieveError): void {
		this.#outcomes.restarted(error);
		if (this.#rest.failed()) this.#stop(error);
		else if (!this.#rest.resting) this.#begin();
	}

	#stop(error: WasieveError): void {
		void this.#thread.kill();
		this.#outcomes.stopped(
			new WasieveError(
				"E_PIPELINE_STOPPED",
				`the filter ${this.#o.name} failed ${this.#o.restart.max} times in a row, last: ${error.message}`,
				{
					hint: "see the quarantine for what it failed on; resume the pipeline when it is mended",
					cause: error,
				},
			),
		);
		this.#ended?.();
	}

	/** The module has seen the end of input and is gone. */
	async #finish(error: WasieveError, exit: number | undefined): Promise<void> {
		this.#watchdog.stop();
		if (exit === 0) this.#report(NOTHING, NO_CAUSE, true);
		else this.#outcomes.restarted(error);
		await this.#thread.kill();
		this.#ended?.();
	}

	#tellReady(): void {
		if (this.#wasReady || !this.ready) return;
		this.#wasReady = true;
		this.#outcomes.ready();
	}
}

const NOTHING = new Batch(1);

function closedEarly(name: string): WasieveError {
	return fault(
		"E_GUEST_START",
		`the filter ${name} was closed before it had started`,
		"this is right when the gateway stops",
	);
}
