/**
 * What the rooms say to each other. Sources, engines, sinks and the quarantine are
 * strangers: each knows only this file. The pipeline's line introduces them.
 *
 *   Source ──Batch──▶ Intake(line) ──Batch──▶ Engine ──▶ Outcomes(line) ──▶ Sink
 *      ▲ acknowledge(below)            │ ledger: one number per reading │     │ delivered(n)
 *      └───────────────────────────────┴────────────────────────────────┴─────┘
 *
 * A reading is (batch, i). Its ledger number is `batch.number[i]`.
 */
import type { WasieveError } from "./errors.js";

/** The cause index of an output that no single reading caused (a timer, the end of input). */
export const NO_CAUSE = -1;
/** Its ledger number: nothing waits for it. */
export const NO_NUMBER = -1;

/** Set in {@link Batch.flags}. */
export const RETAINED = 1;

/**
 * A run of readings as arrays of offsets into byte buffers that the source owns.
 * No object per reading: at a million messages a second each one would cost more than
 * the filter itself.
 *
 * Who owns the bytes: a batch and all it refers to are valid only during the call that
 * hands it over. Whoever needs it longer takes a {@link Batch.copy}.
 */
export class Batch {
	/** Readings in this batch; entries at and beyond it are stale. */
	count = 0;
	/** Holds the payloads. */
	bytes: Buffer;
	/** Ledger number of each reading, assigned by the line (a stage's input may repeat a number). */
	readonly number: Float64Array;
	/** Payload of reading i: bytes[payloadAt[i], payloadEnd[i]). */
	readonly payloadAt: Int32Array;
	readonly payloadEnd: Int32Array;
	/** Topic of reading i: topicIn[i][topicAt[i], topicEnd[i]); not always in `bytes` (MQTT 5 topic alias). */
	readonly topicIn: Buffer[];
	readonly topicAt: Int32Array;
	readonly topicEnd: Int32Array;
	/** MQTT 5 user properties of reading i as encoded on the wire (0x26 …, repeated), in `bytes`; empty when none. */
	readonly userAt: Int32Array;
	readonly userEnd: Int32Array;
	/** When the reading's MQTT 5 message expiry passes, in the gateway clock's ms; Infinity when it never does. */
	readonly expires: Float64Array;
	readonly flags: Uint8Array;
	/** The last copy made while it is {@link lent} out. */
	#common: { from: number; to: number; copy: Batch } | undefined;
	#lent = false;

	constructor(readonly capacity: number) {
		this.bytes = NO_BYTES;
		this.number = new Float64Array(capacity);
		this.payloadAt = new Int32Array(capacity);
		this.payloadEnd = new Int32Array(capacity);
		this.topicIn = new Array<Buffer>(capacity).fill(NO_BYTES);
		this.topicAt = new Int32Array(capacity);
		this.topicEnd = new Int32Array(capacity);
		this.userAt = new Int32Array(capacity);
		this.userEnd = new Int32Array(capacity);
		this.expires = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
		this.flags = new Uint8Array(capacity);
	}

	/** The payload as a view, no copy. */
	payload(i: number): Buffer {
		return this.bytes.subarray(this.payloadAt[i], this.payloadEnd[i]);
	}

	topic(i: number): string {
		return (this.topicIn[i] as Buffer).toString(
			"utf8",
			this.topicAt[i],
			this.topicEnd[i],
		);
	}

	/**
	 * Hands it to several in turn: nothing in it changes meanwhile but the numbers. A thousand lines that cannot go on
	 * would each keep 140 KB of the same readings, so copies made in there have all but their numbers in common.
	 */
	lend(visit: () => void): void {
		this.#lent = true;
		try {
			visit();
		} finally {
			this.#lent = false;
			this.#common = undefined;
		}
	}

	/** A batch of readings [from, to) that owns its bytes, or shares them with other copies of the same; only its numbers may be changed. */
	copy(from = 0, to = this.count): Batch {
		if (!this.#lent) return this.#copy(from, to);
		const known = this.#common;
		if (known?.from !== from || known.to !== to)
			this.#common = { from, to, copy: this.#copy(from, to) };
		const common = this.#common?.copy as Batch;
		const number = this.number.slice(from, to);
		return Object.assign(new Batch(0), common, { number });
	}

	#copy(from: number, to: number): Batch {
		return this.pick(Array.from({ length: to - from }, (_, k) => from + k));
	}

