// How long a lone message takes: 1,000 a second, through mosquitto as it comes, without Nagle, and the embedded broker.
import { mosquittoVersion } from "../mosquitto.mjs";
import { notRun } from "../reasons.mjs";
import { absentOf, interleave, pluck } from "../rounds.mjs";
import { DELAYS, delaysOf, subjectsFor } from "./end-to-end.mjs";
import { driveFlawless } from "./through.mjs";

const SLOW = 1000;

/** Twice as long as others measure: one reading in six has an alert, and the 99.9th percentile needs a thousand of them. */
const LONGER = 2;

/** @type {readonly { name: string, broker: import("../brokers.mjs").BrokerKind, qos: 0 | 1, judged: boolean }[]} */
const SETTINGS = [
	{ name: "mosquitto, defaults", broker: "defaults", qos: 0, judged: true },
	{ name: "mosquitto, defaults", broker: "defaults", qos: 1, judged: false },
	{
		name: "mosquitto, set_tcp_nodelay",
		broker: "nodelay",
		qos: 0,
		judged: false,
	},
	{
		name: "mosquitto, set_tcp_nodelay",
		broker: "nodelay",
		qos: 1,
		judged: true,
	},
	{ name: "aedes", broker: "aedes", qos: 0, judged: false },
	{ name: "aedes", broker: "aedes", qos: 1, judged: false },
];

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function latency(plan) {
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: `Latency at ${SLOW.toLocaleString("en-US")} msg/s`,
		columns: ["", "QoS", "broker", ...DELAYS],
		rows: [],
		aims: [],
	};
	const there = Boolean(mosquittoVersion());
	const absent = there
		? []
		: [{ name: "mosquitto", why: "it is not installed" }];
	for (const setting of SETTINGS.filter(({ judged }) => judged || !plan.quick))
		if (there || setting.broker === "aedes")
			absent.push(...(await addRows(section, setting, plan)));
	const alerts = Math.round((LONGER * plan.ms * SLOW) / 1000 / 6);
	section.note = `Open loop: from the moment a reading was due to the moment its alert was read from the subscriber's socket, both in one process; ${alerts} alerts a round. "sent late" is what the sender itself adds.${notRun(absent)}`;
	return [section];
}

/**
 * @param {import("../table.mjs").Section} section
 * @param {typeof SETTINGS[number]} setting
 * @param {import("../run.mjs").Plan} plan
 */
async function addRows(section, { name, broker, qos, judged }, plan) {
	const span = { warmMs: plan.warmMs, ms: LONGER * plan.ms };
	const samples = await interleave(
		subjectsFor(broker, plan),
		plan.rounds,
		(subject) => timed(subject, { broker, qos, mode: { rate: SLOW } }, span),
		(line) => plan.say(`latency QoS ${qos} ${name}, ${line}`),
	);
	for (const [subject, own] of samples)
		if (own.length > 0)
			section.rows.push([subject.name, String(qos), name, ...delaysOf(own)]);
	const own = samples.get(/** @type {any} */ (plan.gateways[0]));
	if (judged && own)
		section.aims?.push(...aimsOf(`${SLOW} msg/s, QoS ${qos}, ${name}`, own));
	return absentOf(samples, `${name}, QoS ${qos}`);
}

/** @param {Parameters<typeof driveFlawless>} run */
async function timed(...run) {
	const sample = await driveFlawless(...run);
	return { ...sample, sentLate: sample.late };
}

/**
 * @param {string} where
 * @param {any[]} own
 * @returns {import("../table.mjs").Aim[]}
 */
function aimsOf(where, own) {
	return /** @type {const} */ ([
		["p50", 0.6],
		["p99", 3],
	]).map(([key, aim]) => ({
		text: `${key} at ${where}`,
		aim: `≤ ${aim} ms`,
		values: pluck(own, key),
		met: (/** @type {number} */ ms) => ms <= aim,
	}));
}
