import { Acks } from "./acks.js";
import type { Connection } from "./connection.js";
import type { Inlet } from "./inlet.js";

/**
 * What a source owes its broker for readings of QoS 1 and 2: acknowledgements in the order of their PUBLISHes, on
 * the connection that they came on, as soon as the line has settled them.
 *
 *     QoS 1   PUBLISH ─▶ owed ─▶ settled: PUBACK
 *     QoS 2   PUBLISH ─▶ owed ─▶ settled: PUBREC ─▶ received ─▶ PUBREL: PUBCOMP
 *                  └───── an id keeps its state when the connection is lost ────┘
 */
export class Receipts {
	/** All below this ledger number are settled. */
	settled = 0;
	/** Of this connection. */
	readonly #acks = new Acks();
	/** QoS 2 ids not yet answered with PUBREC, by ledger number; they outlive the connection. */
	readonly #unsettled = new Map<number, number>();
	/** QoS 2 ids answered with PUBREC whose PUBREL has not come. */
	readonly #received = new Set<number>();

	/** Acknowledgements owed on this connection. */
	get owed(): number {
		return this.#acks.length;
	}

	/** A reading of QoS 1 or 2 has got its ledger number. */
	expect(id: number, qos: number, number: number): void {
		this.#acks.push(id, qos, number);
		if (qos === 2) this.#unsettled.set(id, number);
	}

	/** Whether the id still waits for its acknowledgement on this connection. */
	owes(id: number): boolean {
		return this.#acks.owes(id);
	}

	/**
	 * Whether a QoS 2 message came on an earlier connection: it is not taken twice, only its PUBREC is
	 * owed, once again().
	 */
	knows(id: number): boolean {
		return this.#received.has(id) || this.#unsettled.has(id);
	}

	again(id: number): void {
		const number = this.#received.has(id) ? -1 : this.#unsettled.get(id);
		this.#acks.push(id, 2, number ?? -1);
	}

	/** Sends what is settled; false when there was nothing. */
	answer(connection: Connection): boolean {
		if (this.#acks.length === 0) return false;
		const sent = connection.unsent === 0;
		const packets = this.#acks.settle(this.settled, this.#recorded, sent);
		if (packets) connection.write(packets);
		return packets !== undefined;
	}

	readonly #recorded = (id: number): void => {
		this.#unsettled.delete(id);
		this.#received.add(id);
	};

	/** PUBREL has come; returns PUBCOMP. */
	release({ bytes, body }: Inlet): Buffer {
		const [high, low] = [bytes[body] as number, bytes[body + 1] as number];
		this.#received.delete((high << 8) | low);
		return Buffer.of(0x70, 2, high, low);
	}

	/** The connection is lost: ids belong to the one they came from [MQTT-4.6.0-2]. */
	lost(): void {
		this.#acks.clear();
	}

	/** The broker has begun a new session. */
	forget(): void {
		this.#unsettled.clear();
		this.#received.clear();
	}
}
