// A broker that is never the limit: it routes nothing, it only pours prepared PUBLISH packets into whoever
// subscribes to the readings, acknowledges what comes back, and checks it: every alert to the byte, PUBACKs in
// receive order [MQTT-4.6.0-2], and whether a PUBACK came before the alert that its reading caused was acknowledged.
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { generate, parser } from "mqtt-packet";
import { between, snapshot } from "../proc.mjs";
import {
	answeredBy,
	HOT_EVERY,
	hotBelow,
	isHot,
	packetOf,
	SUBSCRIPTION,
} from "./readings.mjs";
import { PUBACK, PUBLISH, pubacks, publishParts, splitter } from "./wire.mjs";

/** Packet identifiers 1..CYCLE, so that none is in use twice while UNACKED < CYCLE [MQTT-2.3.1-4]. */
const CYCLE = 60_000;
const UNACKED = 40_000;

/** Readings a write; a multiple of each `hotEvery` that divides CYCLE. */
const PIECE = 3000;

/** Bytes that may wait in user space: two pieces, so that the kernel's buffer never runs dry. */
const AHEAD = 700_000;

const SILENCE_MS = 5000;
const LOOK_MS = 5;

/**
 * @typedef {object} Flow what has been poured and what came back
 * @property {number} sent readings
 * @property {number} alerts right ones, each counted once
 * @property {number} wrong publishes that are nobody's answer
 * @property {number} repeated alerts
 * @property {number} acked PUBACKs for readings
 * @property {number} disordered PUBACKs out of receive order
 * @property {number} early PUBACKs of a reading before the PUBACK of its alert
 */

/**
 * @typedef {object} Span
 * @property {number} pid of the client
 * @property {number} warmMs poured but not measured
 * @property {number} ms measured
 * @property {number} [silenceMs] when nothing arrives for so long, what is missing is lost
 */

/**
 * @typedef {Flow & { rate: number, cpu: number, cores: number, foreign: number, lost: number }} Measured
 *   readings a second, µs of the client's CPU a reading, cores it kept busy, cores busy with something foreign, alerts missing
 */

/**
 * @param {{ qos: 0 | 1, port?: number, mix?: import("./readings.mjs").Mix }} options
 * @returns {Promise<Firehose>}
 * @typedef {object} Firehose
 * @property {number} port
 * @property {Promise<void>} subscribed
 * @property {() => Flow} flow
 * @property {(options: Span) => Promise<Measured>} measure
 * @property {() => Promise<void>} close
 */
