import { Batch, RETAINED } from "../contract.js";
import { type Inlet, malformed } from "./inlet.js";
import { PublishProperties } from "./properties.js";

/** Readings in one call of take() at most. */
export const BATCH = 1024;
/** Topics that the broker may give a number to (MQTT 5 §3.3.2.3.4). */
export const ALIASES = 256;

/** What a source fills while it drinks: readings found in its inlet, and how each is to be acknowledged. */
export class Haul {
	readonly batch = new Batch(BATCH);
	/** Per entry of the batch: QoS, and the message id if that is above 0. */
	readonly qos = new Uint8Array(BATCH);
	readonly ids = new Uint16Array(BATCH);
	/** Whether any has an id: a QoS 0 subscription then skips a loop. */
	identified = false;
	readonly #found = new PublishProperties();

	private constructor(private readonly protocol: 4 | 5) {}

	/** One for the time of a drink. */
	static borrow(protocol: 4 | 5): Haul {
		return idle[protocol].pop() ?? new Haul(protocol);
	}

	giveBack(): void {
		idle[this.protocol].push(this);
	}

	/**
	 * Notes where the PUBLISH just found has its parts, behind the readings that are kept.
	 *
	 *     fixed header │ topic length │ topic │ id (QoS 1, 2) │ properties (MQTT 5) │ payload
	 *     at            body                                                              next
	 *
	 * @param now the clock's present, for MQTT 5's message expiry
	 * @returns its QoS
	 * @throws {WasieveError} E_MQTT_PROTOCOL
	 */
	note(inlet: Inlet, now: number): number {
		const { bytes, body, first, next } = inlet;
		const qos = (first >> 1) & 3;
		const topicAt = body + 2;
		const topicEnd =
			topicAt + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
		let q = qos === 0 ? topicEnd : topicEnd + 2;
		if (qos === 3 || q > next || topicAt > next)
			throw malformed("a malformed PUBLISH [MQTT-3.3.1-4]");
		const id = ((bytes[q - 2] as number) << 8) | (bytes[q - 1] as number);

		const batch = this.batch;
		const i = batch.count;
		batch.topicAt[i] = topicAt;
		batch.topicEnd[i] = topicEnd;
		// A store of a pointer costs more than the comparison that mostly spares it.
		if (batch.topicIn[i] !== bytes) batch.topicIn[i] = bytes;
		if (this.protocol === 5) {
			if (q >= next) throw malformed("a PUBLISH without properties");
			q = this.#found.read(bytes, q, next);
			this.#found.note(batch, i, now);
			if (this.#found.alias >= 0) this.#alias(inlet, i);
		}
		batch.payloadAt[i] = q;
		batch.payloadEnd[i] = next;
		batch.flags[i] = first & 1 ? RETAINED : 0;
		this.qos[i] = qos;
		this.ids[i] = id;
		return qos;
	}

	/** The reading that was noted is one to be handed over. */
	keep(qos: number): void {
		this.batch.count++;
		if (qos > 0) this.identified = true;
	}

	/** Whether a reading with this id is among those that are kept. */
	holds(id: number, qos: number): boolean {
		const { count } = this.batch;
		let k = this.ids.indexOf(id);
		while (k !== -1 && k < count && this.qos[k] !== qos)
			k = this.ids.indexOf(id, k + 1);
		return k !== -1 && k < count;
	}

	#alias(inlet: Inlet, i: number): void {
		const batch = this.batch;
		const alias = this.#found.alias;
		const length = (batch.topicEnd[i] as number) - (batch.topicAt[i] as number);
		if (alias === 0 || alias > ALIASES)
			throw malformed("a topic alias outside the range");
		if (length > 0)
			inlet.aliases[alias] = Buffer.from(
				inlet.bytes.subarray(batch.topicAt[i], batch.topicEnd[i]),
			);
		const topic = inlet.aliases[alias];
		if (topic === undefined) throw malformed("an unknown topic alias");
		batch.topicIn[i] = topic;
		batch.topicAt[i] = 0;
		batch.topicEnd[i] = topic.length;
	}
}

/**
 * Sources drink one after the other; in the rare case that one begins within another, there are two. Each protocol
 * has its own: those of MQTT 3.1.1 are free of user properties and expiry without writing that for each reading.
 */
const idle: { readonly [protocol in 4 | 5]: Haul[] } = { 4: [], 5: [] };
