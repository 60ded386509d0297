import {
	type Batch,
	type Clock,
	type Engine,
	type Intake,
	type Keeper,
	type Log,
	NO_CAUSE,
	type PipelineSnapshot,
	type Quarantine,
	type Sink,
	type Source,
} from "../contract.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import { admit } from "./admit.js";
import type { Codec } from "./codec.js";
import { Failures } from "./failures.js";
import { Latency } from "./latency.js";
import { type Account, Ledger } from "./ledger.js";
import { Links } from "./links.js";
import { PASSED_BY, stoppedEarly, stopsOn } from "./reasons.js";
import { type LineState, snapshotOf } from "./snapshot.js";
import { intoEngine, intoSink, Stage, type StageEvents } from "./stage.js";
import { Standstill } from "./standstill.js";
import { Ticks } from "./ticks.js";
import type { OutputTopic } from "./topic.js";

export interface LineOptions {
	name: string;
	source: Source;
	/** One per filter, in the order the readings pass them. */
	engines: readonly Engine[];
	sink: Sink;
	quarantine: Quarantine;
	/** Undefined for sinks without topics. */
	topic: OutputTopic | undefined;
	codec: Codec;
	onError: "quarantine" | "drop" | "stop";
	/** Readings in flight beyond which the source is paused. */
	window: number;
	/** Longest payload, bytes. */
	readingLimit: number;
	/** How long a stopped engine rests before it is tried again, ms; 0: until told. */
	cooldown: number;
	/** Nothing can come later but what is there now (files, stdin): a stop until told otherwise is the end. */
	finite: boolean;
	clock: Clock;
	log: Log;
}

/**
 * One pipeline: introduces source, filters and sink to each other and keeps the ledger.
 *
 *   take ─▶ admit ─▶ stage ─▶ … ─▶ stage ─▶ sink
 *     │ +1             hold per output          │ release per PUBACK
 *     └───────────── ledger.low ◀───────────────┘ ─▶ source.acknowledge(low)
 */
export class Line {
	state: LineState = "starting";
	readonly ledger: Ledger;
	readonly latency = new Latency();
	readonly failures: Failures;
	/** Resolves when the source came to its end and everything is settled, after stop(), or when a finite line stops for good. */
	readonly ended: Promise<void>;
	restarts = 0;
	missed = 0;
	readonly links: Links;

	readonly #o: LineOptions;
	readonly #stages: Stage[] = [];
	/** start() has come to its end. */
	#up = false;
	#paused = false;
	#inTake = false;
	#acknowledged = 0;
	readonly #standstill: Standstill;
	readonly #ticks = new Ticks();
	#finishing: Promise<void> | undefined;
	#whenSettled: (() => void) | undefined;
	#whenResumed: (() => void) | undefined;
	#end!: () => void;

