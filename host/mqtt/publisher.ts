import type { Clock, Log, OutputProperties } from "../contract.js";
import type { WasieveError } from "../errors.js";
import { Answers } from "./answers.js";
import { Connection, type Owner, type Server } from "./connection.js";
import { Departures } from "./departures.js";
import { each } from "./each.js";
import { Flight } from "./flight.js";
import type { Gather } from "./gather.js";
import { type Inlet, malformed, SLAB } from "./inlet.js";
import { Nudge } from "./nudge.js";
import type { BrokerOptions } from "./options.js";
import type { MqttSink } from "./sink.js";
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

const NO_QOS = 3;

/** One connection that any number of sinks publish through; connected while it has sinks. */
export interface Publisher {
	/** Says goodbye. What is not acknowledged by then is forgotten: drain the sinks first. */
	close(): Promise<void>;
}

export function mqttPublisher(options: PublisherOptions): Publisher {
	return new MqttPublisher(options);
}

export class MqttPublisher implements Publisher, Owner {
	readonly largest = SLAB;
	readonly properties: Record<string, number>;
	readonly #queue: { count: number; bytes: number };
	readonly #sinks = new Set<MqttSink>();
	readonly #suspicion = new Suspicion();
	readonly #flight: Flight;
	readonly #departures: Departures;
	readonly #answers: Answers;
	#connection: Connection | undefined;
	/** Undefined while not connected. */
	#server: Server | undefined;
	#fault: WasieveError | undefined;
	#full = false;
	#scheduled = false;
	readonly #nudge = new Nudge(() => {
		if (this.#flight.flying > 0) this.#connection?.ping();
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
		const v5 = o.broker.protocol === 5;
		const flight = new Flight(v5, () => this.#connection?.unsent ?? 0);
		this.#flight = flight;
		this.#departures = new Departures(flight, this.#suspicion, o);
		this.#answers = new Answers(flight, this.#suspicion, v5, (qos) =>
			this.#tell(qos),
		);
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
		this.#flight.clear();
		this.#full = false;
		await connection?.close();
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
		this.#flight.drafts.put(sink, n, qos, bytes, start, end, p);
	}

	commit(sink: MqttSink): void {
		if (!this.#flight.commit(sink)) return;
		if (this.#overfull(1)) this.#full = true;
		this.#schedule();
	}

	rollback(sink: MqttSink): void {
		this.#flight.drafts.rollback(sink);
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
		const idle = this.#flight.flying === 0;
		if (!this.#departures.send(this.#connection as Connection, server)) return;
		if (idle) this.#nudge.sent(performance.now());
		this.#writes++;
	}

	/* ---------------------------------------------------------- connection */

	accepted(session: boolean): void {
		if (this.o.broker.protocol === 5 && this.o.broker.sessionExpiry)
			(this.#connection as Connection).clean = false;
		if (!session) this.#flight.forgotten();
	}

	up(server: Server): void {
		this.#server = server;
		this.#fault = undefined;
		this.#granted(2);
		for (const sink of this.#sinks) sink.connected();
		this.#flush();
	}

	down(error: WasieveError, byPeer: boolean): void {
		const { flying } = this.#flight;
		if (this.#server && byPeer && flying > 0 && this.#suspicion.closed())
			this.#giveUp();
		this.#server = undefined;
		this.#fault = error;
		this.#flight.lost();
		for (const sink of this.#sinks) sink.disconnected(error);
		this.#settle();
	}

	/** The connection ends whenever the oldest output is sent. */
	#giveUp(): void {
		const { box } = this.#flight;
		const k = box.place(box.head);
		this.#flight.finish(k, guilty(box.size(k)));
	}

	drained(): void {
		this.#flush();
	}

	/* ----------------------------------------------------- acknowledgements */

	drink(inlet: Inlet): void {
		if (this.#flight.flying > 0) this.#nudge.heard(performance.now());
		const writes = this.#writes;
		const answers = this.#answers;
		let heard = false;
		try {
			while (inlet.find()) {
				if (answers.hear(inlet, this.#connection)) heard = true;
				else this.#connection?.control(inlet);
				inlet.at = inlet.next;
			}
		} finally {
			this.#heard ||= heard;
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
		if (this.#heard) this.#nudge.acknowledged();
		this.#heard = false;
		if (this.#flight.touched) this.#flush(); // the window has moved
		if (this.#flight.flying === 0 || this.#writes !== this.#written) return;
		this.#nudge.turned(performance.now());
	};

	#settle(): void {
		this.#flight.settle();
		if (!this.#full || this.#overfull(0.5)) return;
		this.#full = false;
		each(this.#sinks, welcome);
	}

	#overfull(share: number): boolean {
		const { box, waiting } = this.#flight;
		return (
			box.committed - box.sent > this.#queue.count * share ||
			waiting > this.#queue.bytes * share
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

/** Made once, as it may be said for every chunk. */
const welcome = (sink: MqttSink): void => sink.welcome();
