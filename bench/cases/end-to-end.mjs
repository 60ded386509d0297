// Broker, gateway, broker: what a message costs, flooded and at a rate a plant might have, and how long it takes.
import { BROKERS } from "../brokers.mjs";
import { notRun } from "../reasons.mjs";
import { absentOf, interleave, pluck } from "../rounds.mjs";
import { ratios } from "../stats.mjs";
import { figure } from "../table.mjs";
import { driveFlawless } from "./through.mjs";

/** Hot readings without an answer while flooding. */
export const WINDOW = 5000;
const STEADY = 20_000;
export const QOS = /** @type {const} */ ([0, 1]);

/** @typedef {{ name: string, broker: keyof typeof BROKERS, qos: 0 | 1, samples: Map<any, any[]> }} Measured */

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function endToEnd(plan) {
	const flooded = await everywhere(plan, "full rate", { window: WINDOW });
	const paced = await everywhere(plan, `${STEADY} msg/s`, { rate: STEADY });
	return [
		{
			title: "End to end at full rate",
			note: `Every alert checked, none lost or repeated. A closed loop with at most ${WINDOW} alerts outstanding; broker, load and gateway share the machine's cores, and CPU is the gateway's alone. mosquitto with \`max_queued_messages 0\` and \`max_inflight_messages 0\`; aedes, the embedded broker, in a process of its own.${notRun(flooded.absent)}`,
			columns: ["", "broker", "QoS", "msg/s", ...COSTS],
			rows: rowsOf(flooded.measured, (own) => [
				figure(pluck(own, "rate"), 0),
				...costsOf(own),
			]),
		},
		{
			title: `End to end at ${STEADY.toLocaleString("en-US")} msg/s`,
			note: `An open loop: latencies count from when a reading was due. "sent late" is what the sender itself adds.${notRun(paced.absent)}`,
			columns: ["", "broker", "QoS", ...COSTS, ...DELAYS],
			rows: rowsOf(paced.measured, (own) => [
				...costsOf(own),
				...delaysOf(own),
			]),
			aims: paced.measured.flatMap((each) => cheaper(each, plan)),
		},
	];
}

const COSTS = ["CPU µs/msg", "cores", "peak RSS MiB"];
export const DELAYS = ["p50 ms", "p99 ms", "p99.9 ms", "sent late p99 ms"];

/** @param {any[]} own */
function costsOf(own) {
	return [
		figure(pluck(own, "cpu")),
		figure(pluck(own, "cores")),
		figure(pluck(own, "peak"), 0),
	];
}

/** @param {any[]} own */
export function delaysOf(own) {
	return ["p50", "p99", "p999", "sentLate"].map((key) =>
		figure(pluck(own, key)),
	);
}

/**
 * Each broker at each QoS, with all subjects in turn.
 *
 * @param {import("../run.mjs").Plan} plan
 * @param {string} load
 * @param {import("./through.mjs").Setting["mode"]} mode
 */
async function everywhere(plan, load, mode) {
	/** @type {Measured[]} */
	const measured = [];
	const absent = [];
	for (const [name, { kind, why }] of Object.entries(BROKERS)) {
		if (why()) {
			absent.push({ name, why: why() });
			continue;
		}
		for (const qos of QOS) {
			const samples = await interleave(
				subjectsFor(name, plan),
				plan.rounds,
				(subject) => unhurried(subject, { broker: kind, qos, mode }, plan),
				(line) => plan.say(`${name} QoS ${qos}, ${load}, ${line}`),
			);
			measured.push({
				name,
				broker: /** @type {"aedes"} */ (name),
				qos,
				samples,
			});
			absent.push(...absentOf(samples, `${name}, QoS ${qos}`));
		}
	}
	return { measured, absent };
}

/**
 * How late the sender is matters to latencies, not to what a message costs: no reason to measure again.
 *
 * @param {Parameters<typeof driveFlawless>} run
 */
async function unhurried(...run) {
	const { late, ...sample } = await driveFlawless(...run);
	return { ...sample, sentLate: late };
}

/**
 * @param {string} broker
 * @param {import("../run.mjs").Plan} plan
 */
export function subjectsFor(broker, { gateways, bridges, others, quick }) {
	if (quick) return gateways.length ? gateways.slice(0, 1) : bridges;
	// The one-connection bridge is there for what mosquitto's Nagle does to it.
	const rivals =
		broker === "aedes" ? bridges.slice(1) : [...bridges, ...others];
	return [...gateways.slice(0, 1), ...rivals];
}

/**
 * @param {readonly Measured[]} measured
 * @param {(own: any[]) => import("../table.mjs").Cell[]} cellsOf
 */
function rowsOf(measured, cellsOf) {
	return measured.flatMap(({ broker, qos, samples }) =>
		[...samples]
			.filter(([, own]) => own.length > 0)
			.map(([{ name }, own]) => [name, broker, String(qos), ...cellsOf(own)]),
	);
}

/**
 * @param {Measured} measured
 * @param {import("../run.mjs").Plan} plan
 * @returns {import("../table.mjs").Aim[]}
 */
function cheaper({ broker, qos, samples }, { gateways, bridges }) {
	const own = samples.get(gateways[0]);
	const rival = samples.get(bridges[1]);
	if (broker !== "mosquitto" || !own || !rival) return [];
	return [
		{
			text: `CPU a message at ${STEADY} msg/s through mosquitto, QoS ${qos}, against the bridge on two connections`,
			aim: "≤ 0.5 ×",
			values: ratios(pluck(own, "cpu"), pluck(rival, "cpu")),
			met: (ratio) => ratio <= 0.5,
		},
	];
}
