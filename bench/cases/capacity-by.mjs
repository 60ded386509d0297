// Capacity by what it may depend on: threads, the size of a reading, and how many of them cause an output.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { launch, scratchFolder } from "../children.mjs";
import { HOT_EVERY, payloadOf, SUBSCRIPTION } from "../load/readings.mjs";
import { freePort } from "../ports.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { running } from "../subjects.mjs";
import { figure } from "../table.mjs";
import { pourAll, pourInto } from "./capacity.mjs";

/** Bytes of a reading; the first is what all the other cases send. */
const SIZES = [payloadOf(0).length, 256, 1024, 4096];
/** One reading in so many causes an alert. */
const SHARES = [600, HOT_EVERY, 1];
const COLUMNS = ["QoS", "msg/s", "CPU µs/msg", "cores"];

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function capacityBy(plan) {
	return [await byThreads(plan), await bySize(plan), await byShare(plan)];
}

/** @param {import("../run.mjs").Plan} plan */
async function byThreads(plan) {
	const cores = availableParallelism();
	const numbers = [1, 2, 3, 4, 6, 8, 12, 16].filter((n) => n <= cores);
	return {
		title: "Capacity by threads",
		note: `As many pipelines as threads, each fed from a socket by a firehose of its own. Gateway and firehoses share the ${cores} cores of this machine: with more than half as many threads the rate is what is left for both, and what tells whether threads scale is that a message costs no more.`,
		columns: ["threads", ...COLUMNS],
		rows: await measured(plan, numbers, (n) => String(n), poured),
	};

	/**
	 * @param {number} count
	 * @param {0 | 1} qos
	 */
	async function poured(count, qos) {
		const name = `${count} threads`;
		const start = (/** @type {number[]} */ ports) =>
			startThreads(plan.built, ports, qos);
		const samples = await pourAll({ name, start }, count, qos, plan);
		return together(samples);
	}
}

/** @param {import("../run.mjs").Plan} plan */
async function bySize(plan) {
	return {
		title: "Capacity by size of the reading",
		note: `The same fields behind a note that the filter skips; one in ${HOT_EVERY} causes an alert.`,
		columns: ["bytes a reading", ...COLUMNS, "payload MiB/s"],
		rows: await measured(
			plan,
			SIZES,
			(size) => size.toLocaleString("en-US"),
			(size, qos) => pourInto(gatewayOf(plan), qos, plan, { size }),
			(size, own) => [
				figure(
					pluck(own, "rate").map((rate) => (rate * size) / 2 ** 20),
					0,
				),
			],
		),
	};
}

/** @param {import("../run.mjs").Plan} plan */
async function byShare(plan) {
	return {
		title: "Capacity by share of outputs",
		note: "Alerts of 95 bytes for readings of 87.",
		columns: ["readings an alert", ...COLUMNS],
		rows: await measured(
			plan,
			SHARES,
			(every) => String(every),
			(hotEvery, qos) => pourInto(gatewayOf(plan), qos, plan, { hotEvery }),
		),
	};
}

/** @param {import("../run.mjs").Plan} plan */
function gatewayOf({ gateways: [gateway] }) {
	if (!gateway) throw new Error("capacity-by measures a gateway");
	return gateway;
}

/**
 * A row for each value and QoS, measured in turn.
 *
 * @param {import("../run.mjs").Plan} plan
 * @param {readonly number[]} values
 * @param {(value: number) => string} named
 * @param {(value: number, qos: 0 | 1) => Promise<any>} measure
 * @param {(value: number, own: any[]) => (string | import("../table.mjs").Figure)[]} [more]
 */
async function measured(plan, values, named, measure, more = () => []) {
	const wanted = /** @type {const} */ ([0, 1]).flatMap((qos) =>
		values.map((value) => ({ name: named(value), value, qos })),
	);
	const samples = await interleave(
		wanted,
		plan.rounds,
		({ value, qos }) => measure(value, qos),
		(line) => plan.say(`capacity-by, ${line}`),
	);
	return [...samples].map(([{ name, value, qos }, own]) => [
		name,
		String(qos),
		figure(pluck(own, "rate"), 0),
		figure(pluck(own, "cpu")),
		figure(pluck(own, "cores")),
		...more(value, own),
	]);
}

/**
 * @param {any[]} samples of firehoses that have poured into one process at the same time
 * @returns one sample of them all
 */
function together(samples) {
	const rate = samples.reduce((sum, each) => sum + each.rate, 0);
	const cores = samples[0].cores;
	// Each firehose takes the others for something foreign.
	return { rate, cores, cpu: (cores / rate) * 1e6 };
}

let configs = 0;

/**
 * @param {{ cli: string, module: string }} built
 * @param {number[]} ports of brokers
 * @param {0 | 1} qos
 */
async function startThreads({ cli, module }, ports, qos) {
	const file = join(scratchFolder(), `threads-${configs++}.yaml`);
	const pipelines = ports.map((port, i) => {
		const broker = `broker: "mqtt://127.0.0.1:${port}", qos: ${qos}`;
		return [
			`  line-${i}:`,
			`    from: { ${broker}, topic: ${JSON.stringify(SUBSCRIPTION)} }`,
			`    filter: { module: ${JSON.stringify(module)} }`,
			`    to: { ${broker}, topic: "alerts/{topic}" }`,
		];
	});
	const http = `http: 127.0.0.1:${await freePort()}`;
	const threads = `threads: ${ports.length}`;
	const lines = [http, threads, "pipelines:", ...pipelines.flat(), ""];
	writeFileSync(file, lines.join("\n"));
	return running(launch(process.execPath, [cli, "run", file]));
}
