import {
	type Batch,
	type Engine,
	type Keeper,
	NO_CAUSE,
	type Sink,
	type Source,
} from "../contract.js";
import type { WasieveError } from "../errors.js";
import { admit, type Door } from "./admit.js";
import { Failures, type FailuresOptions } from "./failures.js";
import { Latency } from "./latency.js";
import { Ledger } from "./ledger.js";
import { PASSED_BY } from "./reasons.js";
import { intoEngine, intoSink, Stage, type StageEvents } from "./stage.js";
import type { Standstill } from "./standstill.js";
import type { OutputTopic } from "./topic.js";

export interface TrafficOptions extends Door, FailuresOptions {
	source: Source;
	/** One per filter, in the order the readings pass them. */
	engines: readonly Engine[];
	sink: Sink;
	/** Undefined for sinks without topics. */
	topic: OutputTopic | undefined;
	/** Readings in flight beyond which the source is paused. */
	window: number;
}

/** What readings and filters make a line do. */
export interface Supervisor {
	/** A reading has failed and onError is "stop". */
	failedToStop(error: WasieveError): void;
	/** A filter has stopped. */
	giveUp(error: WasieveError): void;
}

/**
 * A line's readings on their way: numbered, handed from filter to filter, settled and acknowledged.
 *
 *   take ─▶ admit ─▶ stage ─▶ … ─▶ stage ─▶ sink
 *     │ +1             hold per output          │ release per PUBACK
 *     └───────────── ledger.low ◀───────────────┘ ─▶ source.acknowledge(low)
 */
export class Traffic {
	// What each reading needs comes first and so lies together: when the next reading of a slow stream comes,
	// a thousand lines have left the cache.
	readonly ledger = new Ledger();
	readonly latency = new Latency();
	readonly stages: Stage[] = [];
	#paused = false;
	#inTake = false;
	#acknowledged = 0;
	#whenSettled: (() => void) | undefined;

	readonly failures: Failures;
	/** Instances of filters that died and were replaced. */
	restarts = 0;
	/** Readings that passed by while the line paused. */
	missed = 0;
	/** Outputs that the sink refused or could not write. */
	undelivered = 0;

	constructor(
		private readonly o: TrafficOptions,
		private readonly standstill: Standstill,
		private readonly supervisor: Supervisor,
	) {
		this.failures = new Failures(o, this.ledger, () => this.settle());
		this.#connectStages();
	}

	#connectStages(): void {
		const { engines, sink, topic } = this.o;
		for (let k = engines.length - 1; k >= 0; k--) {
			const next = this.stages[0];
			const downstream = next ? intoEngine(next.engine) : intoSink(sink, topic);
			const stage: Stage = new Stage(
				engines[k] as Engine,
				this.ledger,
				downstream,
				this.#events(() => stage),
				next === undefined,
			);
			this.stages.unshift(stage);
		}
	}

	#events(stage: () => Stage): StageEvents {
		const { log, name } = this.o;
		return {
			failed: (batch, i, error) => this.#failed(stage(), batch, i, error),
			consumed: () => this.settle(),
			log: (text) => log.info({ pipeline: name, from: "filter" }, text),
			restarted: (error) => {
				this.restarts++;
				this.failures.tell(error);
			},
			ready: () => {
				this.settle();
				this.proceed();
			},
			stopped: (error) => this.supervisor.giveUp(error),
		};
	}

	/** What the sink is to say to. */
	keeper(health: Keeper["health"]): Keeper {
		return {
			delivered: (n) => this.ledger.release(n),
			undeliverable: (n, error, topic, payload) => {
				this.undelivered++;
				this.failures.keep(n, topic, payload, error);
				this.ledger.release(n);
			},
			settle: () => this.settle(),
			ready: () => this.proceed(),
			health,
		};
	}

	/* -------------------------------------------------------------- counted */

	get outputs(): number {
		return this.stages.at(-1)?.outputs ?? 0;
	}

	get outputBytes(): number {
		return this.stages.at(-1)?.outputBytes ?? 0;
	}

	/** Units of fuel burnt by all filters; undefined when none is metered. */
	get fuel(): number | undefined {
		const burnt = this.o.engines.flatMap(({ fuel }) => fuel ?? []);
		return burnt.length === 0 ? undefined : burnt.reduce((a, b) => a + b);
	}

	/* ------------------------------------------------------------ readings */

	take(batch: Batch): number {
		const first = this.ledger.take(batch.count);
		for (let i = 0; i < batch.count; i++) batch.number[i] = first + i;
		this.latency.taken(first);
		this.#inTake = true;
		try {
			const admitted = admit(batch, this.o, this.#turnAway);
			if (admitted.count > 0) this.stages[0]?.engine.feed(admitted);
		} finally {
			this.#inTake = false;
		}
		this.settle();
		this.flow();
		return first;
	}

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

	/** A reading that the source had to refuse. */
	refuse(topic: string, payload: Buffer, error: WasieveError): number {
		const n = this.ledger.take(1);
		this.failures.keep(n, topic, payload, error);
		this.ledger.release(n);
		this.settle();
		this.flow();
		return n;
	}

	miss(count: number): void {
		this.missed += count;
		this.failures.tell(PASSED_BY);
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
		if (this.o.onError === "stop" && stage !== undefined) {
			this.ledger.hold(n);
			this.standstill.blame(stage, batch, i);
			this.supervisor.failedToStop(error);
			return;
		}
		this.failures.keep(n, batch.topic(i), batch.payload(i), error);
	}

	/** Lets timers of a filter fire. */
	tick(engine: Engine): void {
		// What timers say has nowhere to go just now: they catch up, time being the gateway's to tell.
		if (this.#congested) return;
		engine.tick();
		this.settle();
	}

	/* ----------------------------------------------- acknowledgement, flow */

	/** Acknowledges what is settled. */
	settle(): void {
		if (this.#inTake) return;
		const { low } = this.ledger;
		this.latency.settled(low);
		if (low !== this.#acknowledged) {
			this.#acknowledged = low;
			this.o.source.acknowledge(low);
			if (this.#paused) this.flow();
		}
		if (this.ledger.open === 0) this.#whenSettled?.();
	}

	/** Resolves when nothing is open. */
	settled(): Promise<void> {
		if (this.ledger.open === 0) return Promise.resolve();
		return new Promise((resolve) => {
			this.#whenSettled = resolve;
		});
	}

	/** Pauses the source while anything downstream has enough to do. */
	flow(): void {
		const enough = this.#congested || this.ledger.open >= this.o.window;
		if (enough === this.#paused) return;
		this.#paused = enough;
		if (enough) this.o.source.pause();
		else this.o.source.resume();
	}

	/** What waited for room downstream goes first, the end of the row before its beginning. */
	proceed(): void {
		for (const { engine } of this.stages.toReversed()) engine.proceed?.();
		this.settle();
		this.flow();
	}

	get #congested(): boolean {
		return (
			this.standstill.reason !== undefined ||
			!this.o.sink.ready ||
			this.stages.some((stage) => !stage.engine.ready)
		);
	}
}
