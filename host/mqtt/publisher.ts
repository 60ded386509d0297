import type { Clock, Log, OutputProperties } from "../contract.js";
import { WasieveError } from "../errors.js";
import { fitTo } from "./allowed.js";
import {
	Connection,
	PUBACK,
	PUBCOMP,
	PUBREC,
	type Server,
} from "./connection.js";
import { Drafts } from "./drafts.js";
import { each } from "./each.js";
import { unpack } from "./encode.js";
import { reasonText } from "./faults.js";
import type { Gather } from "./gather.js";
import { type Inlet, malformed, SLAB } from "./inlet.js";
import { Nudge } from "./nudge.js";
import type { BrokerOptions } from "./options.js";
import { DONE, FLYING, Outbox, REFUSED, RELEASED, WAITING } from "./outbox.js";
import type { MqttSink } from "./sink.js";
import { type Slab, Slabs } from "./slab.js";
import { guilty, Suspicion } from "./suspicion.js";

export interface PublisherOptions {
	/** `clean` is not used: a publisher begins with a clean session, see docs/mqtt.md. */
	broker: BrokerOptions;
	/** Outputs in flight at most (QoS 1 and 2), 1–65,535; the broker may allow fewer. */
	window: number;
	/** Outputs and bytes that may wait beyond the window before `ready` turns false; default 1,024 and 1 MiB. */
	queue?: { count: number; bytes: number };
	/** That of the sources whose readings cause the outputs. */
	gather?: Gather | undefined;
	clock: Clock;
	log?: Log;
}

/** Bytes that may lie in the socket's buffer before sending stops. */
const UNSENT = 1024 * 1024;
/**
 * MQTT 3.1.1 brokers cannot say how much QoS 2 they take at a time, and mosquitto closes the
 * connection at its max_inflight_messages, 20 by default.
 */
const QOS2_WINDOW = 20;
const NO_QOS = 3;
/** One connection that any number of sinks publish through; connected while it has sinks. */
export interface Publisher {
	/** Says goodbye. What is not acknowledged by then is forgotten: drain the sinks first. */
	close(): Promise<void>;
}

export function mqttPublisher(options: PublisherOptions): Publisher {
	return new MqttPublisher(options);
}

