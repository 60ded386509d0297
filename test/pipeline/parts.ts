import {
	Batch,
	type Engine,
	type FailedReading,
	type Intake,
	type Keeper,
	type Log,
	type Outcomes,
	type OutputProperties,
	type Quarantine,
	type Sink,
	type Source,
} from "#host/contract.js";
import type { WasieveError } from "#host/errors.js";
import { Line, type LineOptions } from "#host/pipeline/line.js";
import { OutputTopic } from "#host/pipeline/topic.js";

/** Readings with a topic each: [topic, payload]. */
export function batchOf(
	...readings: [topic: string, payload: string][]
): Batch {
	const batch = new Batch(readings.length);
	const text = readings.map(([topic, payload]) => payload + topic).join("");
	batch.bytes = Buffer.from(text);
	let end = 0;
	for (const [topic, payload] of readings) {
		const k = batch.count++;
		batch.payloadAt[k] = end;
		end += Buffer.byteLength(payload);
		batch.payloadEnd[k] = end;
		batch.topicIn[k] = batch.bytes;
		batch.topicAt[k] = end;
		end += Buffer.byteLength(topic);
		batch.topicEnd[k] = end;
	}
	return batch;
}

/** What happened, in order, in words. */
export type Story = string[];

export class ScriptedSource implements Source {
	intake!: Intake;
	acknowledged = 0;
	paused = false;
	constructor(readonly story: Story) {}
	async start(intake: Intake): Promise<void> {
		this.story.push("source up");
		this.intake = intake;
	}
	pause(): void {
		this.paused = true;
	}
	resume(): void {
		this.paused = false;
	}
	acknowledge(below: number): void {
		this.acknowledged = below;
		this.story.push(`acknowledge ${below}`);
	}
	async stop(): Promise<void> {
		this.story.push("source stopped");
	}
	async close(): Promise<void> {
		this.story.push("source closed");
	}
}

type Work = (batch: Batch, outcomes: Outcomes) => void;

/** An engine that does what the test says; by default it passes every payload on. */
export class ScriptedEngine implements Engine {
	outcomes!: Outcomes;
	ready = true;
	tickEvery = 0;
	restarted = 0;
	renew?: () => Promise<void>;
	constructor(
		readonly story: Story,
		public work: Work = pass,
	) {}
	async start(outcomes: Outcomes): Promise<void> {
		this.story.push("engine up");
		this.outcomes = outcomes;
	}
	feed(batch: Batch): void {
		this.work(batch, this.outcomes);
	}
	tick(): void {}
	async end(): Promise<void> {
		this.story.push("engine ended");
	}
	async close(): Promise<void> {
		this.story.push("engine closed");
	}
	async restart(): Promise<void> {
		this.restarted++;
	}
}

export const pass: Work = (batch, outcomes) => {
	outcomes.begin();
	for (let i = 0; i < batch.count; i++) say(batch, i, outcomes);
	outcomes.commit();
	outcomes.consumed(batch, 0, batch.count);
};

export function say(
	batch: Batch,
	i: number,
	outcomes: Outcomes,
	text = batch.payload(i).toString(),
): void {
	const bytes = Buffer.from(text);
	outcomes.output(batch, i, bytes, 0, bytes.length, "");
}

export class ScriptedSink implements Sink {
	keeper!: Keeper;
	ready = true;
	/** What was written since the last commit. */
	#uncommitted: { n: number; topic: string; text: string }[] = [];
	committed: { n: number; topic: string; text: string }[] = [];
	constructor(readonly story: Story) {}
	async start(keeper: Keeper): Promise<void> {
		this.story.push("sink up");
		this.keeper = keeper;
	}
	write(
		n: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		{ topic, topicLength }: OutputProperties,
	): void {
		this.#uncommitted.push({
			n,
			topic: topic.toString("utf8", 0, topicLength),
			text: Buffer.from(bytes.subarray(start, end)).toString(),
		});
	}
	commit(): void {
		this.committed.push(...this.#uncommitted);
		this.#uncommitted = [];
	}
	rollback(): void {
		this.#uncommitted = [];
	}
	/** The far end has acknowledged the first `count` outputs. */
	deliver(count: number): void {
		for (const { n } of this.committed.splice(0, count)) {
			this.keeper.delivered(n);
		}
		this.keeper.settle();
	}
	async drain(): Promise<void> {
		this.story.push("sink drained");
		this.deliver(this.committed.length);
	}
	async close(): Promise<void> {
		this.story.push("sink closed");
	}
}

export class MemoryQuarantine implements Quarantine {
	kept: FailedReading[] = [];
	/** Set to make keeping fail. */
	error: WasieveError | undefined;
	keep(failed: FailedReading, kept: (error?: WasieveError) => void): void {
		this.kept.push({ ...failed, payload: Buffer.from(failed.payload) });
		kept(this.error);
	}
	async close(): Promise<void> {}
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A line of scripted parts. */
export function scriptedLine(
	options: Partial<LineOptions> = {},
	engines?: (story: Story) => ScriptedEngine[],
) {
	const story: Story = [];
	const source = new ScriptedSource(story);
	const made = engines?.(story) ?? [new ScriptedEngine(story)];
	const sink = new ScriptedSink(story);
	const quarantine = new MemoryQuarantine();
	const line = new Line({
		name: "test",
		source,
		engines: made,
		sink,
		quarantine,
		topic: new OutputTopic("out/{topic}", "#"),
		codec: "json",
		onError: "quarantine",
		window: 8,
		readingLimit: 64,
		cooldown: 60_000,
		finite: false,
		resumeBy: "POST /resume",
		clock: () => 1000,
		log: SILENT,
		...options,
	});
	const engine = made[0] as ScriptedEngine;
	return { line, source, engine, engines: made, sink, quarantine, story };
}
