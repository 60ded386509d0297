import { Batch, type Clock, type Engine, type Outcomes } from "../contract.js";
import { asWasieveError, WasieveError } from "../errors.js";
import { fault } from "./fault.js";
import type { FilterModule } from "./filter-module.js";
import { GuestInstance } from "./instance.js";
import { Rest, type RestartPolicy } from "./rest.js";
import { Rewind } from "./rewind.js";
import { AROUND } from "./tank.js";
import type { Hello } from "./tracked-output.js";
import { tooLong } from "./unit.js";

export interface InlineOptions {
	module: FilterModule;
	/** What is in its file now; the same module when nothing has changed. Errors: E_MODULE_* and more. */
	renew?: () => Promise<FilterModule>;
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	limits: {
		/** Fuel units for one reading (docs/modules.md). */
		fuel: number;
		/** Bytes written for one reading. */
		output: number;
		/** Longest reading, bytes. */
		reading: number;
	};
	restart: RestartPolicy;
	clock: Clock;
}

/**
 * Runs a filter made with the SDK on the thread that owns the pipeline's sockets: no worker,
 * no ring, no wake-up. Fuel makes that safe: whatever the filter does, the call returns.
 *
 * A batch runs on half a tank. If that does not suffice, or the filter traps, the instance is
 * rewound to before the batch and every reading runs alone on a full one: so a reading fails
 * if and only if it needs more than limits.fuel by itself, however batches were cut.
 */
export function inlineEngine(options: InlineOptions): Engine {
	return new InlineEngine(options);
}

class InlineEngine implements Engine {
	// What each pump needs comes first and so lies together, as in Traffic.
	fuel = 0;
	readonly #rest: Rest;
	#outcomes!: Outcomes;
	#guest: GuestInstance | undefined;
	#rewind = new Rewind();
	#hello!: Hello;
	/** Whether it takes the longest reading that there may be. */
	#takesAll = false;
	/** Readings a pump takes at most: fewer where a filter does much for each. */
	#stride = STRIDE;
	/** Pumps in a row that took so many and got through. */
	#strides = 0;
	/** Readings that wait while the engine rests or downstream has enough. */
	#backlog: Batch[] = [];
	/** While one of them is worked on: those behind it. */
	#later: Batch[] | undefined;
	#closed = false;
	#whenRoom: (() => void) | undefined;

	tickEvery = 0;
	#o: InlineOptions;
	/** Another module, for the next instance that begins anew. */
	#next: FilterModule | undefined;
	#time = 0;
	#condemned = 0;

	constructor(options: InlineOptions) {
		this.#o = options;
		this.#rest = new Rest(options.restart, () => this.#wake());
	}

	/** Not while it works on what waited: whoever hears of that lets the source go on, and what comes would overtake the rest. */
	get ready(): boolean {
		return this.#later === undefined && this.#free;
	}

