import {
	Batch,
	type Engine,
	NO_NUMBER,
	type Outcomes,
	type OutputProperties,
	type Sink,
} from "../contract.js";
import type { WasieveError } from "../errors.js";
import type { Ledger } from "./ledger.js";
import type { OutputTopic } from "./topic.js";

/** Where a stage's outputs go: the sink, or the next filter in the row. */
export interface Downstream {
	/** It has enough for now. */
	readonly congested: boolean;
	/** Takes an output that reading i caused; returns an error when it cannot go there. */
	write(
		n: number,
		batch: Batch,
		i: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		suffix: string,
	): WasieveError | undefined;
	commit(): void;
	rollback(): void;
}

/** What a stage tells the line. */
export interface StageEvents {
	/** Reading i failed for good; its hold in the ledger is the line's until it is kept. */
	failed(batch: Batch, i: number, error: WasieveError): void;
	/** The filter is done with readings, which may have been all that they waited for. */
	consumed(): void;
	log(text: string): void;
	restarted(error: WasieveError): void;
	ready(): void;
	stopped(error: WasieveError): void;
}

/** A failure of the running transaction, applied at commit. */
interface Failure {
	batch: Batch;
	i: number;
	error: WasieveError;
}

/**
 * One filter's place in the row. Collects what the engine says between begin() and commit()
 * and writes it into the ledger: an engine that rolls back leaves no trace.
 */
export class Stage implements Outcomes {
	/** Outputs and their bytes, for the metrics. */
	outputs = 0;
	outputBytes = 0;
	readonly #held: number[] = [];
	readonly #dropped: number[] = [];
	readonly #reasons: string[] = [];
	readonly #failures: Failure[] = [];
	#bytes = 0;
	/** Whether any of these has something: most transactions of a filter say nothing. */
	#said = false;

	constructor(
		readonly engine: Engine,
		readonly ledger: Ledger,
		readonly downstream: Downstream,
		readonly events: StageEvents,
		/** Only the last stage's outputs leave the pipeline. */
		readonly last: boolean,
	) {}

	get congested(): boolean {
		return this.downstream.congested;
	}

	begin(): void {
		this.#forget();
	}

	output(
		batch: Batch,
		i: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		suffix: string,
	): void {
		const n = i < 0 ? NO_NUMBER : (batch.number[i] as number);
		const error = this.downstream.write(n, batch, i, bytes, start, end, suffix);
		if (error !== undefined) {
			this.fail(batch, i, error);
			return;
		}
		this.#held.push(n);
		this.#bytes += end - start;
		this.#said = true;
	}

	drop(batch: Batch, i: number, reason: string): void {
		this.#dropped.push(batch.number[i] as number);
		this.#reasons.push(reason);
		this.#said = true;
	}

	fail(batch: Batch, i: number, error: WasieveError): void {
		this.#failures.push({ batch, i, error });
		this.#said = true;
	}

	commit(): void {
		if (!this.#said) return;
		for (const n of this.#held) {
			this.ledger.hold(n);
			if (this.last) this.ledger.emit(n);
		}
		this.outputs += this.#held.length;
		this.outputBytes += this.#bytes;
		for (let k = 0; k < this.#dropped.length; k++) {
			this.ledger.drop(this.#dropped[k] as number, this.#reasons[k] as string);
		}
		for (const { batch, i, error } of this.#failures) {
			this.events.failed(batch, i, error);
		}
		this.#forget();
		this.downstream.commit();
	}

	rollback(): void {
		this.#forget();
		this.downstream.rollback();
	}

	consumed(batch: Batch, from: number, to: number): void {
		for (let i = from; i < to; i++) {
			this.ledger.release(batch.number[i] as number);
		}
		this.events.consumed();
	}

	log(text: string): void {
		this.events.log(text);
	}

	restarted(error: WasieveError): void {
		this.events.restarted(error);
	}

	ready(): void {
		this.events.ready();
	}

	stopped(error: WasieveError): void {
		this.events.stopped(error);
	}

	/** Shortening an array takes its memory away, also where there is nothing to shorten. */
	#forget(): void {
		if (!this.#said) return;
		this.#said = false;
		if (this.#held.length > 0) this.#held.length = 0;
		if (this.#dropped.length > 0) this.#dropped.length = 0;
		if (this.#reasons.length > 0) this.#reasons.length = 0;
		if (this.#failures.length > 0) this.#failures.length = 0;
		this.#bytes = 0;
	}
}

/** Sends outputs to the sink, under the topic the template gives them. */
export function intoSink(
	sink: Sink,
	topic: OutputTopic | undefined,
): Downstream {
	const properties: OutputProperties = {
		topic: topic?.bytes ?? Buffer.alloc(0),
		topicLength: 0,
		user: Buffer.alloc(0),
		userAt: 0,
		userEnd: 0,
		expires: Number.POSITIVE_INFINITY,
	};
	return {
		get congested() {
			return !sink.ready;
		},
		write(n, batch, i, bytes, start, end, suffix) {
			if (topic !== undefined) {
				const error = topic.render(batch, i, bytes, start, end, suffix);
				if (error !== undefined) return error;
				properties.topicLength = topic.length;
			}
			const caused = i >= 0;
			properties.user = batch.bytes;
			properties.userAt = caused ? (batch.userAt[i] as number) : 0;
			properties.userEnd = caused ? (batch.userEnd[i] as number) : 0;
			properties.expires = caused
				? (batch.expires[i] as number)
				: Number.POSITIVE_INFINITY;
			sink.write(n, bytes, start, end, properties);
			return undefined;
		},
		commit: () => sink.commit(),
		rollback: () => sink.rollback(),
	};
}

/** Bytes of one relayed batch; an output larger than that gets one of its own. */
const RELAY_BYTES = 65_536;

/** Collects outputs as readings of the next filter in the row, under their reading's number and topic. */
export function intoEngine(engine: Engine): Downstream {
	let batches: Batch[] = [];
	return {
		get congested() {
			return !engine.ready;
		},
		write(_n, batch, i, bytes, start, end) {
			const size = end - start + (i < 0 ? 0 : batch.sizeOf(i));
			let last = batches.at(-1);
			if (last === undefined || !last.roomFor(size)) {
				last = new Batch(1024);
				last.bytes = Buffer.allocUnsafe(Math.max(RELAY_BYTES, size));
				batches.push(last);
			}
			last.append(batch, i, bytes, start, end);
			return undefined;
		},
		commit() {
			const ready = batches;
			batches = [];
			for (const batch of ready) engine.feed(batch);
		},
		rollback() {
			batches = [];
		},
	};
}
