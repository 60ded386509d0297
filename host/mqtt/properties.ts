import type { Batch } from "../contract.js";
import { malformed } from "./inlet.js";

/** Length of each property's value, MQTT 5 §2.2.2: a number of bytes, or how it is encoded. */
const STRING = -1;
const VARINT = -2;
const PAIR = -3;
const LENGTHS: Readonly<Record<number, number>> = {
	1: 1, // payload format indicator
	2: 4, // message expiry interval
	3: STRING, // content type
	8: STRING, // response topic
	9: STRING, // correlation data
	11: VARINT, // subscription identifier
	35: 2, // topic alias
	38: PAIR, // user property
};
const EXPIRY = 2;
const ALIAS = 35;
export const USER = 38;

/**
 * Reads the properties of one PUBLISH in place. Reused for every packet: its fields
 * are the answer.
 */
export class PublishProperties {
	/** Seconds left, or -1. */
	expiry = -1;
	/** Topic alias, or -1. */
	alias = -1;
	/** User properties as encoded, [userAt, userEnd) of `bytes`; empty when there are none. */
	userAt = 0;
	userEnd = 0;

	/**
	 * Reads the properties at `at` and returns where the payload begins. User properties that
	 * are not neighbours are moved together, over the others, which are of no more use.
	 * @throws {WasieveError} E_MQTT_PROTOCOL
	 */
	read(bytes: Buffer, at: number, limit: number): number {
		this.expiry = this.alias = -1;
		this.userAt = this.userEnd = 0;
		let q = at;
		if (bytes[q] === 0) return q + 1; // the usual case
		const length = varint(bytes, q, limit);
		q += varintSize(length);
		const end = q + length;
		if (end > limit) throw malformed("properties beyond their packet");
		while (q < end) q = this.#property(bytes, q, end);
		return end;
	}

	/** Like read(), for properties that may not have come whole: `limit` then, and no fields. */
	skip(bytes: Buffer, at: number, limit: number): number {
		const length = varint(bytes, at, limit);
		const end = at + varintSize(length) + length;
		return end > limit ? limit : this.read(bytes, at, limit);
	}

	#property(bytes: Buffer, at: number, end: number): number {
		const kind = bytes[at] as number;
		const next = after(bytes, kind, at + 1, end);
		if (next > end) throw malformed("a property beyond its packet");
		if (kind === USER) this.#user(bytes, at, next);
		else if (kind === EXPIRY) this.expiry = bytes.readUInt32BE(at + 1);
		else if (kind === ALIAS) this.alias = bytes.readUInt16BE(at + 1);
		return next;
	}

	#user(bytes: Buffer, at: number, next: number): void {
		if (this.userEnd === 0) this.userAt = this.userEnd = at;
		if (this.userEnd < at) bytes.copyWithin(this.userEnd, at, next);
		this.userEnd += next - at;
	}

	/** Notes user properties and expiry of reading i; `now` in ms. */
	note(batch: Batch, i: number, now: number): void {
		batch.userAt[i] = this.userAt;
		batch.userEnd[i] = this.userEnd;
		batch.expires[i] =
			this.expiry < 0 ? Number.POSITIVE_INFINITY : now + this.expiry * 1000;
	}
}

function after(bytes: Buffer, kind: number, at: number, end: number): number {
	const length = LENGTHS[kind];
	if (length === undefined) throw malformed("an unknown property in PUBLISH");
	if (length > 0) return at + length;
	if (length === VARINT) return at + varintSize(varint(bytes, at, end));
	const value = afterString(bytes, at, end);
	return length === PAIR ? afterString(bytes, value, end) : value;
}

function afterString(bytes: Buffer, at: number, end: number): number {
	if (at + 2 > end) throw malformed("a property beyond its packet");
	return at + 2 + (((bytes[at] as number) << 8) | (bytes[at + 1] as number));
}

/** Reads a variable byte integer [MQTT-1.5.5]. */
function varint(bytes: Buffer, at: number, limit: number): number {
	let value = 0;
	for (let i = 0; i < 4; i++) {
		if (at + i >= limit) break;
		const byte = bytes[at + i] as number;
		value |= (byte & 0x7f) << (7 * i);
		// Longer than needed is malformed too [MQTT-1.5.5-1].
		if (byte < 0x80 && varintSize(value) === i + 1) return value;
	}
	throw malformed("a length that does not end");
}

/** Bytes that a variable byte integer takes. */
export function varintSize(value: number): number {
	if (value < 0x80) return 1;
	if (value < 0x4000) return 2;
	return value < 0x200000 ? 3 : 4;
}