	/** A batch of the readings named, in that order, that owns its bytes. */
	pick(readings: readonly number[]): Batch {
		const copy = new Batch(readings.length);
		const size = readings.reduce((sum, i) => sum + this.sizeOf(i), 0);
		copy.bytes = Buffer.allocUnsafe(size);
		for (const i of readings) copy.append(this, i);
		return copy;
	}

	/** Bytes reading i takes in a {@link copy}. */
	sizeOf(i: number): number {
		return (
			at(this.payloadEnd, i) -
			at(this.payloadAt, i) +
			at(this.topicEnd, i) -
			at(this.topicAt, i) +
			at(this.userEnd, i) -
			at(this.userAt, i)
		);
	}

	/**
	 * Appends reading i of another batch, bytes and all, or an output that it caused: then the
	 * payload is bytes[start, end). `bytes` of this batch must have room (see {@link roomFor}).
	 */
	append(
		from: Batch,
		i: number,
		bytes: Uint8Array = from.bytes,
		start: number = at(from.payloadAt, i),
		end: number = at(from.payloadEnd, i),
	): void {
		const k = this.count++;
		let used = k === 0 ? 0 : at(this.userEnd, k - 1);
		this.payloadAt[k] = used;
		this.bytes.set(bytes.subarray(start, end), used);
		used += end - start;
		this.payloadEnd[k] = used;
		this.topicIn[k] = this.bytes;
		this.topicAt[k] = used;
		const caused = i >= 0;
		if (caused) {
			const topic = from.topicIn[i] as Buffer;
			used += topic.copy(this.bytes, used, from.topicAt[i], from.topicEnd[i]);
		}
		this.topicEnd[k] = used;
		this.userAt[k] = used;
		if (caused) {
			used += from.bytes.copy(
				this.bytes,
				used,
				from.userAt[i],
				from.userEnd[i],
			);
		}
		this.userEnd[k] = used;
		this.number[k] = caused ? at(from.number, i) : NO_NUMBER;
		this.expires[k] = caused ? at(from.expires, i) : Number.POSITIVE_INFINITY;
		this.flags[k] = caused ? at(from.flags, i) : 0;
	}

	/** Whether append() of `size` bytes more fits. */
	roomFor(size: number): boolean {
		const used = this.count === 0 ? 0 : at(this.userEnd, this.count - 1);
		return this.count < this.capacity && used + size <= this.bytes.length;
	}
}

const NO_BYTES = Buffer.alloc(0);

function at(array: { readonly [i: number]: number }, i: number): number {
	return array[i] as number;
}

/** Milliseconds since the epoch; a parameter everywhere so that tests and replays own time. */
export type Clock = () => number;

/* ------------------------------------------------------------------ source */

/** Where readings come from: an MQTT subscription, a file, stdin. */
export interface Source {
	/** Begins to hand batches to the line; resolves when subscribed (or the file is open). */
	start(intake: Intake): Promise<void>;
	/** Stops handing over as soon as possible; at most what is already being handed over still arrives. */
	pause(): void;
	resume(): void;
	/**
	 * All readings with a ledger number below this are settled. The source acknowledges them
	 * in the order they came, on the connection they came from, or not at all
	 * [MQTT-4.6.0-2]. Called often with the same or a larger number, also before take() or refuse() has
	 * returned the numbers it is about; must be cheap.
	 */
	acknowledge(below: number): void;
	/** Takes no more readings but can still acknowledge. */
	stop(): Promise<void>;
	/** Lets go of everything, once the last acknowledgement is flushed. */
	close(): Promise<void>;
}

