// A load as plants have it, at QoS 1: most readings good, one in twenty bad in one of many ways, each alert accounted for.
import { generate } from "mqtt-packet";
import {
	ALERTS,
	answeredBy,
	HOT_EVERY,
	hotBelow,
	isHot,
	packetOf,
	topicOf,
} from "./readings.mjs";
import {
	connect,
	PUBLISH,
	pubacks,
	publishParts,
	splitter,
	subscribe,
} from "./wire.mjs";

/** What devices send that they should not; none of them has an alert. */
const BAD = [
	'{"device_id":"press-627","temper',
	"",
	"[]",
	"null",
	'"95"',
	'{"device_id":"press-627","temperature":"hot","timestamp":1}',
	`{"device_id":"press-627","note":"${"x".repeat(70_000)}"}`,
	Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
];
const BAD_EVERY = 20;
const TICK_MS = 10;
/** Readings that a run may have. */
const LIMIT = 50_000_000;

/**
 * @param {number} port of the broker
 * @param {number} rate readings a second
 * @returns {Promise<MixedLoad>}
 *
 * @typedef {object} MixedLoad
 * @property {() => void} stop sends no more
 * @property {() => { sent: number, bad: number, alerts: number, repeated: number, wrong: number, missing: number }} told
 * @property {() => void} close
 */
export async function openMixedLoad(port, rate) {
	const [ear, mouth] = await Promise.all([
		connect(port, "soak-ear"),
		connect(port, "soak-mouth"),
	]);
	const seen = new Uint8Array(LIMIT / HOT_EVERY);
	const told = { sent: 0, bad: 0, alerts: 0, repeated: 0, wrong: 0 };
	listen(ear, seen, told);
	await subscribe(ear, ALERTS, 1);
	mouth.resume(); // PUBACKs of the broker: nothing depends on them.
	const timer = setInterval(
		() => speak(mouth, (rate * TICK_MS) / 1000, told),
		TICK_MS,
	);
	return {
		stop: () => clearInterval(timer),
		told: () => ({ ...told, missing: hotBelow(told.sent) - told.alerts }),
		close() {
			clearInterval(timer);
			ear.destroy();
			mouth.destroy();
		},
	};
}

/** @typedef {{ sent: number, bad: number, alerts: number, repeated: number, wrong: number }} Told */

/** @type {(ear: import("node:net").Socket, seen: Uint8Array, told: Told) => void} */
function listen(ear, seen, told) {
	/** @type {number[]} */
	const ids = [];
	const split = splitter((bytes, first, at, end) => {
		if (first >> 4 !== PUBLISH) return;
		const { payloadAt, id } = publishParts(bytes, first, at);
		if (id) ids.push(id);
		const n = answeredBy(bytes, at, payloadAt, end);
		if (n < 0) told.wrong++;
		else if (seen[n / HOT_EVERY]) told.repeated++;
		else {
			seen[n / HOT_EVERY] = 1;
			told.alerts++;
		}
	});
	ear.on("data", (chunk) => {
		split(chunk);
		if (ids.length > 0) ear.write(pubacks(ids));
		ids.length = 0;
	});
}

/** @type {(mouth: import("node:net").Socket, count: number, told: Told) => void} */
function speak(mouth, count, told) {
	const packets = Array.from({ length: count }, () => {
		const n = told.sent++;
		const messageId = 1 + (n % 65_535);
		if (isHot(n) || n % BAD_EVERY !== 1)
			return packetOf(n, { qos: 1, messageId });
		const payload = BAD[told.bad++ % BAD.length] ?? "";
		const fixed = { qos: /** @type {const} */ (1), dup: false, retain: false };
		const topic = topicOf(n);
		return generate({ cmd: "publish", topic, payload, messageId, ...fixed });
	});
	mouth.write(Buffer.concat(packets));
}
