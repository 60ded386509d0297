import type { MqttSink } from "./sink.js";
import type { Slab } from "./slab.js";

/** What became of an output. */
export const WAITING = 0;
/** Sent, its acknowledgement is awaited. */
export const FLYING = 1;
/** QoS 2: PUBREC has come, PUBREL is sent, PUBCOMP is awaited. */
export const RELEASED = 2;
/** Acknowledged or given up; its place is free as soon as it is the oldest. */
export const DONE = 3;
/** Must not be sent at all: `errors` says why. */
export const REFUSED = 4;

/** Message ids are 1–65,535 [MQTT-2.2.1]. */
const IDS = 65_535;

/**
 * The outputs that are not safe yet, oldest first, as a ring of typed arrays:
 *
 *     acknowledged | in flight        | committed,        | written since     |
 *                  | (done in places) | not sent yet      | the last commit   |
 *                  head               sent                committed           tail
 *
 * The message id follows from the place: each step of the ring is one id, so a PUBACK finds
 * its output by subtraction, without a map, and a resent output keeps its id.
 */
export class Outbox {
	head = 0;
	sent = 0;
	committed = 0;
	tail = 0;
	/** Message id of the output at `head`. */
	#headId = 1;
	#mask = 1023;
	state = new Uint8Array(1024);
	qos = new Uint8Array(1024);
	/** Ledger number that waits for the output. */
	number = new Float64Array(1024);
	/** The packet: slab.bytes[at, end). */
	slab = new Array<Slab>(1024);
	at = new Int32Array(1024);
	end = new Int32Array(1024);
	/** Where in the slab the message id and the expiry's four bytes are; 0 for nowhere. */
	idAt = new Int32Array(1024);
	expiryAt = new Int32Array(1024);
	expires = new Float64Array(1024);
	owner = new Array<MqttSink>(1024);

	/** Index into the arrays of the output with sequence number `seq`. */
	place(seq: number): number {
		return seq & this.#mask;
	}

	/** Bytes of the packet at index `k`. */
	size(k: number): number {
		return (this.end[k] as number) - (this.at[k] as number);
	}

	/** Makes room for one output at the tail and returns its index. */
	push(): number {
		if (this.tail - this.head > this.#mask) this.#grow();
		return this.tail++ & this.#mask;
	}

	/** Message id of an output in flight. */
	id(seq: number): number {
		const id = this.#headId + (seq - this.head);
		return id > IDS ? id - IDS : id;
	}

	/** Sequence number of the output in flight with this message id, or -1. */
	find(id: number): number {
		const step = id - this.#headId;
		const seq = this.head + (step < 0 ? step + IDS : step);
		return seq < this.sent && id > 0 ? seq : -1;
	}

	/** Whether one more may be sent without using an id twice. */
	get idFree(): boolean {
		return this.sent - this.head < IDS;
	}

	/** Frees the places of what is done at the old end. */
	advance(): void {
		while (
			this.head < this.sent &&
			this.state[this.head & this.#mask] === DONE
		) {
			this.head++;
			this.#headId = this.#headId === IDS ? 1 : this.#headId + 1;
		}
		// An empty ring starts over, so that the numbers stay small integers.
		if (this.head === this.tail)
			this.head = this.sent = this.committed = this.tail = 0;
	}

	#grow(): void {
		const size = (this.#mask + 1) * 2;
		const old = this.#mask;
		const moved = <T extends Growing>(from: T, to: T): T => {
			for (let seq = this.head; seq < this.tail; seq++)
				to[seq & (size - 1)] = from[seq & old] as number;
			return to;
		};
		this.state = moved(this.state, new Uint8Array(size));
		this.qos = moved(this.qos, new Uint8Array(size));
		this.number = moved(this.number, new Float64Array(size));
		this.at = moved(this.at, new Int32Array(size));
		this.end = moved(this.end, new Int32Array(size));
		this.idAt = moved(this.idAt, new Int32Array(size));
		this.expiryAt = moved(this.expiryAt, new Int32Array(size));
		this.expires = moved(this.expires, new Float64Array(size));
		this.slab = this.#movedRefs(this.slab, size);
		this.owner = this.#movedRefs(this.owner, size);
		this.#mask = size - 1;
	}

	#movedRefs<T>(from: T[], size: number): T[] {
		const to = new Array<T>(size);
		for (let seq = this.head; seq < this.tail; seq++)
			to[seq & (size - 1)] = from[seq & this.#mask] as T;
		return to;
	}
}

type Growing = Uint8Array | Int32Array | Float64Array;