	constructor(options: LineOptions) {
		this.#o = options;
		this.ledger = new Ledger();
		this.failures = new Failures(options, this.ledger, () => this.#settle());
		this.links = new Links(options.name, options.log, this.failures);
		this.#standstill = new Standstill(options.name, options.log);
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
		this.#connectStages();
	}

	get name(): string {
		return this.#o.name;
	}

	/** Why the state is "stopped". */
	get reason(): WasieveError | undefined {
		return this.#standstill.reason;
	}

	get outputs(): number {
		return this.#stages.at(-1)?.outputs ?? 0;
	}

	get outputBytes(): number {
		return this.#stages.at(-1)?.outputBytes ?? 0;
	}

	get quarantineDiscarded(): number {
		return this.#o.quarantine.discarded ?? 0;
	}

	/** Units of fuel burnt by all filters; undefined when none is metered. */
	get fuel(): number | undefined {
		const burnt = this.#o.engines.flatMap(({ fuel }) => fuel ?? []);
		return burnt.length === 0 ? undefined : burnt.reduce((a, b) => a + b);
	}

	account(): Account {
		return this.ledger.account();
	}

	snapshot(): PipelineSnapshot {
		return snapshotOf(this);
	}

	/** The sink first: a persistent session delivers the moment the source connects. */
	async start(): Promise<void> {
		await this.#o.sink.start(this.#keeper());
		await this.#startFilters();
		if (this.#finishing !== undefined) throw stoppedEarly(this.name);
		for (const { engine } of this.#stages)
			this.#ticks.keep(engine, () => this.#tick(engine));
		await this.#o.source.start(this.#intake());
		this.#up = true;
		if (this.state === "starting") this.state = "running";
	}

	/** A filter that cannot start is tried again after each cool-down; until then no reading is taken. */
	async #startFilters(): Promise<void> {
		for (const stage of this.#stages) {
			while (!(await this.#startFilter(stage))) await this.#resumed();
		}
	}

	async #startFilter(stage: Stage): Promise<boolean> {
		if (this.#finishing !== undefined) throw stoppedEarly(this.name);
		try {
			await stage.engine.start(stage);
			return true;
		} catch (thrown) {
			if (this.#finishing !== undefined) throw thrown;
			this.#giveUp(asWasieveError(thrown));
			return false;
		}
	}

	#resumed(): Promise<void> {
		return new Promise((resolve) => {
			this.#whenResumed = resolve;
		});
	}

	/**
	 * Staged stop: no more readings in, filters flushed, outputs delivered, readings
	 * acknowledged, everything closed.
	 */
	stop(): Promise<void> {
		this.#finishing ??= this.#up ? this.#finish() : this.kill();
		return this.#finishing;
	}

	/** Lets go of everything at once; what is not settled stays unacknowledged. */
	async kill(): Promise<void> {
		this.#finishing ??= Promise.resolve();
		this.#stopTimers();
		for (const { engine } of this.#stages) await engine.close();
		await Promise.allSettled([this.#o.source.close(), this.#o.sink.close()]);
		await this.#o.quarantine.close();
		this.#close();
	}

	/**
	 * Takes a stopped pipeline up again, on command or after the cool-down. A filter that cannot start
	 * stops it again.
	 */
	async resume(): Promise<void> {
		if (this.state !== "stopped" || this.#finishing !== undefined) return;
		this.#standstill.end();
		this.state = this.#up ? "running" : "starting";
		this.#whenResumed?.();
		this.#whenResumed = undefined;
		if (this.#up) await this.#restartFilters();
		this.#settle();
		this.#flow();
	}

	async #restartFilters(): Promise<void> {
		try {
			for (const { engine } of this.#stages) await engine.restart();
			// Stopped again: the culprits wait for the next resume.
			if (this.state === "running") this.#standstill.feedAgain();
		} catch (thrown) {
			this.#giveUp(asWasieveError(thrown));
		}
	}

	/** Stops until resume(), whatever it was stopped for before: the source is paused. */
	halt(reason: WasieveError): void {
		this.state = "stopped";
		this.#standstill.begin(reason);
		this.#flow();
	}

	/** Stops because of the filter: tried again after the cool-down. */
	#giveUp(error: WasieveError): void {
		if (this.state === "stopped") return; // what stopped it first says until when
		this.halt(error);
		if (this.#finishing !== undefined) return;
		const { cooldown, finite } = this.#o;
		// Whoever waits for the end of a finite line waits for no filter that cannot start.
		if (finite && (cooldown === 0 || !this.#up)) this.#end();
		else if (cooldown > 0)
			this.#standstill.coolDown(cooldown, () => void this.resume());
	}

	/* ------------------------------------------------------------- wiring */

	#connectStages(): void {
		const { engines, sink, topic } = this.#o;
		for (let k = engines.length - 1; k >= 0; k--) {
			const next = this.#stages[0];
			const downstream = next ? intoEngine(next.engine) : intoSink(sink, topic);
			const stage: Stage = new Stage(
				engines[k] as Engine,
				this.ledger,
				downstream,
				this.#events(() => stage),
				next === undefined,
			);
			this.#stages.unshift(stage);
		}
	}

	#intake(): Intake {
		return {
			take: (batch) => this.#take(batch),
			refuse: (topic, payload, error) => this.#refuse(topic, payload, error),
			missed: (count) => {
				this.missed += count;
				this.failures.tell(PASSED_BY);
			},
			end: () => void this.stop().catch(() => this.kill()),
			health: (error) => this.links.say("source", error),
		};
	}

	#keeper(): Keeper {
		return {
			delivered: (n) => this.ledger.release(n),
			undeliverable: (n, error, topic, payload) => {
				this.failures.keep(n, topic, payload, error);
				this.ledger.release(n);
			},
			settle: () => this.#settle(),
			ready: () => this.#proceed(),
			health: (error) => this.links.say("sink", error),
		};
	}

	#events(stage: () => Stage): StageEvents {
		return {
			failed: (batch, i, error) => this.#failed(stage(), batch, i, error),
			consumed: () => this.#settle(),
			log: (text) =>
				this.#o.log.info({ pipeline: this.name, from: "filter" }, text),
			restarted: (error) => {
				this.restarts++;
				this.failures.tell(error);
			},
			ready: () => {
				this.#settle();
				this.#proceed();
			},
			stopped: (error) => this.#giveUp(error),
		};
	}

	#tick(engine: Engine): void {
		// What timers say has nowhere to go just now: they catch up, time being the gateway's to tell.
		if (this.#congested) return;
		engine.tick();
		this.#settle();
	}

	/* ------------------------------------------------------------ readings */

	#take(batch: Batch): number {
		const first = this.ledger.take(batch.count);
		for (let i = 0; i < batch.count; i++) batch.number[i] = first + i;
		this.latency.taken(first);
		this.#inTake = true;
		try {
			const admitted = admit(batch, this.#o, this.#turnAway);
			if (admitted.count > 0) this.#stages[0]?.engine.feed(admitted);
		} finally {
			this.#inTake = false;
		}
		// The source learns the numbers when take() returns: acknowledge after that.
		NOW.then(this.#settleAfterwards);
		this.#flow();
		return first;
	}

	readonly #settleAfterwards = (): void => this.#settle();

	/** Made once: a function for each batch would be garbage for each of thousands of pipelines. */
	readonly #turnAway = (
		batch: Batch,
		i: number,
		error: WasieveError | "expired",
	): void => {
		const n = batch.number[i] as number;
		if (error === "expired") this.ledger.drop(n, error);
		else this.#failed(undefined, batch, i, error);
		this.ledger.release(n);
	};

	#refuse(topic: string, payload: Buffer, error: WasieveError): number {
		const n = this.ledger.take(1);
		this.failures.keep(n, topic, payload, error);
		this.ledger.release(n);
		queueMicrotask(() => this.#settle());
		this.#flow();
		return n;
	}

	#failed(
		stage: Stage | undefined,
		batch: Batch,
		i: number,
		error: WasieveError,
	): void {
		if (i === NO_CAUSE) {
			this.failures.tell(error);
			return;
		}
		const n = batch.number[i] as number;
		if (this.#o.onError === "stop" && stage !== undefined) {
			this.ledger.hold(n);
			this.#standstill.blame(stage, batch, i);
			if (this.reason?.code !== "E_PIPELINE_ONERROR") this.halt(stopsOn(error));
			if (this.#o.finite) this.#end();
			return;
		}
		this.failures.keep(n, batch.topic(i), batch.payload(i), error);
	}

	/* ----------------------------------------------- acknowledgement, flow */

	#settle(): void {
		if (this.#inTake) return;
		const { low } = this.ledger;
		this.latency.settled(low);
		if (low !== this.#acknowledged) {
			this.#acknowledged = low;
			this.#o.source.acknowledge(low);
			if (this.#paused) this.#flow();
		}
		if (this.ledger.open === 0) this.#whenSettled?.();
	}

	/** Pauses the source while anything downstream has enough to do. */
	#flow(): void {
		const enough = this.#congested || this.ledger.open >= this.#o.window;
		if (enough === this.#paused) return;
		this.#paused = enough;
		if (enough) this.#o.source.pause();
		else this.#o.source.resume();
	}

	/** What waited for room downstream goes first, the end of the row before its beginning. */
	#proceed(): void {
		for (const { engine } of this.#stages.toReversed()) engine.proceed?.();
		this.#settle();
		this.#flow();
	}

	get #congested(): boolean {
		return (
			this.state === "stopped" ||
			!this.#o.sink.ready ||
			this.#stages.some((stage) => !stage.engine.ready)
		);
	}

	/* ---------------------------------------------------------------- stop */

	async #finish(): Promise<void> {
		await this.#o.source.stop();
		this.#stopTimers();
		for (const { engine } of this.#stages) await engine.end();
		await this.#o.sink.drain();
		await this.#settled();
		this.#settle();
		for (const { engine } of this.#stages) await engine.close();
		await this.#o.source.close();
		await this.#o.sink.close();
		await this.#o.quarantine.close();
		this.#close();
	}

	#settled(): Promise<void> {
		// What stopped the line stays unacknowledged, for the next start.
		if (this.ledger.open === 0 || this.state === "stopped") {
			return Promise.resolve();
		}
		return new Promise((resolve) => {
			this.#whenSettled = resolve;
		});
	}

	#stopTimers(): void {
		this.#standstill.forgetTimer();
		this.#ticks.stop();
	}

	#close(): void {
		if (this.state !== "stopped") this.state = "ended";
		this.#whenResumed?.(); // start() finds out that it is over
		this.#end();
	}
}

/** Its then() costs 18 ns, queueMicrotask() 50 to 110: that makes an object for the debugger each time. */
const NOW = Promise.resolve();
