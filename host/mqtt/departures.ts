import type { Clock } from "../contract.js";
import { fitTo } from "./allowed.js";
import { pubrel } from "./answers.js";
import type { Connection, Server } from "./connection.js";
import type { Flight } from "./flight.js";
import type { Gather } from "./gather.js";
import { FLYING, type Outbox, REFUSED, RELEASED, WAITING } from "./outbox.js";
import type { Slab } from "./slab.js";
import type { Suspicion } from "./suspicion.js";

/** Bytes that may lie in the socket's buffer before sending stops. */
const UNSENT = 1024 * 1024;
/**
 * MQTT 3.1.1 brokers cannot say how much QoS 2 they take at a time, and mosquitto closes the
 * connection at its max_inflight_messages, 20 by default.
 */
const QOS2_WINDOW = 20;

/** Lets outputs leave in order, as many as the window allows; neighbours in a slab are one write. */
export class Departures {
	readonly #v5: boolean;

	constructor(
		private readonly flight: Flight,
		private readonly suspicion: Suspicion,
		private readonly o: {
			readonly broker: { readonly protocol: 4 | 5 };
			/** Outputs in flight at most (QoS 1 and 2). */
			readonly window: number;
			readonly gather?: Gather | undefined;
			readonly clock: Clock;
		},
	) {
		this.#v5 = o.broker.protocol === 5;
	}

	/** Whether outputs have been written. */
	send(connection: Connection, server: Server): boolean {
		if (connection.unsent > UNSENT) return false; // drained() goes on
		const { box } = this.flight;
		const first = box.sent;
		const now = this.#v5 ? this.o.clock() : 0;
		let slab: Slab | undefined;
		let from = 0;
		let to = 0;
		while (box.sent < box.committed && this.#mayFly(box, server)) {
			const seq = box.sent++;
			const k = box.place(seq);
			this.flight.waiting -= box.size(k);
			if (!this.#prepare(seq, k, connection, server, now)) continue;
			if (box.slab[k] !== slab || box.at[k] !== to) {
				if (slab) connection.write(slab.bytes.subarray(from, to));
				slab = box.slab[k] as Slab;
				from = box.at[k] as number;
			}
			to = box.end[k] as number;
		}
		if (slab) connection.write(slab.bytes.subarray(from, to));
		if (box.sent < box.committed)
			this.o.gather?.full(this.#window(box, server));
		this.#finishUnacknowledged(box, first);
		return slab !== undefined;
	}

	#mayFly(box: Outbox, server: Server): boolean {
		if (box.qos[box.place(box.sent)] === 0) return true;
		return box.idFree && this.flight.flying < this.#window(box, server);
	}

	/** How many may be in flight when the next one is. */
	#window(box: Outbox, server: Server): number {
		if (this.suspicion.alone) return 1;
		const window = Math.min(this.o.window, server.receiveMaximum);
		const exactlyOnce = box.qos[box.place(box.sent)] === 2;
		return exactlyOnce && !this.#v5 ? Math.min(window, QOS2_WINDOW) : window;
	}

	/** Makes a packet ready to leave; false when there is none to send. */
	#prepare(
		seq: number,
		k: number,
		connection: Connection,
		server: Server,
		now: number,
	): boolean {
		const { flight } = this;
		const { box } = flight;
		switch (box.state[k]) {
			case WAITING:
				break;
			case REFUSED:
				flight.finish(k, flight.drafts.takeError(seq));
				return false;
			case RELEASED:
				flight.flying++;
				connection.write(pubrel(box.id(seq)));
				return false;
			default:
				return false;
		}
		const fault = fitTo(box, k, server, now);
		if (fault) {
			flight.finish(k, fault);
			return false;
		}
		if (box.qos[k] === 0) return true;
		const { bytes } = box.slab[k] as Slab;
		const id = box.id(seq);
		const at = box.idAt[k] as number;
		bytes[at] = id >> 8;
		bytes[at + 1] = id;
		box.state[k] = FLYING;
		flight.flying++;
		return true;
	}

	/** QoS 0 is delivered when the socket has it. */
	#finishUnacknowledged(box: Outbox, first: number): void {
		for (let seq = first; seq < box.sent; seq++) {
			const k = box.place(seq);
			if (box.state[k] === WAITING) this.flight.finish(k, undefined);
		}
	}
}