export async function openFirehose({ qos, port = 0, mix = {} }) {
	const pour = pourer(qos, mix);
	/** @type {Set<import("node:net").Socket>} */
	const sockets = new Set();
	const server = createServer((socket) => {
		sockets.add(socket.setNoDelay(true));
		socket.on("error", () => {}).on("close", () => sockets.delete(socket));
		serve(socket, pour);
	});
	server.listen(port, "127.0.0.1");
	await once(server, "listening");
	const address = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		port: address.port,
		subscribed: pour.subscribed,
		flow: () => ({ ...pour.flow }),
		measure: (options) => measure(pour, qos, options),
		async close() {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}

/** @typedef {ReturnType<typeof pourer>} Pourer */

/**
 * The stream of readings and the account of its answers.
 *
 * @param {0 | 1} qos
 * @param {import("./readings.mjs").Mix} mix
 */
function pourer(qos, mix) {
	const { hotEvery = HOT_EVERY } = mix;
	/** @type {Flow} */
	const flow = {
		sent: 0,
		alerts: 0,
		wrong: 0,
		repeated: 0,
		acked: 0,
		disordered: 0,
		early: 0,
	};
	/** Alerts a number of the cycle has had. */
	const answers = new Uint32Array(CYCLE);
	/** @type {(value?: any) => void} */
	let tellSubscribed = () => {};
	const subscribed = new Promise((resolve) => {
		tellSubscribed = resolve;
	});
	/** @type {import("node:net").Socket | undefined} */
	let outlet;
	/** @type {Buffer[]} */
	let pieces = [];
	let window = UNACKED;
	let open = false;
	/** Alerts whose PUBACK has been written. */
	let settled = 0;

	function push() {
		while (open && outlet && outlet.writableLength < AHEAD) {
			if (qos && flow.sent - flow.acked + PIECE > window) return;
			const piece = (flow.sent / PIECE) % pieces.length;
			flow.sent += PIECE;
			outlet.write(/** @type {Buffer} */ (pieces[piece]), push);
		}
	}

	return {
		flow,
		hotEvery,
		subscribed,
		/**
		 * @param {import("node:net").Socket} socket
		 * @param {4 | 5} version
		 * @param {number} receiveMaximum
		 */
		subscribe(socket, version, receiveMaximum) {
			outlet = socket;
			pieces = prepare(qos, version, mix);
			window = Math.max(PIECE, Math.min(UNACKED, receiveMaximum));
			tellSubscribed();
		},
		start() {
			open = true;
			push();
		},
		stop() {
			open = false;
		},
		/** @param {number} n of the cycle, -1 for none */
		answer(n) {
			if (n < 0) flow.wrong++;
			else if (/** @type {number} */ (answers[n]) < timesSent(flow.sent, n)) {
				answers[n]++;
				flow.alerts++;
			} else flow.repeated++;
		},
		/** @param {number} count alerts that have just been acknowledged */
		settle(count) {
			settled += count;
		},
		/** @param {number} id */
		acknowledge(id) {
			if (id !== (flow.acked % CYCLE) + 1) flow.disordered++;
			const hot = isHot(flow.acked, hotEvery);
			flow.acked++;
			if (hot && settled < hotBelow(flow.acked, hotEvery)) flow.early++;
			if (flow.acked % PIECE === 0) push();
		},
	};
}

/**
 * @param {number} sent
 * @param {number} n
 * @returns {number} how often number n of the cycle is among the first `sent` readings
 */
function timesSent(sent, n) {
	return Math.ceil((sent - n) / CYCLE);
}

/**
 * @param {0 | 1} qos
 * @param {4 | 5} version
 * @param {import("./readings.mjs").Mix} mix
 * @returns {Buffer[]} the packets of one cycle, {@link PIECE} readings each
 */
function prepare(qos, version, mix) {
	return Array.from({ length: CYCLE / PIECE }, (_, piece) =>
		Buffer.concat(
			Array.from({ length: PIECE }, (_, i) => {
				const n = piece * PIECE + i;
				return packetOf(n, { ...mix, qos, messageId: n + 1, version });
			}),
		),
	);
}

/**
 * One connection. PUBLISH and PUBACK are read in place, all else goes through mqtt-packet.
 *
 * @param {import("node:net").Socket} socket
 * @param {Pourer} pour
 */
function serve(socket, pour) {
	/** @type {4 | 5} */
	let version = 4;
	let receiveMaximum = 65_535;
	/** @type {number[]} */
	const ids = [];

	const slow = parser({ protocolVersion: 4 });
	slow.on("packet", (packet) => {
		if (packet.cmd === "connect") {
			version = packet.protocolVersion === 5 ? 5 : 4;
			receiveMaximum = packet.properties?.receiveMaximum ?? receiveMaximum;
		}
		const answer = replyTo(packet);
		if (answer) socket.write(generate(answer, { protocolVersion: version }));
		if (packet.cmd !== "subscribe") return;
		if (packet.subscriptions.some(({ topic }) => topic === SUBSCRIPTION))
			pour.subscribe(socket, version, receiveMaximum);
	});

	const split = splitter((bytes, first, at, end, start) => {
		if (first >> 4 === PUBACK) pour.acknowledge(bytes.readUInt16BE(at));
		else if (first >> 4 === PUBLISH) {
			const { payloadAt, id } = publishParts(bytes, first, at, version === 5);
			if (id) ids.push(id);
			pour.answer(answeredBy(bytes, at, payloadAt, end, pour.hotEvery));
		} else slow.parse(bytes.subarray(start, end));
	});

	socket.on("data", (chunk) => {
		split(chunk);
		if (ids.length === 0) return;
		socket.write(pubacks(ids));
		pour.settle(ids.length);
		ids.length = 0;
	});
}

/**
 * @param {import("mqtt-packet").Packet} packet
 * @returns {import("mqtt-packet").Packet | undefined}
 */
function replyTo(packet) {
	const messageId = packet.messageId ?? 0;
	switch (packet.cmd) {
		case "connect":
			return {
				cmd: "connack",
				returnCode: 0,
				reasonCode: 0,
				sessionPresent: false,
			};
		case "subscribe":
			return {
				cmd: "suback",
				messageId,
				granted: packet.subscriptions.map(({ qos }) => Math.min(qos, 1)),
			};
		case "unsubscribe":
			return {
				cmd: "unsuback",
				messageId,
				granted: packet.unsubscriptions.map(() => 0),
			};
		case "pingreq":
			return { cmd: "pingresp" };
		default:
			return undefined;
	}
}

/**
 * Rate and cost between two moments of a steady flow, then the whole account once it has run dry.
 *
 * @param {Pourer} pour
 * @param {0 | 1} qos
 * @param {Span} span
 * @returns {Promise<Measured>}
 */
async function measure(pour, qos, { pid, warmMs, ms, silenceMs = SILENCE_MS }) {
	// At QoS 1 a reading is done when it is acknowledged, at QoS 0 when its alert shows that its turn has come.
	const { hotEvery } = pour;
	const done = () => (qos ? pour.flow.acked : pour.flow.alerts * hotEvery);
	pour.start();
	await delay(warmMs);
	const before = { done: done(), at: snapshot(pid) };
	await delay(ms);
	const after = { done: done(), at: snapshot(pid) };
	pour.stop();
	await runDry(pour, qos, silenceMs);

	const span = between(before.at, after.at);
	const count = after.done - before.done;
	return {
		rate: (count / span.ms) * 1000,
		cpu: span.cpu / count,
		cores: span.cores,
		foreign: span.foreign,
		lost: hotBelow(pour.flow.sent, hotEvery) - pour.flow.alerts,
		...pour.flow,
	};
}

/**
 * @param {Pourer} pour
 * @param {0 | 1} qos
 * @param {number} silenceMs
 */
async function runDry({ flow, hotEvery }, qos, silenceMs) {
	const done = () =>
		flow.alerts === hotBelow(flow.sent, hotEvery) &&
		(!qos || flow.acked === flow.sent);
	let last = -1;
	// In looks, not by the clock: a thread that was busy with something else has not listened.
	for (let silent = 0; !done() && silent < silenceMs; silent += LOOK_MS) {
		const seen = flow.alerts + flow.acked;
		if (seen !== last) silent = 0;
		last = seen;
		await delay(LOOK_MS);
	}
}
