// What grows with what: the gateway with its pipelines, a reading's time with its size.
import { Batch } from "#host/contract.js";
import { loadEngine, seen } from "../engine.mjs";
import { payloadOf } from "../load/readings.mjs";
import { mosquittoVersion } from "../mosquitto.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { overheat } from "../shipped.mjs";
import { figure } from "../table.mjs";
import { SETTLE_MS, weigh } from "./footprint.mjs";
import { byDevices, flood, newFilter, onOneStream } from "./many-filters.mjs";

const PIPELINES = [1, 10, 100, 1000];
const IDLE_MS = 6000;
/** Bytes of a reading. */
const SIZES = [64, 128, 512, 2048, 8192, 32_768, 65_536];
/** Bytes handed over at once, or one reading where that is larger. */
const BATCH = 65_536;

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function scale(plan) {
	const [gateway] = plan.gateways;
	/** @type {import("../table.mjs").Section[]} */
	const sections = [
		await readingSizes(plan),
		await byDevices(plan),
		await newFilter(),
	];
	if (!gateway) return sections;
	if (mosquittoVersion()) {
		sections.push(await pipelines(plan, gateway));
		sections.push(await onOneStream(plan, gateway));
	} else plan.say("scale, pipelines: skipped, mosquitto is not installed");
	return sections;
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @param {import("../subjects.mjs").Subject} subject
 * @returns {Promise<import("../table.mjs").Section>}
 */
async function pipelines(plan, subject) {
	const numbers = plan.quick ? PIPELINES.slice(0, 2) : PIPELINES;
	const wanted = numbers.map((number) => ({ name: String(number), number }));
	const samples = await interleave(
		wanted,
		plan.rounds,
		async ({ number }) => {
			const { rate, perFilter, foreign } = await flood(subject, number, plan);
			const own = await weigh(
				subject,
				number,
				SETTLE_MS,
				plan.quick ? SETTLE_MS : IDLE_MS,
			);
			return { ...own, rate, perFilter, foreign };
		},
		(line) => plan.say(`scale, pipelines, ${line}`),
	);
	return {
		title: "By pipelines",
		note: `All read the same topics, each with an instance and a limit of its own. Idle: connected and left alone, its CPU over ${plan.quick ? SETTLE_MS : IDLE_MS} ms; in use: after 300 readings, each seen by every pipeline. The rate is that of a flood, at QoS 0: each message is seen by every pipeline.`,
		columns: [
			"pipelines",
			"RSS idle MiB",
			"RSS in use MiB",
			"CPU idle µs/s",
			"start → first alert ms",
			"msg/s",
			"CPU µs/msg and filter",
		],
		rows: [...samples].map(([{ name }, own]) => [
			name,
			figure(pluck(own, "idle"), 1),
			figure(pluck(own, "used"), 1),
			figure(pluck(own, "idleCpu"), 0, 1e-6),
			figure(pluck(own, "startMs"), 0),
			figure(pluck(own, "rate"), 0),
			figure(pluck(own, "perFilter"), 3),
		]),
	};
}

/** @param {import("../run.mjs").Plan} plan */
async function readingSizes(plan) {
	const engine = await (await loadEngine(overheat().scalar))();
	const rounds = plan.quick ? 3 : Math.max(9, plan.rounds);
	const ms = plan.quick ? 10 : 100;
	const runs = SIZES.map((size) => ({
		size,
		batch: batchOf(size),
		values: /** @type {number[]} */ ([]),
	}));
	for (let round = -1; round < rounds; round++) {
		plan.say(`scale, reading sizes, round ${round + 1}/${rounds}`);
		for (const { batch, values } of runs) {
			const us = time(engine, batch, ms);
			if (round >= 0) values.push(us);
		}
	}
	await engine.close();
	return {
		title: "By size of the reading",
		note: "The embedded engine on one thread; the field that the filter looks at stands in front, a long text behind it, and all of it is checked to be JSON.",
		columns: ["bytes", "µs/reading", "MiB/s"],
		rows: runs.map(({ size, values }) => [
			size.toLocaleString("en-US"),
			figure(values, 2),
			{
				...figure(
					values.map((us) => (size / us) * (1e6 / 2 ** 20)),
					0,
				),
				unit: "MiB/s",
				better: /** @type {const} */ ("more"),
			},
		]),
	};
}

/** What a small device sends: its name is its topic's. */
const SHORT = '{"temperature":95.08,"humidity":66.9,"timestamp":1';
const NOTE = ',"note":""'.length;

/**
 * @param {number} size of each reading
 * @returns {Batch} hot readings
 */
function batchOf(size) {
	const count = Math.max(1, Math.floor(BATCH / size));
	const bare =
		size < payloadOf(0).length + NOTE ? SHORT : payloadOf(0).slice(0, -1);
	const text = "x".repeat(size - bare.length - NOTE - 1);
	const payload = `${bare},"note":"${text}"}`;
	const batch = new Batch(count);
	batch.bytes = Buffer.from(`${payload.repeat(count)}s/0`);
	const topicAt = payload.length * count;
	for (let i = 0; i < count; i++) {
		batch.payloadAt[i] = i * payload.length;
		batch.payloadEnd[i] = (i + 1) * payload.length;
		batch.topicIn[i] = batch.bytes;
		batch.topicAt[i] = topicAt;
		batch.topicEnd[i] = batch.userAt[i] = batch.userEnd[i] = topicAt + 3;
		batch.number[i] = i;
	}
	batch.count = count;
	return batch;
}

/**
 * @param {import("#host/contract.js").Engine} engine
 * @param {Batch} batch
 * @param {number} ms at least
 * @returns {number} µs a reading
 */
function time(engine, batch, ms) {
	seen.outputs = seen.consumed = 0;
	const begun = performance.now();
	let took = 0;
	do {
		engine.feed(batch);
		took = performance.now() - begun;
	} while (took < ms);
	if (seen.outputs !== seen.consumed)
		throw new Error(`${seen.outputs} alerts for ${seen.consumed} readings`);
	return (took * 1000) / seen.consumed;
}
