// Through mosquitto: what a message costs, flooded and at a rate a plant might have; and the latency.
import { end, launchProgram, told, whileAlive } from "../children.mjs";
import { startMosquitto } from "../mosquitto.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { figure } from "../table.mjs";

const DRIVE = new URL("../load/drive-process.mjs", import.meta.url);

/** Hot readings without an answer while flooding. */
const WINDOW = 5000;
const STEADY = 20_000;

/**
 * @typedef {object} Setting
 * @property {keyof typeof import("../mosquitto.mjs").SETTINGS} broker
 * @property {0 | 1} qos
 * @property {{ rate: number } | { window: number }} mode
 */

/**
 * One run of one subject through a mosquitto of its own.
 *
 * @param {import("../subjects.mjs").Subject} subject
 * @param {Setting} setting
 * @param {{ warmMs: number, ms: number }} span
 */
export async function driveThrough(
	subject,
	{ broker, qos, mode },
	{ warmMs, ms },
) {
	const mosquitto = await startMosquitto(broker);
	const driver = launchProgram(DRIVE, []);
	const driven = told(driver, "driven");
	const gateway = await subject.start({ port: mosquitto.port, qos });
	try {
		const { port, pid } = mosquitto;
		const drive = {
			port,
			qos,
			mode,
			pid: gateway.pid,
			crew: [pid],
			warmMs,
			ms,
		};
		driver.send({ drive });
		const limit = warmMs + ms + 40_000;
		const both = [driver, gateway.child];
		const sample = await whileAlive(driven, both, limit, subject.name);
		return checked(subject, sample);
	} finally {
		await gateway.stop();
		await end(driver);
		await mosquitto.stop();
	}
}

/**
 * @param {import("../subjects.mjs").Subject} subject
 * @param {any} sample
 */
function checked(subject, sample) {
	const { failed, lost, wrong, repeated } = sample;
	if (failed) throw new Error(`${subject.name}: ${failed}`);
	if (lost || wrong || repeated)
		throw new Error(
			`${subject.name}: ${lost} alerts lost, ${wrong} wrong, ${repeated} repeated`,
		);
	return sample;
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function throughMosquitto(plan) {
	const subjects = [...plan.gateways.slice(0, 1), ...plan.bridges];
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: "Through mosquitto",
		note: `Every alert checked, none lost or repeated. Full rate is a closed loop with at most ${WINDOW} alerts outstanding, and the broker, the load and the gateway share the machine's cores. mosquitto with \`max_queued_messages 0\` and \`max_inflight_messages 0\`.`,
		columns: [
			"",
			"QoS",
			"load",
			"msg/s",
			"CPU µs/msg",
			"cores",
			"peak RSS MiB",
		],
		rows: [],
	};
	for (const qos of /** @type {const} */ ([0, 1]))
		for (const [load, mode] of /** @type {const} */ ([
			["full rate", { window: WINDOW }],
			[`${STEADY} msg/s`, { rate: STEADY }],
		])) {
			const samples = await interleave(
				subjects,
				plan.rounds,
				async (subject) => {
					/** @type {Setting} */
					const setting = { broker: "unbounded", qos, mode };
					// How late a sender is matters to latencies only.
					const { late, ...sample } = await driveThrough(
						subject,
						setting,
						plan,
					);
					return sample;
				},
				(line) => plan.say(`mosquitto QoS ${qos}, ${load}, ${line}`),
			);
			for (const [{ name }, own] of samples)
				section.rows.push([
					name,
					String(qos),
					load,
					figure(pluck(own, "rate"), 0),
					figure(pluck(own, "cpu")),
					figure(pluck(own, "cores")),
					figure(pluck(own, "peak"), 0),
				]);
		}
	return [section];
}

const SLOW = 1000;

/** @type {Array<[string, Setting, boolean]>} what it is called, how it is set, whether the aim is judged by it */
const LATENCIES = [
	["defaults", { broker: "defaults", qos: 0, mode: { rate: SLOW } }, true],
	["defaults", { broker: "defaults", qos: 1, mode: { rate: SLOW } }, false],
	[
		"set_tcp_nodelay",
		{ broker: "nodelay", qos: 1, mode: { rate: SLOW } },
		true,
	],
];

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function latency(plan) {
	const subjects = [...plan.gateways.slice(0, 1), ...plan.bridges];
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: `Latency at ${SLOW} msg/s`,
		note: 'Open loop: from the moment a reading was due to the moment its alert was read from the subscriber\'s socket, both in one process. "sent late" is what the sender itself adds.',
		columns: ["", "QoS", "mosquitto", "p50 ms", "p99 ms", "sent late p99 ms"],
		rows: [],
		aims: [],
	};
	for (const [name, setting, judged] of LATENCIES) {
		const samples = await interleave(
			subjects,
			plan.rounds,
			(subject) => driveThrough(subject, setting, plan),
			(line) => plan.say(`latency QoS ${setting.qos} ${name}, ${line}`),
		);
		for (const [subject, own] of samples) {
			section.rows.push([
				subject.name,
				String(setting.qos),
				name,
				figure(pluck(own, "p50")),
				figure(pluck(own, "p99")),
				figure(pluck(own, "late")),
			]);
			if (judged && subject === plan.gateways[0])
				section.aims?.push({
					text: `p50 at ${SLOW} msg/s, QoS ${setting.qos}, mosquitto ${name}`,
					aim: "≤ 0.5 ms",
					values: pluck(own, "p50"),
					met: (ms) => ms <= 0.5,
				});
		}
	}
	return [section];
}