/** What a source tells the line. */
export interface Intake {
	/**
	 * Hands over a batch. The line sets `batch.number`, counting up by one from its return
	 * value, which is the number of the batch's first reading. It may call pause() from within.
	 * A source that several lines share hands each of them the same batch in turn: the numbers in
	 * it are those of the line that has it now, everything else is the source's.
	 */
	take(batch: Batch): number;
	/** A reading the source itself had to refuse (too large …): counted, quarantined, given a number (returned). */
	refuse(topic: string, payload: Buffer, error: WasieveError): number;
	/** So many readings passed by while the line paused: others read them on the same connection (QoS 0). */
	missed(count: number): void;
	/** The source has come to its end (file, stdin). */
	end(): void;
	/** The connection's state changed; `error` says why it is down, undefined means up. */
	health(error: WasieveError | undefined): void;
}

/* ------------------------------------------------------------------ engine */

/** Executes one filter. Reports to Outcomes during feed() (inline) or later (blocking). */
export interface Engine {
	/** Instantiates; rejects with a WasieveError when the module cannot start. */
	start(outcomes: Outcomes): Promise<void>;
	/** Takes the whole batch, always. The caller stops feeding while `ready` is false. */
	feed(batch: Batch): void;
	/** Whether another batch is welcome. */
	readonly ready: boolean;
	/** How often the filter wants tick(), in ms; 0 for never. Known after start(). */
	readonly tickEvery: number;
	/** Units of fuel burnt so far (docs/modules.md); undefined where nothing is metered. */
	readonly fuel?: number;
	/** The way downstream is free again: goes on with readings that waited for it. */
	proceed?(): void;
	/** Lets timers of the filter fire at the clock's present. */
	tick(): void;
	/** The filter's input ends: flushes it. Resolves when everything fed has been reported. */
	end(): Promise<void>;
	/** Kills the instance now; nothing more is reported. Safe at any time, more than once. */
	close(): Promise<void>;
	/**
	 * Looks for what the module's file holds now, which the next start() or restart() runs; readings that wait are kept,
	 * a filter's state is not. Rejects with a WasieveError when that cannot run: then nothing has changed.
	 */
	renew?(): Promise<void>;
	/** Starts anew after stopped() was reported, or with another module. */
	restart(): Promise<void>;
}

/**
 * What an engine tells the line. What is said between begin() and commit() counts only at
 * commit(); rollback() takes it back (the engine will try the readings again).
 */
export interface Outcomes {
	/**
	 * Downstream has enough. What is said all the same is taken; an engine that can keep
	 * readings does, until proceed().
	 */
	readonly congested: boolean;
	begin(): void;
	commit(): void;
	rollback(): void;
	/**
	 * An output: bytes[start, end) without line end, valid only during the call. `i` is the
	 * reading that caused it or NO_CAUSE. `suffix` is the topic suffix of emitTo(), "" for none.
	 */
	output(
		batch: Batch,
		i: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		suffix: string,
	): void;
	/** The filter dropped reading i on purpose. */
	drop(batch: Batch, i: number, reason: string): void;
	/** Reading i failed: rejected by the filter (E_GUEST_REJECT) or culprit of a trap or limit. */
	fail(batch: Batch, i: number, error: WasieveError): void;
	/**
	 * The engine is done with readings [from, to): all their outputs have been reported. Said
	 * exactly once per reading fed, after drop() and fail().
	 */
	consumed(batch: Batch, from: number, to: number): void;
	/** A line the filter wrote to stderr, without line end, already bounded. */
	log(text: string): void;
	/** An instance died and was replaced (state restored or not, see error). */
	restarted(error: WasieveError): void;
	/** `ready` went from false to true. */
	ready(): void;
	/** Too many failures in a row: the engine has stopped; restart() revives it. What it held and had not reported is fed again by then. */
	stopped(error: WasieveError): void;
}

/* -------------------------------------------------------------------- sink */

/** Where outputs go: an MQTT topic, a file, stdout. */
export interface Sink {
	start(keeper: Keeper): Promise<void>;
	/**
	 * Takes one output: bytes[start, end). `n` is the ledger number that waits for it. `topic`
	 * (topic.bytes[0, topic.length)) and user properties are copied before it returns.
	 */
	write(
		n: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		properties: OutputProperties,
	): void;
	/** Marks what was written since the last commit() as final and sends it. */
	commit(): void;
	/** Forgets what was written since the last commit(). */
	rollback(): void;
	/** False when the line should pause its source (window full, socket full). */
	readonly ready: boolean;
	/** Resolves when every committed output is delivered or failed. */
	drain(): Promise<void>;
	close(): Promise<void>;
}

