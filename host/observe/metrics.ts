import { Counter, Gauge, type Metric, Registry } from "prom-client";
import type { PipelineSnapshot } from "../contract.js";
import { healthOf } from "./health.js";

/** Values of a label at most, per pipeline; a filter that invents drop reasons must not fill a Prometheus. */
const LABELS = 32;
/** Longest label value, characters. */
const LABEL = 80;
const STATES = ["starting", "running", "degraded", "stopped", "ended"] as const;

export interface Metrics {
	/** The exposition format, as of now. */
	text(): Promise<string>;
	readonly contentType: string;
}

type Value = [labels: Record<string, string>, value: number];

/**
 * Metrics of the pipelines. The hot path knows nothing of them: pipelines count in plain numbers anyway, and a
 * scrape asks for these.
 */
export function createMetrics(
	snapshots: () => Promise<readonly PipelineSnapshot[]>,
): Metrics {
	const registry = new Registry();
	let now: readonly PipelineSnapshot[] = [];
	for (const [name, help, label, values] of COUNTERS) {
		new Counter({
			name: `wasieve_${name}`,
			help,
			labelNames: label === undefined ? ["pipeline"] : ["pipeline", label],
			registers: [registry],
			collect() {
				this.reset();
				for (const [labels, value] of labelled(now, values)) {
					this.inc(labels, value);
				}
			},
		});
	}
	for (const [name, help, label, values] of GAUGES) {
		new Gauge({
			name: `wasieve_${name}`,
			help,
			labelNames: label === undefined ? ["pipeline"] : ["pipeline", label],
			registers: [registry],
			collect() {
				this.reset();
				for (const [labels, value] of labelled(now, values)) {
					this.set(labels, value);
				}
			},
		});
	}
	registry.registerMetric(readingSeconds(() => now));
	return {
		contentType: registry.contentType,
		async text() {
			now = await snapshots();
			return registry.metrics();
		},
	};
}

function labelled(
	snapshots: readonly PipelineSnapshot[],
	values: (each: PipelineSnapshot) => Value[],
): Value[] {
	return snapshots.flatMap((each) =>
		values(each).map(
			([labels, value]): Value => [{ pipeline: each.name, ...labels }, value],
		),
	);
}

type Row = readonly [
	name: string,
	help: string,
	label: string | undefined,
	values: (each: PipelineSnapshot) => Value[],
];

const COUNTERS: readonly Row[] = [
	[
		"readings_taken_total",
		"Readings taken from the source. taken = emitted + dropped + failed + open.",
		undefined,
		(each) => [[{}, each.taken]],
	],
	[
		"readings_emitted_total",
		"Readings that caused at least one output.",
		undefined,
		(each) => [[{}, each.emitted]],
	],
	[
		"readings_dropped_total",
		"Readings that the filter dropped, by reason.",
		"reason",
		(each) => bounded("reason", each.droppedBy),
	],
	[
		"readings_failed_total",
		"Readings that failed, by error code (docs/errors.md).",
		"code",
		(each) => bounded("code", each.failedBy),
	],
	[
		"readings_missed_total",
		"Readings that passed by while the pipeline paused and others on the same connection went on (QoS 0); not among those taken.",
		undefined,
		(each) => [[{}, each.missed]],
	],
	[
		"outputs_total",
		"Messages written to the sink.",
		undefined,
		(each) => [[{}, each.outputs]],
	],
	[
		"output_bytes_total",
		"Payload bytes written to the sink.",
		undefined,
		(each) => [[{}, each.outputBytes]],
	],
	[
		"filter_restarts_total",
		"Instances that died and were replaced.",
		undefined,
		(each) => [[{}, each.restarts]],
	],
	[
		"filter_fuel_total",
		"Units of fuel burnt (modules that run inline).",
		undefined,
		(each) => (each.fuel === undefined ? [] : [[{}, each.fuel]]),
	],
	[
		"quarantine_lost_total",
		"Failed readings that the quarantine could not keep.",
		undefined,
		(each) => [[{}, each.quarantineLost]],
	],
	[
		"quarantine_discarded_total",
		"Readings in the quarantine that made room for younger ones.",
		undefined,
		(each) => [[{}, each.quarantineDiscarded ?? 0]],
	],
];

const GAUGES: readonly Row[] = [
	[
		"readings_open",
		"Readings taken and not yet settled.",
		undefined,
		(each) => [[{}, each.open]],
	],
	[
		"connected",
		"1 while the source or sink is connected (a file: open).",
		"end",
		({ source, sink }) => [
			[{ end: "source" }, Number(source.connected)],
			[{ end: "sink" }, Number(sink.connected)],
		],
	],
	[
		"pipeline_state",
		"1 for the state the pipeline is in.",
		"state",
		(each) => {
			const current = healthOf([each]).pipelines[each.name]?.state;
			return STATES.map((state) => [{ state }, Number(state === current)]);
		},
	],
];

/** Counts by label value, the smallest of too many together as "other". */
function bounded(label: string, counts: Record<string, number>): Value[] {
	const short = new Map<string, number>();
	for (const [key, count] of Object.entries(counts)) {
		const name = key.slice(0, LABEL);
		const fits = short.has(name) || short.size < LABELS;
		const into = fits ? name : "other";
		short.set(into, (short.get(into) ?? 0) + count);
	}
	return [...short].map(([name, count]) => [{ [label]: name }, count]);
}

/** Upper bounds, seconds: 2^-15 (31 µs) to 2^4 (16 s), each twice the one before. */
const BOUNDS = Array.from({ length: 20 }, (_, k) => 2 ** (k - 15));

/**
 * The histogram that pipelines have kept already. prom-client's own can only observe value by value, but a
 * registry takes whatever answers get().
 */
function readingSeconds(now: () => readonly PipelineSnapshot[]): Metric {
	const name = "wasieve_reading_seconds";
	const metric = {
		name,
		async get() {
			return {
				name,
				help: "Time from taking a reading to its settlement, sampled.",
				type: "histogram",
				aggregator: "sum",
				values: now().flatMap((each) => latencyValues(name, each)),
			};
		},
	};
	return metric as unknown as Metric;
}

function latencyValues(
	name: string,
	{ name: pipeline, latency }: PipelineSnapshot,
) {
	const { bounds, counts, sum, samples } = latency;
	const value = (suffix: string, value: number, more = {}) => ({
		metricName: `${name}_${suffix}`,
		labels: { pipeline, ...more },
		value,
	});
	const below = (seconds: number) =>
		counts.reduce(
			(total, count, k) =>
				(bounds[k] as number) <= seconds * 1000 ? total + count : total,
			0,
		);
	return [
		...BOUNDS.map((le) => value("bucket", below(le), { le })),
		value("bucket", samples, { le: "+Inf" }),
		value("sum", sum / 1000),
		value("count", samples),
	];
}
