import type { OutputProperties } from "../contract.js";
import { WasieveError } from "../errors.js";
import { HEADER, LARGEST, PublishEncoder } from "./encode.js";
import { type Outbox, REFUSED, WAITING } from "./outbox.js";
import type { MqttSink } from "./sink.js";
import type { Slab, Slabs } from "./slab.js";

/** Bytes of an output beyond MQTT's own limit that its report tells. */
const TOLD = 64 * 1024;

/**
 * Outputs that are written and not committed: the outbox's tail. They are encoded at once, straight
 * from the filter's memory, so commit() only moves a mark and rollback() only moves it back.
 */
export class Drafts {
	readonly #encoder: PublishEncoder;
	/** Whose outputs are at the tail. */
	#open: MqttSink | undefined;
	/** Why outputs are REFUSED, by sequence number. */
	readonly #errors = new Map<number, WasieveError>();

	/** @param drop takes one live packet off a slab */
	constructor(
		v5: boolean,
		private readonly box: Outbox,
		private readonly slabs: Slabs,
		private readonly drop: (slab: Slab) => void,
	) {
		this.#encoder = new PublishEncoder(v5);
	}

	put(
		sink: MqttSink,
		n: number,
		qos: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		p: OutputProperties,
	): void {
		this.#claim(sink);
		const length = this.#encoder.measure(qos, end - start, p);
		if (length > LARGEST) this.#putTooLarge(sink, n, qos, bytes, start, end, p);
		else this.#encode(sink, n, qos, bytes, start, end, p, length);
	}

	/** Why the output may not be sent; asked once. */
	takeError(seq: number): WasieveError | undefined {
		const error = this.#errors.get(seq);
		this.#errors.delete(seq);
		return error;
	}

	commit(sink: MqttSink): void {
		if (sink.parked.length > 0) this.#claim(sink);
		if (this.#open !== sink) return;
		this.box.committed = this.box.tail;
		this.#open = undefined;
	}

	rollback(sink: MqttSink): void {
		sink.parked.length = 0;
		if (this.#open !== sink) return;
		const box = this.box;
		while (box.tail > box.committed) {
			const k = box.place(--box.tail);
			const slab = box.slab[k] as Slab;
			this.#errors.delete(box.tail);
			slab.end = box.at[k] as number;
			this.drop(slab);
		}
		this.#open = undefined;
	}

	/**
	 * Uncommitted outputs are at the tail, so there is one sink's at a time. When another sink
	 * writes meanwhile (only filters in workers take so long), the first one's are put aside.
	 */
	#claim(sink: MqttSink): void {
		if (this.#open === sink) return;
		if (this.#open) this.#park(this.#open);
		this.#open = sink;
		for (const packet of sink.parked.splice(0)) this.#unpark(sink, packet);
	}

	#park(sink: MqttSink): void {
		const box = this.box;
		const parked: Parked[] = [];
		for (let seq = box.committed; seq < box.tail; seq++) {
			const k = box.place(seq);
			const at = box.at[k] as number;
			const slab = box.slab[k] as Slab;
			parked.push({
				bytes: Buffer.from(slab.bytes.subarray(at, box.end[k])),
				number: box.number[k] as number,
				qos: box.qos[k] as number,
				idAt: offset(box.idAt[k] as number, at),
				expiryAt: offset(box.expiryAt[k] as number, at),
				expires: box.expires[k] as number,
				error: this.#errors.get(seq),
			});
		}
		this.rollback(sink);
		sink.parked = parked;
	}

	#unpark(sink: MqttSink, packet: Parked): void {
		const box = this.box;
		const slab = this.slabs.with(packet.bytes.length);
		const at = slab.end;
		const k = this.#push(sink, packet.number, packet.qos, slab);
		slab.end = box.end[k] = at + packet.bytes.copy(slab.bytes, at);
		box.idAt[k] = packet.idAt < 0 ? 0 : packet.idAt + at;
		box.expiryAt[k] = packet.expiryAt < 0 ? 0 : packet.expiryAt + at;
		box.expires[k] = packet.expires;
		if (packet.error) this.#mark(packet.error);
	}

	#push(sink: MqttSink, n: number, qos: number, slab: Slab): number {
		const box = this.box;
		const k = box.push();
		slab.live++;
		box.slab[k] = slab;
		box.owner[k] = sink;
		box.number[k] = n;
		box.qos[k] = qos;
		box.state[k] = WAITING;
		box.at[k] = box.end[k] = slab.end;
		box.idAt[k] = box.expiryAt[k] = 0;
		return k;
	}

	#mark(error: WasieveError): void {
		const box = this.box;
		box.state[box.place(box.tail - 1)] = REFUSED;
		this.#errors.set(box.tail - 1, error);
	}

	#encode(
		sink: MqttSink,
		n: number,
		qos: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		p: OutputProperties,
		length: number,
	): void {
		const slab = this.slabs.with(HEADER + length);
		const k = this.#push(sink, n, qos, slab);
		const header = 0x30 | (qos << 1) | (sink.retain ? 1 : 0);
		const at = slab.end;
		// biome-ignore format: one call is one packet
		const to = this.#encoder.write(slab.bytes, at, header, length, bytes, start, end, p);
		slab.end = to;
		const box = this.box;
		box.end[k] = to;
		box.idAt[k] = this.#encoder.idAt;
		box.expiryAt[k] = this.#encoder.expiryAt;
		box.expires[k] = p.expires;
		if (!this.#encoder.publishable) this.#mark(badTopic(p));
	}

	/** Kept only for its report: its beginning, under its topic. */
	#putTooLarge(
		sink: MqttSink,
		n: number,
		qos: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		p: OutputProperties,
	): void {
		this.put(sink, n, qos, bytes, start, start + TOLD, p);
		this.#mark(
			new WasieveError(
				"E_OUTPUT_REFUSED",
				`An output of ${end - start} bytes is larger than MQTT allows.`,
			),
		);
	}
}

/** What park() keeps of an uncommitted output; offsets are from the packet's start, -1 for none. */
export interface Parked {
	bytes: Buffer;
	number: number;
	qos: number;
	idAt: number;
	expiryAt: number;
	expires: number;
	error: WasieveError | undefined;
}

function offset(position: number, at: number): number {
	return position === 0 ? -1 : position - at;
}

function badTopic(p: OutputProperties): WasieveError {
	const topic = p.topic.toString("utf8", 0, Math.min(p.topicLength, 200));
	return new WasieveError(
		"E_OUTPUT_TOPIC",
		`${JSON.stringify(topic)} is not a topic to publish to.`,
		{
			hint: "A topic is 1 to 65,535 bytes of UTF-8 without +, # and control characters: look at `to.topic` and emitTo().",
		},
	);
}
