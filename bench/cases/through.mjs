// One run of one subject through a broker of its own, every alert checked.
import { startBroker } from "../brokers.mjs";
import { end, launchProgram, told, whileAlive } from "../children.mjs";

const DRIVE = new URL("../load/drive-process.mjs", import.meta.url);

/** What starting, probing and running dry may take on top. */
const MORE_MS = 40_000;

/**
 * @typedef {object} Setting
 * @property {import("../brokers.mjs").BrokerKind} broker
 * @property {0 | 1} qos
 * @property {{ rate: number } | { window: number }} mode open loop, or closed with so many alerts outstanding
 *
 * @typedef {{ warmMs: number, ms: number }} Span
 */

/**
 * @param {import("../subjects.mjs").Subject} subject
 * @param {Setting} setting
 * @param {Span} span
 * @returns {Promise<any>} what drive() reports
 */
export async function driveThrough(subject, { broker, qos, mode }, span) {
	const { warmMs, ms } = span;
	const { port, pid, stop } = await startBroker(broker);
	const driver = launchProgram(DRIVE, []);
	const driven = told(driver, "driven");
	const gateway = await subject.start({ port, qos });
	try {
		const crew = [pid];
		const drive = { port, qos, mode, pid: gateway.pid, crew, warmMs, ms };
		driver.send({ drive });
		const limit = warmMs + ms + MORE_MS;
		const both = [driver, gateway.child];
		const sample = await whileAlive(driven, both, limit, subject.name);
		if (sample.failed) throw new Error(`${subject.name}: ${sample.failed}`);
		return sample;
	} finally {
		await gateway.stop();
		await end(driver);
		await stop();
	}
}

/**
 * The same, where a single alert that is missing, wrong or repeated is an error.
 *
 * @param {Parameters<typeof driveThrough>} run
 */
export async function driveFlawless(...run) {
	const sample = await driveThrough(...run);
	const fault = faultOf(sample);
	if (fault) throw new Error(`${run[0].name}: ${fault}`);
	return sample;
}

/**
 * @param {any} sample
 * @returns {string} empty when each reading had its one right answer
 */
export function faultOf({ lost, wrong, repeated }) {
	if (!lost && !wrong && !repeated) return "";
	return `${lost} alerts lost, ${wrong} wrong, ${repeated} repeated`;
}