/** One reused object per line, not one per output. */
export interface OutputProperties {
	/** topic bytes [0, topicLength) as UTF-8. */
	topic: Buffer;
	topicLength: number;
	/** MQTT 5 user properties as encoded on the wire, [userAt, userEnd) of user. */
	user: Buffer;
	userAt: number;
	userEnd: number;
	/** Gateway-clock ms at which the message expires, Infinity for never. */
	expires: number;
}

/** What a sink tells the line. */
export interface Keeper {
	/** Outputs [count] of ledger number n are safe downstream (PUBACK, PUBCOMP, written). */
	delivered(n: number): void;
	/** An output that can never be delivered (too large for the broker, not authorised), with its own topic and bytes. */
	undeliverable(
		n: number,
		error: WasieveError,
		topic: string,
		payload: Buffer,
	): void;
	/** All of one socket chunk's delivered() calls have been made: the time to acknowledge. */
	settle(): void;
	ready(): void;
	health(error: WasieveError | undefined): void;
}

/* -------------------------------------------------------------- quarantine */

/** Keeps readings that failed. */
export interface Quarantine {
	/** Copies what it needs before it returns; `kept` is called once, with an error when it could not be kept. */
	keep(
		failed: FailedReading,
		kept: (error: WasieveError | undefined) => void,
	): void;
	/** Readings that were kept and had to make room for younger ones. */
	readonly discarded?: number;
	close(): Promise<void>;
}

export interface FailedReading {
	pipeline: string;
	topic: string;
	payload: Buffer;
	code: string;
	reason: string;
	/** Gateway clock, ms. */
	time: number;
}

/* --------------------------------------------------------------------- log */

/** What rooms below observe/ need of a logger; pino fits. */
export interface Log {
	debug(fields: object, message: string): void;
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
}

/* ---------------------------------------------------------------- pipeline */

/** degraded: it runs, but a connection is down or readings could not be kept. */
export type PipelineState =
	| "starting"
	| "running"
	| "degraded"
	| "stopped"
	| "ended";

/** An error as plain data, fit for another thread, JSON and metrics. */
export interface Fault {
	code: string;
	message: string;
	hint?: string;
}

/** One end of a pipeline. */
export interface LinkSnapshot {
	connected: boolean;
	/** Why it is down. */
	error?: Fault;
}

/**
 * What a pipeline tells about itself when asked: plain data, so that it can cross threads.
 * All counts since the gateway's start; taken = emitted + dropped + failed + open.
 */
export interface PipelineSnapshot {
	name: string;
	state: PipelineState;
	/** Why the state is degraded or stopped. */
	reason?: Fault;
	taken: number;
	emitted: number;
	dropped: number;
	failed: number;
	/** Taken and not yet settled. */
	open: number;
	/** Not taken: passed by while the pipeline paused and others on the same connection went on. */
	missed: number;
	/** Few keys: the ledger puts what exceeds its number of reasons under "other". */
	droppedBy: Record<string, number>;
	/** By error code. */
	failedBy: Record<string, number>;
	/** Messages written by the last filter, and their bytes. */
	outputs: number;
	outputBytes: number;
	/** Of these messages, those that the sink refused or could not write; absent for none. */
	undelivered?: number;
	/** Instances that died and were replaced. */
	restarts: number;
	/** Failed readings that the quarantine could not keep. */
	quarantineLost: number;
	/** Readings in the quarantine that made room for younger ones. */
	quarantineDiscarded?: number;
	/** Why the last one was not kept; absent while the quarantine works. */
	quarantineError?: Fault;
	/** Units of fuel burnt; absent for modules without fuel. */
	fuel?: number;
	source: LinkSnapshot;
	sink: LinkSnapshot;
	/** From take to settled. */
	latency: LatencySnapshot;
}

/** A histogram: counts[k] samples of at most bounds[k] ms and more than bounds[k - 1]. */
export interface LatencySnapshot {
	bounds: readonly number[];
	counts: readonly number[];
	/** Sum of all samples, ms. */
	sum: number;
	samples: number;
}