	get #free(): boolean {
		return !this.#rest.resting && this.#backlog.length === 0;
	}

	async start(outcomes: Outcomes): Promise<void> {
		this.#outcomes = outcomes;
		this.#takeNext();
		this.#begin();
		this.#rest.revive();
	}

	async renew(): Promise<void> {
		const found = await this.#o.renew?.();
		this.#next = found === this.#o.module ? undefined : found;
	}

	feed(batch: Batch): void {
		if (this.#closed) return;
		if (this.ready) this.#work(batch);
		else (this.#later ?? this.#backlog).push(batch.copy());
	}

	proceed(): void {
		if (this.#backlog.length > 0) this.#wake();
		this.#whenRoom?.();
	}

	tick(): void {
		if (!this.ready || this.#guest === undefined) return;
		const error = this.#transact(NO_READINGS, 0, 0, 1);
		if (error !== undefined) this.#failed(error);
	}

	async end(): Promise<void> {
		// What waits goes first, without rests: each of them was for a reading that is done with.
		for (;;) {
			if (this.#guest === undefined || this.#rest.stopped) return;
			this.#rest.cancel();
			if (this.#backlog.length === 0) break;
			if (this.#outcomes.congested) await this.#room();
			else this.#drainBacklog();
		}
		const error = this.#transact(NO_READINGS, 0, 0, AROUND, "E");
		if (error !== undefined) this.#outcomes.restarted(error);
	}

	/** Resolves when there may be room downstream, or nobody waits for it any more. */
	#room(): Promise<void> {
		return new Promise((resolve) => {
			this.#whenRoom = resolve;
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#whenRoom?.();
		this.#rest.cancel();
		this.#backlog = [];
		this.#guest = undefined;
		this.#rewind.forget();
	}

	async restart(): Promise<void> {
		if (this.#closed) return;
		this.#takeNext();
		// The last failure has already been undone: its state is what it was before.
		if (this.#guest === undefined) this.#begin();
		this.#rest.revive();
		this.#drainBacklog();
	}

	/** Nothing is fed to an instance that is not there. */
	#takeNext(): void {
		if (this.#next === undefined) return;
		this.#o = { ...this.#o, module: this.#next };
		this.#next = undefined;
		this.#guest = undefined;
		this.#rest.stop();
	}

	/** A new instance, its hello said and answered. */
	#begin(): void {
		const guest = new GuestInstance(this.#o, this.#outcomes);
		this.#outcomes.begin();
		try {
			guest.start();
		} catch (thrown) {
			this.#outcomes.rollback();
			const why = guest.faultOf(thrown);
			throw new WasieveError(
				why.code === "E_GUEST_VERSION" ? why.code : "E_GUEST_START",
				`the filter failed before its first reading: ${why.message}`,
				{ cause: why, ...(why.hint ? { hint: why.hint } : {}) },
			);
		}
		this.#outcomes.commit();
		this.#hello = guest.hello;
		this.tickEvery = guest.hello.every;
		this.#takesAll = guest.hello.max >= this.#o.limits.reading;
		this.#guest = guest;
		this.#rewind.forget();
		this.#rewind = guest.recorder = new Rewind();
	}

	/** Works a batch off, leaving out what the filter cannot take. */
	#work(batch: Batch): void {
		if (this.#takesAll) {
			this.#run(batch, 0, batch.count);
			return;
		}
		let from = 0;
		for (let i = 0; i < batch.count; i++) {
			const size =
				(batch.payloadEnd[i] as number) - (batch.payloadAt[i] as number);
			if (size <= this.#hello.max) continue;
			this.#run(batch, from, i);
			this.#condemn(batch, i, tooLong(size, this.#hello.max));
			from = i + 1;
		}
		this.#run(batch, from, batch.count);
	}

	#run(batch: Batch, from: number, to: number): void {
		for (let at = from; at < to; ) {
			if (this.#waits(batch, at, to)) return;
			const end = Math.min(to, at + this.#stride);
			if (!this.#attempt(batch, at, end)) {
				this.#oneByOne(batch, at, end, to);
				if (!this.#free) return;
			}
			at = end;
		}
	}

	/** Keeps readings [at, to) for later if they cannot be worked on now. */
	#waits(batch: Batch, at: number, to: number): boolean {
		if (this.#free && !this.#outcomes.congested) return false;
		this.#backlog.push(batch.copy(at, to));
		return true;
	}

	/** Whether readings [from, to) are done with, together; one alone always is. */
	#attempt(batch: Batch, from: number, to: number): boolean {
		const alone = to - from === 1;
		const error = this.#transact(batch, from, to, alone ? 1 : 0.5);
		if (error === undefined) {
			this.#rest.succeeded();
			this.#lengthen(to - from);
			return true;
		}
		if (!alone) return false;
		this.#condemn(batch, from, error);
		this.#failed(error);
		return true;
	}

	/** Finds the readings of [from, to) that cannot be done; [to, stop) waits behind them. */
	#oneByOne(batch: Batch, from: number, to: number, stop: number): void {
		const condemned = this.#condemned;
		for (let i = from; i < to; i++) {
			if (this.#waits(batch, i, stop)) return;
			this.#attempt(batch, i, i + 1);
		}
		if (!this.#free) {
			if (to < stop) this.#backlog.push(batch.copy(to, stop));
			return;
		}
		// None was to blame: together they were too much.
		if (this.#condemned === condemned)
			this.#stride = Math.max(1, (to - from) >> 1);
	}

	#lengthen(taken: number): void {
		if (taken < this.#stride || this.#stride === STRIDE) return;
		if (++this.#strides < PATIENCE) return;
		this.#strides = 0;
		this.#stride = Math.min(STRIDE, this.#stride * 2);
	}

	/**
	 * One pump: all its outcomes or none. On an error the instance is as if the pump had never
	 * been.
	 */
	#transact(
		batch: Batch,
		from: number,
		to: number,
		tanks: number,
		last?: string,
	): WasieveError | undefined {
		const guest = this.#guest as GuestInstance;
		let burnt = 0;
		this.#outcomes.begin();
		try {
			if (this.#hello.time) {
				this.#time = Math.max(this.#time, Math.floor(this.#o.clock()));
				guest.input.say(`t${this.#time}`);
			}
			if (last !== undefined) guest.input.say(last);
			burnt = guest.pump(batch, from, to, tanks);
		} catch (thrown) {
			this.#outcomes.rollback();
			const error = guest.faultOf(thrown);
			this.#replace();
			return error;
		}
		// First: whoever hears of it may have the next pump begin.
		this.#rewind.settle(guest);
		this.#outcomes.commit();
		this.fuel += burnt;
		if (to > from) this.#outcomes.consumed(batch, from, to);
		return undefined;
	}

	/** Makes the dead instance anew, with the state it had before the pump. */
	#replace(): void {
		this.#guest = undefined;
		try {
			this.#revive();
		} catch (thrown) {
			// Nothing to do with the readings: no memory is left for an instance.
			const error = asWasieveError(thrown, "E_GUEST_START");
			this.#rest.stop();
			this.#outcomes.stopped(error);
		}
	}

	#revive(): void {
		const guest = new GuestInstance(this.#o, this.#outcomes);
		try {
			if (this.#rewind.saved) {
				this.#rewind.restore(guest);
				guest.hello = this.#hello;
			} else guest.start(this.#hello);
			this.#rewind.replay((reads) => guest.replay(reads));
			this.#rewind.save(guest);
			guest.recorder = this.#rewind;
			this.#guest = guest;
		} catch (thrown) {
			// The same input gave no error the first time: this module is not deterministic.
			const error = guest.faultOf(thrown);
			this.#begin();
			this.#outcomes.restarted(stateLost(error));
		}
	}

	#condemn(batch: Batch, i: number, error: WasieveError): void {
		this.#condemned++;
		this.#outcomes.begin();
		this.#outcomes.fail(batch, i, error);
		this.#outcomes.commit();
		this.#outcomes.consumed(batch, i, i + 1);
	}

	#failed(error: WasieveError): void {
		this.#outcomes.restarted(error);
		if (this.#rest.stopped) return; // and has said so
		if (this.#rest.failed()) this.#outcomes.stopped(tooOften(error, this.#o));
	}

	#wake(): void {
		this.#drainBacklog();
		if (this.ready) this.#outcomes.ready();
	}

	#drainBacklog(): void {
		if (this.#later !== undefined) return; // it goes on below
		while (!this.#rest.resting && !this.#outcomes.congested) {
			const batch = this.#backlog.shift();
			if (batch === undefined) return;
			const later = this.#backlog;
			this.#later = later;
			this.#backlog = [];
			try {
				this.#work(batch);
			} finally {
				this.#backlog.push(...later);
				this.#later = undefined;
			}
		}
	}
}

const NO_READINGS = new Batch(1);
/** As many readings as a batch has at most. */
const STRIDE = 1024;
/** Full strides in a row before a longer one is tried. */
const PATIENCE = 64;

function stateLost(error: WasieveError): WasieveError {
	return fault(
		error.code,
		`the filter's state could not be restored and it begins anew: ${error.message}`,
		"the module does not do the same on the same input; build it with the SDK",
		error,
	);
}

function tooOften(
	error: WasieveError,
	{ restart }: InlineOptions,
): WasieveError {
	return new WasieveError(
		"E_PIPELINE_STOPPED",
		`the filter failed ${restart.max} times in a row, last: ${error.message}`,
		{
			hint: "see the quarantine for what it failed on and mend the filter; a resume reads its module anew",
			cause: error,
		},
	);
}
