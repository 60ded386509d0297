// Hours shortened to minutes: does the gateway's memory grow under a load that has everything, or does it stay?
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { COUNTED, takeCensus } from "../census.mjs";
import { end, launch, scratchFolder, whileAlive } from "../children.mjs";
import { openCutter } from "../load/cutter.mjs";
import { openMixedLoad } from "../load/mixed.mjs";
import { openProbe } from "../load/probe.mjs";
import { SUBSCRIPTION } from "../load/readings.mjs";
import { startMosquitto } from "../mosquitto.mjs";
import { freePort } from "../ports.mjs";
import { cpuOf, memoryOf } from "../proc.mjs";
import { slopeOf } from "../slope.mjs";
import { median } from "../stats.mjs";
import { figure, within } from "../table.mjs";

const RATE = 2000;
/** Well beyond the 5 s after which a gateway takes a connection for a good one, and connects again soon (host/mqtt/backoff.ts). */
const CUT_EVERY_MS = 45_000;
/** V8 has compiled what is hot by then; its collector makes a saw of a minute or two, so that a run has to be longer. */
const WARM_MS = 60_000;
const EVERY_MS = 250;
const MIB = 1024 * 1024;
/** The run is cut in so many pieces of time; each has one value, its median. */
const PIECES = 12;
/** No object of V8 with a field is smaller, bytes: a gateway that keeps less for each bad reading keeps none. */
const LEAST_OBJECT = 16;
/** Of fewer bad readings that is less than the noise: what is on its way, and code that V8 still compiles (half a MiB). */
const ENOUGH_BAD = 40_000;
/** After the last reading, until the last alert. */
const DRY_MS = 40_000;

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function soak(plan) {
	const warmMs = plan.quick ? 2000 : WARM_MS;
	const ms = plan.quick ? 6000 : plan.soakMinutes * 60_000;
	const { rss, cpu, told, cuts, live, bad } = await watch(plan, warmMs, ms);
	const hourly = within(slopeOf(piecewise(rss, ms)), 1);
	const kept = bad < ENOUGH_BAD ? [] : [(live.end - live.begin) / bad];
	const minutes = `${(ms / 60_000).toLocaleString("en-US", { maximumFractionDigits: 1 })} minutes`;
	return [
		{
			title: "Soak",
			note: `${minutes} after a warm-up of ${warmMs / 1000} s, ${RATE} readings a second at QoS 1 in and out, a bad one in twenty (${told.bad.toLocaleString("en-US")}), every connection of the gateway cut ${cuts} times. ${told.alerts.toLocaleString("en-US")} alerts, none missing or wrong, ${told.repeated} repeated after cuts. Live: V8's heap and all buffers after full collections, before and after those minutes; RSS also holds what is not collected yet: a saw of minutes, up to 32 MiB for the young generation alone. Slope: least squares through the medians of ${PIECES} pieces of time, with Student's 95 % interval.`,
			columns: [
				"",
				"RSS begin MiB",
				"RSS end MiB",
				"slope MiB/h",
				"live begin MiB",
				"live end MiB",
				"kept of a bad reading B",
				"cores",
			],
			rows: [
				[
					"wasieve",
					figure(tenth(rss, 0), 1),
					figure(tenth(rss, 9), 1),
					{ ...hourly, unit: "MiB/h", better: "neither" },
					figure([live.begin], 2, MIB),
					figure([live.end], 2, MIB),
					{ ...figure(kept, 1), unit: "B", better: "neither" },
					figure([cpu / (ms * 1000)]),
				],
			],
			// A few minutes are no soak.
			aims:
				kept.length === 0
					? []
					: [
							{
								text: `live memory kept of a bad reading in ${minutes} of mixed load, bytes`,
								aim: `under ${LEAST_OBJECT}: no object`,
								values: kept,
								digits: 1,
								met: (median) => median < LEAST_OBJECT,
							},
						],
		},
	];
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @param {number} warmMs
 * @param {number} ms
 */
async function watch(plan, warmMs, ms) {
	const mosquitto = await startMosquitto("unbounded");
	const cutter = await openCutter(mosquitto.port);
	const file = await config(cutter.port, plan.built.module);
	const args = [plan.built.cli, "run", file];
	const gateway = launch(process.execPath, args, COUNTED);
	const pid = /** @type {number} */ (gateway.pid);
	await answers(mosquitto.port, gateway);
	const load = await openMixedLoad(mosquitto.port, RATE);
	try {
		await delay(warmMs);
		const begin = await takeCensus(gateway);
		const before = load.told();
		const sampled = await sample(pid, cutter, ms, plan);
		const bad = load.told().bad - before.bad;
		const live = { begin: begin.bytes, end: (await takeCensus(gateway)).bytes };
		load.stop();
		return { ...sampled, live, bad, told: await runDry(load) };
	} finally {
		load.close();
		cutter.close();
		await end(gateway);
		await mosquitto.stop();
	}
}

/**
 * What is sent before it has subscribed is nobody's.
 *
 * @param {number} port
 * @param {import("node:child_process").ChildProcess} gateway
 */
async function answers(port, gateway) {
	const probe = await openProbe(port);
	try {
		await whileAlive(probe.first, [gateway], 20_000, "soak");
	} finally {
		probe.close();
	}
}

/**
 * @param {number} port
 * @param {string} module
 */
async function config(port, module) {
	const file = join(scratchFolder(), "soak.yaml");
	const lines = [
		`broker: mqtt://127.0.0.1:${port}`,
		`http: 127.0.0.1:${await freePort()}`,
		`quarantine: { dir: ${JSON.stringify(join(scratchFolder(), "quarantine"))}, maxBytes: 1MiB }`,
		"pipelines:",
		"  overheat:",
		`    from: { topic: ${JSON.stringify(SUBSCRIPTION)}, qos: 1 }`,
		`    filter: { module: ${JSON.stringify(module)} }`,
		'    to: { topic: "alerts/{topic}", qos: 1 }',
	];
	writeFileSync(file, `${lines.join("\n")}\n`);
	return file;
}

/** @type {(pid: number, cutter: { cut: () => number }, ms: number, plan: import("../run.mjs").Plan) => Promise<{ rss: number[], cpu: number, cuts: number }>} */
async function sample(pid, cutter, ms, { say, quick }) {
	const cutEvery = quick ? 2000 : CUT_EVERY_MS;
	const rss = [];
	let cuts = 0;
	const before = cpuOf(pid);
	for (let i = 0; i * EVERY_MS < ms; i++) {
		if (i > 0 && (i * EVERY_MS) % cutEvery === 0 && cutter.cut() > 0) cuts++;
		rss.push(memoryOf(pid));
		const left = Math.ceil((ms - i * EVERY_MS) / 1000);
		if (i % 4 === 0) say(`soak, ${left} s left, ${rss.at(-1)?.toFixed(1)} MiB`);
		await delay(EVERY_MS);
	}
	if (rss.some(Number.isNaN)) throw new Error("soak: the gateway has ended");
	return { rss, cpu: cpuOf(pid) - before, cuts };
}

/** @param {import("../load/mixed.mjs").MixedLoad} load */
async function runDry(load) {
	for (let waited = 0; load.told().missing > 0 && waited < DRY_MS; waited += 50)
		await delay(50);
	const told = load.told();
	if (told.missing || told.wrong)
		throw new Error(
			`soak: ${told.missing} alerts missing, ${told.wrong} wrong, of ${told.sent} readings`,
		);
	return told;
}

/** @type {(rss: readonly number[], i: number) => number[]} the i-th tenth of the run */
function tenth(rss, i) {
	return rss.slice(
		Math.floor((rss.length * i) / 10),
		Math.ceil((rss.length * (i + 1)) / 10),
	);
}

/**
 * A garbage collector makes a saw of memory, and neighbours in time are no independent values: medians of pieces are.
 *
 * @param {readonly number[]} rss
 * @param {number} ms
 * @returns {[hours: number, mib: number][]}
 */
function piecewise(rss, ms) {
	const size = rss.length / PIECES;
	return Array.from({ length: PIECES }, (_, i) => {
		const piece = rss.slice(Math.floor(i * size), Math.floor((i + 1) * size));
		return [((i + 0.5) / PIECES) * (ms / 3_600_000), median(piece)];
	});
}