export class MqttPublisher implements Publisher {
	readonly largest = SLAB;
	readonly properties: Record<string, number>;
	readonly #v5: boolean;
	readonly #queue: { count: number; bytes: number };
	readonly #sinks = new Set<MqttSink>();
	#box = new Outbox();
	#slabs = new Slabs();
	#drafts: Drafts;
	#connection: Connection | undefined;
	/** Undefined while not connected. */
	#server: Server | undefined;
	#fault: WasieveError | undefined;
	/** Outputs of QoS 1 and 2 in flight. */
	#flying = 0;
	/** Bytes committed and not sent. */
	#waiting = 0;
	#full = false;
	#scheduled = false;
	/** Sinks that have had an outcome since the last settle(). */
	readonly #touched: MqttSink[] = [];
	readonly #suspicion = new Suspicion();
	readonly #nudge = new Nudge(() => {
		if (this.#flying > 0) this.#connection?.ping();
	});
	#writes = 0;
	/** What that was when this turn began. */
	#written = 0;
	/** Acknowledgements have come in this turn. */
	#heard = false;
	#turning = false;
	/** The lowest maximum QoS that has been told to the log. */
	#lowest = NO_QOS;

	constructor(private readonly o: PublisherOptions) {
		this.#v5 = o.broker.protocol === 5;
		this.#drafts = this.#makeDrafts();
		this.#queue = o.queue ?? { count: 1024, bytes: 1024 * 1024 };
		this.properties = { sessionExpiryInterval: o.broker.sessionExpiry ?? 0 };
	}

	/* ----------------------------------------------------------------- sinks */

	attach(sink: MqttSink): void {
		this.#sinks.add(sink);
		// What an earlier process left in a session is not ours: its ids would collide with ours.
		this.#connection ??= new Connection(
			{ ...this.o.broker, clean: true },
			this,
		);
		if (this.#server) sink.connected();
		else if (this.#fault) sink.disconnected(this.#fault);
	}

	async detach(sink: MqttSink): Promise<void> {
		this.rollback(sink);
		this.#sinks.delete(sink);
		if (this.#sinks.size === 0) await this.close();
	}

	async close(): Promise<void> {
		const connection = this.#connection;
		this.#connection = this.#server = this.#fault = undefined;
		this.#box = new Outbox();
		this.#slabs = new Slabs();
		this.#drafts = this.#makeDrafts();
		this.#flying = this.#waiting = 0;
		this.#full = false;
		await connection?.close();
	}

	#makeDrafts(): Drafts {
		return new Drafts(this.#v5, this.#box, this.#slabs, this.#drop);
	}

	get ready(): boolean {
		return !this.#full;
	}

	/** Encodes an output behind the others of its sink, to be committed or rolled back. */
	put(
		sink: MqttSink,
		n: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		p: OutputProperties,
	): void {
		const qos = this.#granted(sink.qos);
		this.#drafts.put(sink, n, qos, bytes, start, end, p);
	}

	commit(sink: MqttSink): void {
		const box = this.#box;
		const from = box.committed;
		this.#drafts.commit(sink);
		if (box.committed === from) return;
		sink.pending += box.committed - from;
		for (let seq = from; seq < box.committed; seq++)
			this.#waiting += box.size(box.place(seq));
		if (this.#overfull(1)) this.#full = true;
		this.#schedule();
	}

	rollback(sink: MqttSink): void {
		this.#drafts.rollback(sink);
	}

	/* --------------------------------------------------------------- sending */

	/** One write for all that a chunk causes; while readings gather, for all that a turn of the event loop does. */
	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		if (this.o.gather?.on) this.o.gather.last(this.#flush);
		else queueMicrotask(this.#flush);
	}

	readonly #flush = (): void => {
		this.#scheduled = false;
		if (this.#connection) this.#connection.attempt(this.#flushed);
		else this.#settle();
	};

	readonly #flushed = (): void => {
		if (this.#server) this.#send(this.#server);
		this.#settle();
	};

	#send(server: Server): void {
		const box = this.#box;
		const connection = this.#connection as Connection;
		if (connection.unsent > UNSENT) return; // drained() goes on
		const first = box.sent;
		const idle = this.#flying === 0;
		const now = this.#v5 ? this.o.clock() : 0;
		let slab: Slab | undefined;
		let from = 0;
		let to = 0;
		while (box.sent < box.committed && this.#mayFly(server)) {
			const seq = box.sent++;
			const k = box.place(seq);
			this.#waiting -= box.size(k);
			if (!this.#prepare(seq, k, server, now)) continue;
			if (box.slab[k] !== slab || box.at[k] !== to) {
				if (slab) connection.write(slab.bytes.subarray(from, to));
				slab = box.slab[k] as Slab;
				from = box.at[k] as number;
			}
			to = box.end[k] as number;
		}
		if (slab) {
			connection.write(slab.bytes.subarray(from, to));
			if (idle) this.#nudge.sent(performance.now());
			this.#writes++;
		}
		if (box.sent < box.committed)
			this.o.gather?.full(this.#window(box, server));
		this.#finishUnacknowledged(first);
	}

	#mayFly(server: Server): boolean {
		const box = this.#box;
		if (box.qos[box.place(box.sent)] === 0) return true;
		return box.idFree && this.#flying < this.#window(box, server);
	}

	#window(box: Outbox, server: Server): number {
		if (this.#suspicion.alone) return 1;
		const window = Math.min(this.o.window, server.receiveMaximum);
		const exactlyOnce = box.qos[box.place(box.sent)] === 2;
		return exactlyOnce && !this.#v5 ? Math.min(window, QOS2_WINDOW) : window;
	}

	/** Makes a packet ready to leave; false when there is none to send. */
	#prepare(seq: number, k: number, server: Server, now: number): boolean {
		const box = this.#box;
		switch (box.state[k]) {
			case WAITING:
				break;
			case REFUSED:
				this.#finish(k, this.#drafts.takeError(seq));
				return false;
			case RELEASED:
				this.#flying++;
				this.#connection?.write(pubrel(box.id(seq)));
				return false;
			default:
				return false;
		}
		const fault = fitTo(box, k, server, now);
		if (fault) {
			this.#finish(k, fault);
			return false;
		}
		if (box.qos[k] === 0) return true;
		const { bytes } = box.slab[k] as Slab;
		const id = box.id(seq);
		const at = box.idAt[k] as number;
		bytes[at] = id >> 8;
		bytes[at + 1] = id;
		box.state[k] = FLYING;
		this.#flying++;
		return true;
	}

	/** QoS 0 is delivered when the socket has it. */
	#finishUnacknowledged(first: number): void {
		const box = this.#box;
		for (let seq = first; seq < box.sent; seq++) {
			const k = box.place(seq);
			if (box.state[k] === WAITING) this.#finish(k, undefined);
		}
	}

	/* ---------------------------------------------------------- connection */

	accepted(session: boolean): void {
		const box = this.#box;
		if (this.#v5 && this.o.broker.sessionExpiry)
			(this.#connection as Connection).clean = false;
		if (session) return;
		// The broker has forgotten whose PUBREC we hold: from the beginning.
		for (let seq = box.head; seq < box.committed; seq++) {
			const k = box.place(seq);
			if (box.state[k] === RELEASED) this.#again(k);
		}
	}

	up(server: Server): void {
		this.#server = server;
		this.#fault = undefined;
		this.#granted(2);
		for (const sink of this.#sinks) sink.connected();
		this.#flush();
	}

	down(error: WasieveError, byPeer: boolean): void {
		const box = this.#box;
		if (this.#server && byPeer && this.#flying > 0 && this.#suspicion.closed())
			this.#giveUp(box.place(box.head));
		this.#server = undefined;
		this.#fault = error;
		// All that was in flight is sent again, in order, with the same ids and DUP [MQTT-4.4.0-1, 4.6.0-1].
		for (let seq = box.head; seq < box.sent; seq++) {
			const k = box.place(seq);
			if (box.state[k] === FLYING) this.#again(k);
			this.#waiting += box.size(k);
		}
		box.sent = box.head;
		this.#flying = 0;
		for (const sink of this.#sinks) sink.disconnected(error);
		this.#settle();
	}

	#giveUp(k: number): void {
		this.#flying--;
		this.#finish(k, guilty(this.#box.size(k)));
	}

	drained(): void {
		this.#flush();
	}

	#again(k: number): void {
		const box = this.#box;
		const { bytes } = box.slab[k] as Slab;
		const at = box.at[k] as number;
		bytes[at] = (bytes[at] as number) | 8; // DUP [MQTT-3.3.1-1]
		box.state[k] = WAITING;
	}

	/* ----------------------------------------------------- acknowledgements */

	drink(inlet: Inlet): void {
		if (this.#flying > 0) this.#nudge.heard(performance.now());
		const writes = this.#writes;
		try {
			while (inlet.find()) {
				const type = inlet.first >> 4;
				if (type === PUBACK) this.#puback(inlet);
				else if (type === PUBREC) this.#pubrec(inlet);
				else if (type === PUBCOMP) this.#pubcomp(inlet);
				else this.#connection?.control(inlet);
				inlet.at = inlet.next;
			}
		} finally {
			this.#endTurn(writes);
		}
		if (inlet.next - inlet.at > SLAB)
			throw malformed("a control packet that is too large");
	}

	/** Acts on what has been heard; while readings gather, after those that come in the same turn. */
	#endTurn(writes: number): void {
		if (this.#turning) return;
		this.#turning = true;
		this.#written = writes;
		if (this.o.gather) this.o.gather.last(this.#turned);
		else this.#turned();
	}

	readonly #turned = (): void => {
		this.#turning = false;
		const answer = !this.#heard;
		this.#heard = false;
		if (this.#touched.length > 0) this.#flush(); // the window has moved
		if (this.#flying === 0 || this.#writes !== this.#written) return;
		this.#nudge.turned(performance.now(), answer);
	};

	#puback(inlet: Inlet): void {
		const seq = this.#answered(inlet, FLYING, 1);
		if (seq >= 0) this.#land(seq, reasonOf(inlet));
		else if (!this.#v5) this.#settleForLess(inlet);
	}

	/**
	 * RabbitMQ's plugin takes QoS 2 as QoS 1 and says so only by its answer, as MQTT 3.1.1 has no
	 * Maximum QoS. The output is safe; waiting for PUBREC would stop the line for ever.
	 */
	#settleForLess(inlet: Inlet): void {
		const seq = this.#answered(inlet, FLYING, 2);
		if (seq < 0) return;
		this.#tell(1);
		this.#land(seq, 0);
	}

	#pubrec(inlet: Inlet): void {
		const seq = this.#answered(inlet, FLYING, 2);
		const reason = reasonOf(inlet);
		if (seq >= 0 && reason >= 0x80) {
			this.#land(seq, reason);
			return; // there is nothing to release [MQTT-4.3.3-4]
		}
		if (seq >= 0) this.#box.state[this.#box.place(seq)] = RELEASED;
		this.#suspicion.clear();
		this.#connection?.write(pubrel(idOf(inlet))); // also when unknown: the broker waits for it
	}

	#pubcomp(inlet: Inlet): void {
		const seq = this.#answered(inlet, RELEASED, 2);
		if (seq >= 0) this.#land(seq, 0);
	}

	/** The output that a packet answers, or -1 for none: a broker's stray answer settles nothing. */
	#answered(inlet: Inlet, state: number, qos: number): number {
		const box = this.#box;
		this.#heard = true;
		if (inlet.next - inlet.body < 2) throw malformed("a PUBACK without an id");
		const seq = box.find(idOf(inlet));
		if (seq < 0) return -1;
		const k = box.place(seq);
		return box.state[k] === state && box.qos[k] === qos ? seq : -1;
	}

	#land(seq: number, reason: number): void {
		this.#flying--;
		this.#suspicion.clear();
		this.#finish(
			this.#box.place(seq),
			reason < 0x80
				? undefined
				: new WasieveError(
						"E_OUTPUT_REFUSED",
						`The broker refused an output: ${reasonText(reason)}.`,
						{ hint: "Check the user's rights to publish to the output topic." },
					),
		);
	}

	#finish(k: number, error: WasieveError | undefined): void {
		const box = this.#box;
		const slab = box.slab[k] as Slab;
		const sink = box.owner[k] as MqttSink;
		box.state[k] = DONE;
		const first = error
			? sink.failed(box.number[k] as number, error, this.#unpacked(k, slab))
			: sink.delivered(box.number[k] as number);
		if (first) this.#touched.push(sink);
		this.#drop(slab);
	}

	#unpacked(k: number, slab: Slab): { topic: string; payload: Buffer } {
		const { at, end, qos } = this.#box;
		return unpack(
			slab.bytes.subarray(at[k], end[k]),
			qos[k] as number,
			this.#v5,
		);
	}

	readonly #drop = (slab: Slab): void => {
		if (--slab.live === 0)
			this.#slabs.release(slab, (this.#connection?.unsent ?? 0) === 0);
	};

	/** The end of a chunk or of a turn: everyone concerned may acknowledge now. */
	#settle(): void {
		this.#box.advance();
		if (this.#touched.length > 0) each(this.#touched.splice(0), settle);
		if (!this.#full || this.#overfull(0.5)) return;
		this.#full = false;
		each(this.#sinks, welcome);
	}

	#overfull(share: number): boolean {
		const waiting = this.#box.committed - this.#box.sent;
		return (
			waiting > this.#queue.count * share ||
			this.#waiting > this.#queue.bytes * share
		);
	}

	#granted(qos: 0 | 1 | 2): number {
		const highest = this.#server?.maximumQoS ?? 2;
		if (qos <= highest) return qos;
		this.#tell(highest);
		return highest;
	}

	/** Once per QoS that the broker lowers to. */
	#tell(highest: number): void {
		if (this.#lowest !== highest)
			this.o.log?.warn(
				{ broker: this.#connection?.target.name, qos: highest },
				"the broker takes a lower QoS only; outputs go with that",
			);
		this.#lowest = highest;
	}
}

/** Functions of their own, made once: these are said for every chunk. */
const settle = (sink: MqttSink): void => sink.settle();
const welcome = (sink: MqttSink): void => sink.welcome();

function idOf(inlet: Inlet): number {
	const { bytes, body } = inlet;
	return ((bytes[body] as number) << 8) | (bytes[body + 1] as number);
}

/** MQTT 5 leaves the reason out when it is success. */
function reasonOf(inlet: Inlet): number {
	return inlet.next - inlet.body > 2
		? (inlet.bytes[inlet.body + 2] as number)
		: 0;
}

function pubrel(id: number): Buffer {
	return Buffer.of(0x62, 2, id >> 8, id);
}
