import { isUtf8 } from "node:buffer";
import type { OutputProperties } from "../contract.js";
import { PublishProperties, varintSize } from "./properties.js";

/** Largest remaining length, MQTT 5 §1.5.5. */
export const LARGEST = 268_435_455;
/** Longest fixed header. */
export const HEADER = 5;
/** Below this many bytes a loop (2 ns a byte) beats set(), which makes a view first (50 ns); Buffer.copy takes 80. */
const LOOP = 32;

/**
 * Encodes PUBLISH packets. Reused for every output: its fields are the second half of the
 * answer.
 */
export class PublishEncoder {
	/** Where the message id is to be written, 0 for QoS 0. */
	idAt = 0;
	/** Where the expiry's seconds are to be written, 0 for none. */
	expiryAt = 0;
	publishable = true;
	#propertiesLength = 0;

	constructor(private readonly v5: boolean) {}

	/** The remaining length of the packet to come. */
	measure(qos: number, payload: number, p: OutputProperties): number {
		let length = 2 + p.topicLength + (qos === 0 ? 0 : 2) + payload;
		if (!this.v5) return length;
		const expiry = p.expires === Number.POSITIVE_INFINITY ? 0 : 5;
		this.#propertiesLength = expiry + (p.userEnd - p.userAt);
		length += varintSize(this.#propertiesLength) + this.#propertiesLength;
		return length;
	}

	/**
	 * Writes a packet at `to[at…]` and returns its end; `publishable` says whether its topic
	 * is one that may be published to.
	 *
	 *     0x3X │ remaining length │ topic length │ topic │ id │ properties (MQTT 5) │ payload
	 */
	write(
		to: Buffer,
		at: number,
		header: number,
		length: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		p: OutputProperties,
	): number {
		to[at] = header;
		let q = putVarint(to, at + 1, length);
		to[q++] = p.topicLength >> 8;
		to[q++] = p.topicLength;
		this.publishable = copyTopic(to, q, p.topic, p.topicLength);
		q += p.topicLength;
		this.idAt = 0;
		if ((header & 6) !== 0) {
			this.idAt = q;
			q += 2;
		}
		this.expiryAt = 0;
		if (this.v5) q = this.#properties(to, q, p);
		return copy(to, q, bytes, start, end);
	}

	#properties(to: Buffer, at: number, p: OutputProperties): number {
		let q = putVarint(to, at, this.#propertiesLength);
		if (p.expires !== Number.POSITIVE_INFINITY) {
			to[q] = 2; // message expiry interval
			this.expiryAt = q + 1;
			q += 5;
		}
		return copy(to, q, p.user, p.userAt, p.userEnd);
	}
}

function putVarint(to: Buffer, at: number, value: number): number {
	let q = at;
	let rest = value;
	while (rest > 0x7f) {
		to[q++] = (rest & 0x7f) | 0x80;
		rest >>= 7;
	}
	to[q++] = rest;
	return q;
}

/** Copies from[start, end) and returns where it ends. */
function copy(
	to: Buffer,
	at: number,
	from: Uint8Array,
	start: number,
	end: number,
): number {
	if (end - start < LOOP)
		for (let i = start, q = at; i < end; ) to[q++] = from[i++] as number;
	else to.set(from.subarray(start, end), at);
	return at + (end - start);
}

/**
 * Copies a topic and says whether it is one: a wildcard, a control character or broken
 * UTF-8 in it makes a broker close the connection, with all that is in flight on it, again
 * and again [MQTT-1.5.4-1, -2, 3.3.2-2].
 */
function copyTopic(
	to: Buffer,
	at: number,
	topic: Buffer,
	length: number,
): boolean {
	let all = 0;
	let good = length > 0 && length <= 0xffff;
	for (let i = 0; i < length; i++) {
		const byte = topic[i] as number;
		if (byte < 0x20 || byte === 0x23 || byte === 0x2b || byte === 0x7f)
			good = false; // controls # + DEL
		all |= byte;
		to[at + i] = byte;
	}
	return good && (all < 0x80 || isCleanUtf8(topic.subarray(0, length)));
}

/** UTF-8 without C1 controls and non-characters, which brokers may treat as malformed too. */
function isCleanUtf8(topic: Buffer): boolean {
	return isUtf8(topic) && !/[\u0080-\u009f\ufffe\uffff]/.test(topic.toString());
}

/** Topic and payload of an encoded packet. */
export function unpack(
	packet: Buffer,
	qos: number,
	v5: boolean,
): { topic: string; payload: Buffer } {
	let q = 1;
	while ((packet[q++] as number) > 0x7f);
	const topicEnd = q + 2 + packet.readUInt16BE(q);
	const topic = packet.toString("utf8", q + 2, topicEnd);
	q = qos === 0 ? topicEnd : topicEnd + 2;
	if (v5) q = new PublishProperties().read(packet, q, packet.length);
	return { topic, payload: packet.subarray(q) };
}

/**
 * Takes the message id out of the QoS 0 packet at `at` and returns where it begins now: what
 * is before the id moves towards it, under a header of its own.
 */
export function withoutId(bytes: Buffer, at: number, idAt: number): number {
	let q = at + 1;
	let length = 0;
	for (let shift = 0, byte = 0x80; byte > 0x7f; shift += 7) {
		byte = bytes[q++] as number;
		length |= (byte & 0x7f) << shift;
	}
	const header = bytes[at] as number;
	bytes.copyWithin(q + 2, q, idAt); // topic length and topic
	const start = q + 2 - 1 - varintSize(length - 2);
	bytes[start] = header;
	putVarint(bytes, start + 1, length - 2);
	return start;
}
