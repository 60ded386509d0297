// Many filters in one gateway: a thousand on one stream, one more in a gateway that runs, many devices in one filter.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Batch } from "#host/contract.js";
import { whileAlive } from "../children.mjs";
import { loadEngine, seen } from "../engine.mjs";
import { now } from "../load/clock.mjs";
import { openProbe } from "../load/probe.mjs";
import { payloadOf } from "../load/readings.mjs";
import { startMosquitto } from "../mosquitto.mjs";
import { cpuOf, memoryOf } from "../proc.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { ROOT } from "../subjects.mjs";
import { figure } from "../table.mjs";
import { pourInto } from "./capacity.mjs";

const FILTERS = 1000;
/** Readings a second of the slow stream. */
const SLOW = 100;
/** Readings before that are not measured: V8 has not compiled what it runs. */
const WARM = 500;
const NEW_FILTERS = 40;
const DEVICES = [1, 10, 100, 1000, 10_000];

/**
 * @param {import("../run.mjs").Plan} plan
 * @param {import("../subjects.mjs").Subject} subject
 * @returns {Promise<import("../table.mjs").Section>}
 */
export async function onOneStream(plan, subject) {
	const filters = plan.quick ? FILTERS / 10 : FILTERS;
	const ways = [
		{ name: `${SLOW} msg/s`, run: slow },
		{ name: "flood", run: flood },
	];
	const samples = await interleave(
		ways,
		plan.rounds,
		({ run }) => run(subject, filters, plan),
		(line) => plan.say(`scale, ${filters} filters on one stream, ${line}`),
	);
	const all = ways.map((way) => samples.get(way) ?? []);
	const used = all.flatMap((each) => pluck(each, "used"));
	const perFilter = all.flatMap((each) => pluck(each, "perFilter"));
	return {
		title: `${filters.toLocaleString("en-US")} filters on one stream`,
		note: `Each filter is a pipeline of its own with a limit of its own; all read the same topics at QoS 0. The slow stream is measured after ${WARM} readings. Elsewhere, on another machine, eKuiper 2.4.0 took 257 MB and 8 to 11 µs per message and filter for 1,000 rules on a shared stream; it is not run here.`,
		columns: ["", "msg/s", "CPU µs/msg and filter", "RSS MiB"],
		rows: ways.map(({ name }, k) => [
			name,
			figure(pluck(all[k], "rate"), 0),
			figure(pluck(all[k], "perFilter"), 3),
			figure(pluck(all[k], "used"), 1),
		]),
		...(filters === FILTERS && {
			aims: [
				{
					text: "1,000 filters on one stream, RSS",
					aim: "≤ 100 MB",
					values: used.map((mib) => mib * 1.048576),
					digits: 0,
					met: (/** @type {number} */ mb) => mb <= 100,
				},
				{
					text: "1,000 filters on one stream, CPU per message and filter",
					aim: "≤ 2 µs",
					values: perFilter,
					digits: 2,
					met: (/** @type {number} */ us) => us <= 2,
				},
			],
		}),
	};
}

/**
 * @param {import("../subjects.mjs").Subject} subject
 * @param {number} filters
 * @param {import("../run.mjs").Plan} plan
 */
async function slow(subject, filters, { ms }) {
	const mosquitto = await startMosquitto("defaults");
	const probe = await openProbe(mosquitto.port);
	const { port } = mosquitto;
	const gateway = await subject.start({ port, qos: 0, pipelines: filters });
	try {
		const { pid, child } = gateway;
		await whileAlive(probe.first, [child], 60_000, subject.name);
		await probe.send(WARM);
		await delay(1000);
		const count = Math.ceil((ms / 1000) * SLOW);
		const [begun, before] = [now(), cpuOf(pid)];
		await probe.send(count, 1000 / SLOW);
		await delay(200);
		const cpu = cpuOf(pid) - before;
		return {
			rate: (count / (now() - begun)) * 1000,
			perFilter: cpu / count / filters,
			used: memoryOf(pid),
		};
	} finally {
		probe.close();
		await gateway.stop();
		await mosquitto.stop();
	}
}

/**
 * @param {import("../subjects.mjs").Subject} subject
 * @param {number} filters
 * @param {import("../run.mjs").Plan} plan
 */
export async function flood(subject, filters, plan) {
	let used = 0;
	const many = {
		name: subject.name,
		/** @type {import("../subjects.mjs").Subject["start"]} */
		async start(where) {
			const gateway = await subject.start({ ...where, pipelines: filters });
			return {
				...gateway,
				stop() {
					used = memoryOf(gateway.pid);
					return gateway.stop();
				},
			};
		},
	};
	// What lies in the kernel's buffers when the flood ends takes a while with so many filters.
	const span = { ...plan, dryMs: 180_000 };
	const { rate, cpu, foreign } = await pourInto(many, 0, span);
	return { rate, perFilter: cpu / filters, foreign, used };
}

