import type { Intake, PipelineSnapshot } from "../contract.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import type { Account } from "./ledger.js";
import { Links } from "./links.js";
import { stoppedEarly, stopsOn, withWay } from "./reasons.js";
import { type LineState, snapshotOf } from "./snapshot.js";
import type { Stage } from "./stage.js";
import { Standstill } from "./standstill.js";
import { Ticks } from "./ticks.js";
import { Traffic, type TrafficOptions } from "./traffic.js";

export interface LineOptions extends TrafficOptions {
	/** How long a stopped engine rests before it is tried again, ms; 0: until told. */
	cooldown: number;
	/** Nothing can come later but what is there now (files, stdin): a stop until told otherwise is the end. */
	finite: boolean;
	/** How it is taken up again by hand, for the hints. */
	resumeBy: string;
}

/** One pipeline's life: started from its end to its beginning, stopped and resumed, ended in stages. Its readings are {@link Traffic}. */
export class Line {
	state: LineState = "starting";
	readonly traffic: Traffic;
	readonly links: Links;
	/** Resolves when the source came to its end and everything is settled, after stop(), or when a finite line stops for good. */
	readonly ended: Promise<void>;

	readonly #o: LineOptions;
	readonly #standstill: Standstill;
	readonly #ticks = new Ticks();
	/** start() has come to its end. */
	#up = false;
	#finishing: Promise<void> | undefined;
	#whenResumed: (() => void) | undefined;
	#end!: () => void;

	constructor(options: LineOptions) {
		const { name, log } = options;
		this.#o = options;
		this.#standstill = new Standstill(name, log);
		this.traffic = new Traffic(options, this.#standstill, {
			failedToStop: (error) => this.#failedToStop(error),
			giveUp: (error) => this.#giveUp(error),
		});
		this.links = new Links(name, log, this.traffic.failures);
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
	}

	get name(): string {
		return this.#o.name;
	}

	/** Why the state is "stopped". */
	get reason(): WasieveError | undefined {
		return this.#standstill.reason;
	}

	get quarantineDiscarded(): number {
		return this.#o.quarantine.discarded ?? 0;
	}

	account(): Account {
		return this.traffic.ledger.account();
	}

	snapshot(): PipelineSnapshot {
		return snapshotOf(this);
	}

	/** The sink first: a persistent session delivers the moment the source connects. */
	async start(): Promise<void> {
		const { sink, source } = this.#o;
		await sink.start(
			this.traffic.keeper((error) => this.links.say("sink", error)),
		);
		await this.#startFilters();
		if (this.#finishing !== undefined) throw stoppedEarly(this.name);
		this.#keepTicks();
		await source.start(this.#intake());
		this.#up = true;
		if (this.state === "starting") this.state = "running";
	}

	/** A filter that cannot start is tried again after each cool-down; until then no reading is taken. */
	async #startFilters(): Promise<void> {
		const { stages } = this.traffic;
		const started = new Set<Stage>();
		for (const stage of stages) {
			while (!(await this.#startFilter(stage))) {
				await this.#resumed();
				// Those before it may have another module by now.
				for (const { engine } of started) await engine.restart();
			}
			started.add(stage);
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

	/** Other modules want others. */
	#keepTicks(): void {
		this.#ticks.stop();
		for (const { engine } of this.traffic.stages)
			this.#ticks.keep(engine, () => this.traffic.tick(engine));
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
		for (const { engine } of this.traffic.stages) await engine.close();
		await Promise.allSettled([this.#o.source.close(), this.#o.sink.close()]);
		await this.#o.quarantine.close();
		this.#close();
	}

	/**
	 * Takes a stopped pipeline up again, on command or after the cool-down, with the modules that the files hold by
	 * now. A filter that cannot start stops it again.
	 * @throws {WasieveError} what is wrong with a module: E_MODULE_*, E_CONFIG_KEY, E_PIPELINE_RESUME; it stays stopped
	 */
	async resume(): Promise<void> {
		if (!this.#stands) return;
		for (const { engine } of this.traffic.stages) await engine.renew?.();
		if (!this.#stands) return; // somebody else was faster
		this.#standstill.end();
		this.state = this.#up ? "running" : "starting";
		this.#whenResumed?.();
		this.#whenResumed = undefined;
		if (this.#up) await this.#restartFilters();
		this.traffic.settle();
		this.traffic.flow();
	}

	get #stands(): boolean {
		return this.state === "stopped" && this.#finishing === undefined;
	}

	async #restartFilters(): Promise<void> {
		try {
			for (const { engine } of this.traffic.stages) await engine.restart();
			this.#keepTicks();
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
		this.traffic.flow();
	}

	#failedToStop(error: WasieveError): void {
		const { finite, resumeBy: by } = this.#o;
		const way = { by, cooldown: 0, ends: finite };
		if (this.reason?.code !== "E_PIPELINE_ONERROR")
			this.halt(withWay(stopsOn(error), way));
		if (finite) this.#end();
	}

	/** Stops because of the filter: tried again after the cool-down. */
	#giveUp(error: WasieveError): void {
		if (this.state === "stopped") return; // what stopped it first says until when
		const { cooldown, finite, resumeBy: by } = this.#o;
		// Whoever waits for the end of a finite line waits for no filter that cannot start.
		const ends = finite && (cooldown === 0 || !this.#up);
		this.halt(withWay(error, { by, cooldown, ends }));
		if (this.#finishing !== undefined) return;
		if (ends) this.#end();
		else if (cooldown > 0) this.#tryLater();
	}

	#tryLater(): void {
		this.#standstill.coolDown(this.#o.cooldown, () =>
			this.resume().catch((thrown) => {
				this.#standstill.stays(asWasieveError(thrown));
				if (this.#stands) this.#tryLater();
			}),
		);
	}

	#intake(): Intake {
		const { traffic } = this;
		return {
			take: (batch) => traffic.take(batch),
			refuse: (topic, payload, error) => traffic.refuse(topic, payload, error),
			missed: (count) => traffic.miss(count),
			end: () => void this.stop().catch(() => this.kill()),
			health: (error) => this.links.say("source", error),
		};
	}

	async #finish(): Promise<void> {
		await this.#o.source.stop();
		this.#stopTimers();
		for (const { engine } of this.traffic.stages) await engine.end();
		await this.#o.sink.drain();
		// What stopped the line stays unacknowledged, for the next start.
		if (this.reason === undefined) await this.traffic.settled();
		this.traffic.settle();
		for (const { engine } of this.traffic.stages) await engine.close();
		await this.#o.source.close();
		await this.#o.sink.close();
		await this.#o.quarantine.close();
		this.#close();
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
