// Raw MQTT 3.1.1 over a socket: as little between the clock and the broker as possible.
import { once } from "node:events";
import { connect as dial } from "node:net";
import { generate } from "mqtt-packet";

export const PUBLISH = 3;
export const PUBACK = 4;

/**
 * Calls `on` for every whole packet and keeps what is cut off for the next chunk.
 *
 *   first byte | remaining length, 1..4 bytes | body [at, end)
 *
 * @param {(bytes: Buffer, first: number, at: number, end: number, start: number) => void} on
 * @returns {(chunk: Buffer) => void}
 */
export function splitter(on) {
	/** @type {Buffer | undefined} */
	let cut;
	return (chunk) => {
		const bytes = cut ? Buffer.concat([cut, chunk]) : chunk;
		let start = 0;
		for (;;) {
			let at = start + 1;
			let length = 0;
			let scale = 1;
			let byte = 0x80;
			while (byte & 0x80 && at < bytes.length) {
				byte = /** @type {number} */ (bytes[at++]);
				length += (byte & 0x7f) * scale;
				scale *= 128;
			}
			if (byte & 0x80 || at + length > bytes.length) break;
			on(bytes, /** @type {number} */ (bytes[start]), at, at + length, start);
			start = at + length;
		}
		cut = start < bytes.length ? bytes.subarray(start) : undefined;
	};
}

/**
 * Where the payload of a PUBLISH begins and which packet identifier it has (0 at QoS 0).
 *
 * @param {Buffer} bytes
 * @param {number} first
 * @param {number} at start of the body
 * @param {boolean} v5 with a property block
 */
export function publishParts(bytes, first, at, v5 = false) {
	let payloadAt = at + 2 + bytes.readUInt16BE(at);
	let id = 0;
	if (first & 0x06) {
		id = bytes.readUInt16BE(payloadAt);
		payloadAt += 2;
	}
	// A benchmark's outputs carry few properties or none: one length byte is enough.
	if (v5) payloadAt += 1 + /** @type {number} */ (bytes[payloadAt]);
	return { payloadAt, id };
}

/**
 * @param {readonly number[]} ids
 * @returns {Buffer} one PUBACK each
 */
export function pubacks(ids) {
	const bytes = Buffer.allocUnsafe(ids.length * 4);
	ids.forEach((id, i) => {
		bytes.writeUInt16BE(0x4002, i * 4);
		bytes.writeUInt16BE(id, i * 4 + 2);
	});
	return bytes;
}

/**
 * @param {number} port
 * @param {string} clientId
 * @returns {Promise<import("node:net").Socket>} after its CONNACK
 */
export async function connect(port, clientId) {
	const socket = dial(port, "127.0.0.1").setNoDelay(true);
	await once(socket, "connect");
	socket.write(
		generate({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: 4,
			clean: true,
			clientId,
			keepalive: 0,
		}),
	);
	const [connack] = await once(socket, "data");
	if (connack[3] !== 0) throw new Error(`broker refused: code ${connack[3]}`);
	return socket;
}

/**
 * @param {import("node:net").Socket} socket
 * @param {string} topic
 * @param {0 | 1} qos
 */
export async function subscribe(socket, topic, qos) {
	const subscriptions = [{ topic, qos }];
	socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions }));
	await once(socket, "data");
}
