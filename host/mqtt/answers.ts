import { type Connection, PUBACK, PUBCOMP, PUBREC } from "./connection.js";
import type { Flight } from "./flight.js";
import { type Inlet, malformed } from "./inlet.js";
import { FLYING, RELEASED } from "./outbox.js";
import type { Suspicion } from "./suspicion.js";

/** What brokers answer to outputs. */
export class Answers {
	/** @param lowered is told the QoS that the broker turns out to offer */
	constructor(
		private readonly flight: Flight,
		private readonly suspicion: Suspicion,
		private readonly v5: boolean,
		private readonly lowered: (qos: 1) => void,
	) {}

	/** Whether the packet just found is an answer. */
	hear(inlet: Inlet, connection: Connection | undefined): boolean {
		const type = inlet.first >> 4;
		if (type === PUBACK) this.#puback(inlet);
		else if (type === PUBREC) this.#pubrec(inlet, connection);
		else if (type === PUBCOMP) this.#pubcomp(inlet);
		else return false;
		return true;
	}

	#puback(inlet: Inlet): void {
		const seq = this.#answered(inlet, FLYING, 1);
		if (seq >= 0) this.#land(seq, reasonOf(inlet));
		else if (!this.v5) this.#settleForLess(inlet);
	}

	/**
	 * RabbitMQ's plugin takes QoS 2 as QoS 1 and says so only by its answer, as MQTT 3.1.1 has no
	 * Maximum QoS. The output is safe; waiting for PUBREC would stop the line for ever.
	 */
	#settleForLess(inlet: Inlet): void {
		const seq = this.#answered(inlet, FLYING, 2);
		if (seq < 0) return;
		this.lowered(1);
		this.#land(seq, 0);
	}

	#pubrec(inlet: Inlet, connection: Connection | undefined): void {
		const seq = this.#answered(inlet, FLYING, 2);
		const reason = reasonOf(inlet);
		if (seq >= 0 && reason >= 0x80) {
			this.#land(seq, reason);
			return; // there is nothing to release [MQTT-4.3.3-4]
		}
		const { box } = this.flight;
		if (seq >= 0) box.state[box.place(seq)] = RELEASED;
		this.suspicion.clear();
		connection?.write(pubrel(idOf(inlet))); // also when unknown: the broker waits for it
	}

	#pubcomp(inlet: Inlet): void {
		const seq = this.#answered(inlet, RELEASED, 2);
		if (seq >= 0) this.#land(seq, 0);
	}

	/** The output that a packet answers, or -1 for none: a broker's stray answer settles nothing. */
	#answered(inlet: Inlet, state: number, qos: number): number {
		const { box } = this.flight;
		if (inlet.next - inlet.body < 2) throw malformed("a PUBACK without an id");
		const seq = box.find(idOf(inlet));
		if (seq < 0) return -1;
		const k = box.place(seq);
		return box.state[k] === state && box.qos[k] === qos ? seq : -1;
	}

	#land(seq: number, reason: number): void {
		this.suspicion.clear();
		this.flight.land(seq, reason);
	}
}

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

export function pubrel(id: number): Buffer {
	return Buffer.of(0x62, 2, id >> 8, id);
}
