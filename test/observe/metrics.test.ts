import { expect, test } from "vitest";
import { createMetrics } from "#host/observe/metrics.js";
import { snapshot } from "./snapshots.js";

async function scrape(...snapshots: Parameters<typeof snapshot>[0][]) {
	const text = await createMetrics(async () => snapshots.map(snapshot)).text();
	return text
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("#"));
}

test("every number of a pipeline, by name", async () => {
	const lines = await scrape({
		fuel: 7,
		quarantineLost: 3,
		quarantineDiscarded: 9,
	});
	expect(lines.filter((line) => !line.includes("_bucket"))).toEqual([
		'wasieve_readings_taken_total{pipeline="overheat"} 10',
		'wasieve_readings_emitted_total{pipeline="overheat"} 4',
		'wasieve_readings_dropped_total{pipeline="overheat",reason="none"} 2',
		'wasieve_readings_dropped_total{pipeline="overheat",reason="too old"} 1',
		'wasieve_readings_failed_total{pipeline="overheat",code="E_GUEST_REJECT"} 2',
		'wasieve_readings_missed_total{pipeline="overheat"} 0',
		'wasieve_outputs_total{pipeline="overheat"} 5',
		'wasieve_output_bytes_total{pipeline="overheat"} 500',
		'wasieve_filter_restarts_total{pipeline="overheat"} 1',
		'wasieve_filter_fuel_total{pipeline="overheat"} 7',
		'wasieve_quarantine_lost_total{pipeline="overheat"} 3',
		'wasieve_quarantine_discarded_total{pipeline="overheat"} 9',
		'wasieve_readings_open{pipeline="overheat"} 1',
		'wasieve_connected{pipeline="overheat",end="source"} 1',
		'wasieve_connected{pipeline="overheat",end="sink"} 1',
		'wasieve_pipeline_state{pipeline="overheat",state="starting"} 0',
		'wasieve_pipeline_state{pipeline="overheat",state="running"} 1',
		'wasieve_pipeline_state{pipeline="overheat",state="degraded"} 0',
		'wasieve_pipeline_state{pipeline="overheat",state="stopped"} 0',
		'wasieve_pipeline_state{pipeline="overheat",state="ended"} 0',
		'wasieve_reading_seconds_sum{pipeline="overheat"} 0.03',
		'wasieve_reading_seconds_count{pipeline="overheat"} 4',
	]);
});

test("latency as a histogram: buckets never sink, and the last one has all", async () => {
	const buckets = (await scrape({}))
		.filter((line) => line.includes("_bucket"))
		.map((line) => [
			/le="([^"]*)"/.exec(line)?.[1],
			Number(line.split(" ").at(-1)),
		]);
	const counts = buckets.map(([, count]) => count as number);
	expect(counts).toEqual(counts.toSorted((a, b) => a - b));
	expect(buckets.at(-1)).toEqual(["+Inf", 4]);
	// 0.5 ms, 1 ms, 1 ms and 64 ms
	expect(buckets.find(([le]) => le === "0.0009765625")).toEqual([
		"0.0009765625",
		1,
	]);
	expect(buckets.find(([le]) => le === "0.001953125")).toEqual([
		"0.001953125",
		3,
	]);
	expect(buckets.find(([le]) => le === "0.0625")).toEqual(["0.0625", 3]);
	expect(buckets.find(([le]) => le === "0.125")).toEqual(["0.125", 4]);
});

test("a filter that invents reasons fills no Prometheus, and none is lost", async () => {
	const droppedBy = Object.fromEntries(
		Array.from({ length: 5000 }, (_, i) => [`${i}${"x".repeat(500)}\n"`, 1]),
	);
	const lines = (await scrape({ droppedBy })).filter((line) =>
		line.includes("dropped_total"),
	);
	expect(lines).toHaveLength(33);
	expect(lines.at(-1)).toBe(
		'wasieve_readings_dropped_total{pipeline="overheat",reason="other"} 4968',
	);
	for (const line of lines) expect(line.length).toBeLessThan(200);
});

test("each scrape asks anew; a pipeline that is gone is gone", async () => {
	let now = [snapshot({ taken: 1 })];
	const metrics = createMetrics(async () => now);
	expect(await metrics.text()).toContain(
		'taken_total{pipeline="overheat"} 1\n',
	);
	now = [snapshot({ name: "other", taken: 2 })];
	const text = await metrics.text();
	expect(text).toContain('taken_total{pipeline="other"} 2\n');
	expect(text).not.toContain("overheat");
	expect(metrics.contentType).toContain("text/plain");
});

test("every metric has a help line and a type", async () => {
	const text = await createMetrics(async () => [snapshot()]).text();
	expect(text.match(/^# HELP \w+ \S/gm)).toHaveLength(15);
	expect(text.match(/^# TYPE \w+ (counter|gauge|histogram)$/gm)).toHaveLength(
		15,
	);
});