/**
 * A filter that this process has never seen, from its bytes to its first output, while others run.
 *
 * @returns {Promise<import("../table.mjs").Section>}
 */
export async function newFilter() {
	const bytes = readFileSync(`${ROOT}/build/overheat.wasm`);
	const reading = batchOf([payloadOf(0)]);
	/** @type {import("#host/contract.js").Engine[]} */
	const engines = [];
	/** @type {number[]} */
	const fresh = [];
	/** @type {number[]} */
	const another = [];
	for (let k = 0; k < NEW_FILTERS; k++) {
		const own = Buffer.concat([bytes, customSection(k)]);
		fresh.push(await toFirstOutput(() => loadEngine(own)));
		const known = await loadEngine(own);
		another.push(await toFirstOutput(async () => known));
	}
	for (const engine of engines) await engine.close();
	const warm = fresh.slice(NEW_FILTERS / 4);
	return {
		title: "A new filter in a gateway that runs",
		note: "From the module's bytes in memory to its first output: checked, metered, compiled, instantiated, one reading. The first quarter, in which V8 warms up, is not counted.",
		columns: ["", "ms"],
		rows: [
			["a module never seen before", figure(warm, 2)],
			[
				"one more instance of a known module",
				figure(another.slice(NEW_FILTERS / 4), 3),
			],
		],
		aims: [
			{
				text: "a new filter in a running gateway, bytes → first output",
				aim: "≤ 1 ms",
				values: warm,
				digits: 2,
				met: (ms) => ms <= 1,
			},
		],
	};

	/** @param {() => Promise<() => Promise<import("#host/contract.js").Engine>>} load */
	async function toFirstOutput(load) {
		seen.outputs = 0;
		const begun = performance.now();
		const engine = await (await load())();
		engine.feed(reading);
		const took = performance.now() - begun;
		if (seen.outputs !== 1) throw new Error(`${seen.outputs} alerts, not 1`);
		engines.push(engine);
		return took;
	}
}

/**
 * A section that makes a module another one.
 *
 * @param {number} k
 */
function customSection(k) {
	const name = `n${k}`;
	return Buffer.from([0, name.length + 1, name.length, ...Buffer.from(name)]);
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section>}
 */
export async function byDevices(plan) {
	const bytes = readFileSync(`${ROOT}/build/deadband.wasm`);
	const rounds = plan.quick ? 3 : Math.max(9, plan.rounds);
	/** @type {Map<number, number[]>} */
	const samples = new Map(DEVICES.map((devices) => [devices, []]));
	const engine = await (await loadEngine(bytes))();
	for (let round = -1; round < rounds; round++) {
		plan.say(`scale, topics, round ${round + 1}/${rounds}`);
		for (const [devices, values] of samples) {
			const us = time(engine, devices, plan.quick ? 10 : 100);
			if (round >= 0) values.push(us);
		}
	}
	await engine.close();
	return {
		title: "By topics",
		note: "The embedded engine on one thread runs deadband, which keeps the last value of each device; every topic is a device, readings come in turn.",
		columns: ["topics", "µs/reading"],
		rows: [...samples].map(([devices, values]) => [
			devices.toLocaleString("en-US"),
			figure(values, 3),
		]),
	};
}

/**
 * @param {import("#host/contract.js").Engine} engine
 * @param {number} devices
 * @param {number} ms at least
 * @returns {number} µs a reading
 */
function time(engine, devices, ms) {
	const batches = batchesOf(devices);
	seen.consumed = 0;
	const begun = performance.now();
	let took = 0;
	do {
		for (const batch of batches) engine.feed(batch);
		took = performance.now() - begun;
	} while (took < ms);
	return (took * 1000) / seen.consumed;
}

/** @param {number} devices */
function batchesOf(devices) {
	const count = Math.max(devices, 500);
	const all = Array.from({ length: count }, (_, n) =>
		payloadOf(n).replace("press-627", `press-${n % devices}`),
	);
	return Array.from({ length: Math.ceil(count / 500) }, (_, k) =>
		batchOf(all.slice(k * 500, (k + 1) * 500), k * 500, devices),
	);
}

/**
 * @param {readonly string[]} payloads
 * @param {number} [first]
 * @param {number} [topics]
 */
function batchOf(payloads, first = 0, topics = 1) {
	const batch = new Batch(payloads.length);
	const texts = payloads.map((payload, i) => [
		payload,
		`s/${(first + i) % topics}`,
	]);
	batch.bytes = Buffer.from(texts.flat().join(""));
	let at = 0;
	for (const [payload = "", topic = ""] of texts) {
		const i = batch.count++;
		batch.payloadAt[i] = at;
		batch.topicIn[i] = batch.bytes;
		batch.payloadEnd[i] = batch.topicAt[i] = at += payload.length;
		at += topic.length;
		batch.topicEnd[i] = batch.userAt[i] = batch.userEnd[i] = at;
		batch.number[i] = i;
	}
	return batch;
}
