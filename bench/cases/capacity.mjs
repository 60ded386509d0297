// Capacity: how many readings a second a gateway carries when the broker is never the limit.
import { end, launchProgram, told, whileAlive } from "../children.mjs";
import { interleave, pluck } from "../rounds.mjs";
import { ratios } from "../stats.mjs";
import { figure } from "../table.mjs";

const FIREHOSE = new URL("../load/firehose-process.mjs", import.meta.url);

/**
 * One run of one subject against a firehose of its own.
 *
 * @param {import("../subjects.mjs").Subject} subject
 * @param {0 | 1} qos
 * @param {{ warmMs: number, ms: number, dryMs?: number }} span dryMs: until what has been poured is through
 */
export async function pourInto(subject, qos, { warmMs, ms, dryMs = 30_000 }) {
	const firehose = launchProgram(FIREHOSE, [String(qos)]);
	const heard = told(firehose, "port");
	const subscribed = told(firehose, "subscribed");
	const measured = told(firehose, "measured");
	let gateway;
	try {
		const port = await whileAlive(heard, [firehose], 5000, "firehose");
		gateway = await subject.start({ port, qos });
		const both = [firehose, gateway.child];
		await whileAlive(subscribed, both, 15_000, `${subject.name} connects`);
		firehose.send({ measure: { pid: gateway.pid, warmMs, ms } });
		const limit = warmMs + ms + dryMs;
		const sample = await whileAlive(measured, both, limit, subject.name);
		return checked(subject, sample);
	} finally {
		await gateway?.stop();
		await end(firehose);
	}
}

/**
 * @param {import("../subjects.mjs").Subject} subject
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
		const aim = qos ? 10 : 6;
		section.aims?.push({
			text: `capacity at QoS ${qos} against the bridge`,
			aim: `≥ ${aim} ×`,
			values: faster,
			digits: 1,
			met: (ratio) => ratio >= aim,
		});
	}
}
