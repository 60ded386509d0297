// Capacity: how many readings a second a gateway carries when the broker is never the limit.
import { end, launchProgram, told, whileAlive } from "../children.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { ratios } from "../stats.mjs";
import { figure } from "../table.mjs";

const FIREHOSE = new URL("../load/firehose-process.mjs", import.meta.url);

/** @typedef {{ warmMs: number, ms: number, dryMs?: number }} Span dryMs: until what has been poured is through */

/**
 * One run of one subject against a firehose of its own.
 *
 * @param {import("../subjects.mjs").Subject} subject
 * @param {0 | 1} qos
 * @param {Span} span
 * @param {import("../load/readings.mjs").Mix} [mix]
 */
export async function pourInto(subject, qos, span, mix) {
	const { name } = subject;
	const start = (/** @type {number[]} */ [port = 0]) =>
		subject.start({ port, qos });
	const [sample] = await pourAll({ name, start }, 1, qos, span, mix);
	return sample;
}

/**
 * One run of one subject against several firehoses, each a process.
 *
 * @param {{ name: string, start: (ports: number[]) => Promise<import("../subjects.mjs").Running> }} subject
 * @param {number} count
 * @param {0 | 1} qos
 * @param {Span} span
 * @param {import("../load/readings.mjs").Mix} [mix]
 * @returns {Promise<any[]>} what each has measured
 */
export async function pourAll(subject, count, qos, span, mix = {}) {
	const { warmMs, ms, dryMs = 30_000 } = span;
	const args = [String(qos), JSON.stringify(mix)];
	const hoses = Array.from({ length: count }, () =>
		launchProgram(FIREHOSE, args),
	);
	const all = (/** @type {string} */ key) =>
		Promise.all(hoses.map((hose) => told(hose, key)));
	const heard = all("port");
	const subscribed = all("subscribed");
	const measured = all("measured");
	let gateway;
	try {
		const ports = await whileAlive(heard, hoses, 20_000, "firehose");
		gateway = await subject.start(ports);
		const children = [...hoses, gateway.child];
		await whileAlive(subscribed, children, 15_000, `${subject.name} connects`);
		const measure = { pid: gateway.pid, warmMs, ms };
		for (const hose of hoses) hose.send({ measure });
		const limit = warmMs + ms + dryMs;
		const samples = await whileAlive(measured, children, limit, subject.name);
		return samples.map((sample) => checked(subject, sample));
	} finally {
		await gateway?.stop();
		for (const hose of hoses) await end(hose);
	}
}

/**
 * @param {{ name: string }} subject
 * @param {any} sample
 */
function checked(subject, sample) {
	const { lost, wrong, repeated, disordered } = sample;
	if (lost || wrong || repeated || disordered)
		throw new Error(
			`${subject.name}: ${lost} alerts lost, ${wrong} wrong, ${repeated} repeated, ${disordered} PUBACKs out of order`,
		);
	return sample;
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function capacity(plan) {
	const subjects = [...plan.gateways, ...plan.bridges];
	/** @type {import("../table.mjs").Section} */
	const section = {
		title: "Capacity, against a broker that is never the limit",
		note: `Warm-up ${plan.warmMs} ms, then ${plan.ms} ms of steady flow. "early" counts PUBACKs sent before the alert they stand for was acknowledged, in percent of the alerts.`,
		columns: [
			"",
			"QoS",
			"msg/s",
			"CPU µs/msg",
			"cores",
			"× bridge, rate",
			"× bridge, CPU",
			"early PUBACKs",
		],
		rows: [],
		aims: [],
	};
	for (const qos of /** @type {const} */ ([0, 1])) {
		const samples = await interleave(
			subjects,
			plan.rounds,
			(subject) => pourInto(subject, qos, plan),
			(line) => plan.say(`capacity QoS ${qos}, ${line}`),
		);
		addRows(section, qos, subjects, samples, plan);
	}
	return [section];
}

/**
 * @param {import("../table.mjs").Section} section
 * @param {0 | 1} qos
 * @param {readonly import("../subjects.mjs").Subject[]} subjects
 * @param {Map<import("../subjects.mjs").Subject, any[]>} samples
 * @param {import("../run.mjs").Plan} plan
 */
function addRows(section, qos, subjects, samples, plan) {
	const [rival] = plan.bridges;
	const base = samples.get(/** @type {any} */ (rival)) ?? [];
	for (const subject of subjects) {
		const own = samples.get(subject) ?? [];
		const faster = ratios(pluck(own, "rate"), pluck(base, "rate"));
		const cheaper = ratios(pluck(base, "cpu"), pluck(own, "cpu"));
		section.rows.push([
			subject.name,
			String(qos),
			figure(pluck(own, "rate"), 0),
			figure(pluck(own, "cpu")),
			figure(pluck(own, "cores")),
			figure(faster, 1),
			figure(cheaper, 1),
			qos
				? figure(
						own.map(({ early, alerts }) => (100 * early) / alerts),
						0,
					)
				: "",
		]);
		if (subject !== plan.gateways[0]) continue;
		const aim = qos ? 15 : 8;
		section.aims?.push({
			text: `capacity at QoS ${qos} against the bridge`,
			aim: `≥ ${aim} ×`,
			values: faster,
			digits: 1,
			met: (ratio) => ratio >= aim,
		});
	}
}
