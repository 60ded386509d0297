// The thread that sends. It sleeps on a futex rather than in the event loop: a Node timer has a grain of 1 ms and
// would be late by more than the latencies that are to be measured; Atomics.wait() is late by some 60 µs.
import { setImmediate as turn } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { now, SLOT } from "./clock.mjs";
import {
	HOT_EVERY,
	hotBelow,
	PROBE,
	packetOf,
	renumber,
	TOPICS,
} from "./readings.mjs";
import { connect, PUBACK, splitter } from "./wire.mjs";

const { port, qos, mode, shared, times } = workerData;
const slots = new Int32Array(shared);
const late = new Float64Array(times);

/** Readings a write when flooding. */
const BLOCK = 600;

/** Unacknowledged readings when flooding at QoS 1. */
const UNACKED = 4000;

const PROBE_EVERY_MS = 10;

// One packet a topic and kind: 300 is the least common multiple of 100 topics and every sixth hot.
const packets = Array.from({ length: TOPICS * 3 }, (_, n) =>
	packetOf(n, { qos }),
);
const messageIdAt = packets.map((packet) => {
	const lengthBytes = /** @type {number} */ (packet[1]) & 0x80 ? 2 : 1;
	const topicAt = 1 + lengthBytes;
	return topicAt + 2 + packet.readUInt16BE(topicAt);
});

let messageId = 1;
let acked = 0;
const socket = await connect(port, `bench-out-${process.pid}`);
socket.on(
	"data",
	splitter((_, first) => {
		if (first >> 4 === PUBACK) acked++;
	}),
);
const nudge = new Int32Array(new SharedArrayBuffer(4));
const sleep = (/** @type {number} */ ms) => Atomics.wait(nudge, 0, 0, ms);
const stopped = () => Atomics.load(slots, SLOT.stop) === 1;

await probe();
const begun = begin();
if (mode.rate) await pace(mode.rate);
else await flood(mode.window);
socket.end();

/**
 * @param {number} first
 * @param {number} count
 */
function send(first, count) {
	let size = 0;
	for (let n = first; n < first + count; n++)
		size += /** @type {Buffer} */ (packets[n % packets.length]).length;
	const bytes = Buffer.allocUnsafe(size);
	let used = 0;
	for (let n = first; n < first + count; n++) {
		const i = n % packets.length;
		const start = used;
		used += /** @type {Buffer} */ (packets[i]).copy(bytes, used);
		renumber(bytes, used, n);
		if (!qos) continue;
		bytes.writeUInt16BE(
			messageId,
			start + /** @type {number} */ (messageIdAt[i]),
		);
		messageId = messageId === 65_535 ? 1 : messageId + 1;
	}
	return socket.write(bytes);
}

/** Hot readings until the first alert shows that everything is connected. */
async function probe() {
	for (let n = PROBE; Atomics.load(slots, SLOT.ready) === 0; n += HOT_EVERY) {
		if (stopped()) return;
		send(n, 1);
		await turn();
		sleep(PROBE_EVERY_MS);
	}
	// Let the last probes through before the count begins.
	while (qos && acked < messageId - 1 && !stopped()) await turn();
	sleep(5 * PROBE_EVERY_MS);
	acked = 0;
}

function begin() {
	const at = now();
	late[0] = at;
	Atomics.store(slots, SLOT.begun, 1);
	Atomics.notify(slots, SLOT.begun);
	return at;
}

/**
 * Open loop: reading n is due at begun + n / rate, whatever happened to those before it.
 *
 * @param {number} rate a second; above 1,000 those of one millisecond are due together
 */
async function pace(rate) {
	const together = Math.max(1, Math.round(rate / 1000));
	const every = (together / rate) * 1000;
	for (let tick = 0; !stopped(); tick++) {
		const due = begun + tick * every;
		const early = due - now();
		if (early > 0) sleep(early);
		send(tick * together, together);
		late[1 + (tick % (late.length - 1))] = now() - due;
		Atomics.store(slots, SLOT.sent, (tick + 1) * together);
		await turn();
	}
}

/**
 * Closed loop: as fast as the alerts come back.
 *
 * @param {number} window hot readings without an answer at any time
 */
async function flood(window) {
	let sent = 0;
	while (!stopped()) {
		const answered = Atomics.load(slots, SLOT.alerts);
		const full = hotBelow(sent) - answered >= window;
		if (full) Atomics.wait(slots, SLOT.alerts, answered, 1);
		else if (!qos || sent - acked < UNACKED) {
			const room = send(sent, BLOCK);
			sent += BLOCK;
			Atomics.store(slots, SLOT.sent, sent);
			if (!room) await new Promise((resolve) => socket.once("drain", resolve));
		}
		await turn();
	}
}
