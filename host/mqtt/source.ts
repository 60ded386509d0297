import {
	Batch,
	type Clock,
	type Intake,
	type Log,
	RETAINED,
	type Source,
} from "../contract.js";
import { asWasieveError, WasieveError } from "../errors.js";
import { Acks } from "./acks.js";
import { Connection, PUBLISH, PUBREL, type Server } from "./connection.js";
import { reasonText } from "./faults.js";
import { Flow, type Gather } from "./gather.js";
import { type Inlet, malformed, SLAB } from "./inlet.js";
import { Once } from "./once.js";
import type { BrokerOptions } from "./options.js";
import { Oversized } from "./oversized.js";
import { PublishProperties } from "./properties.js";

export interface SourceOptions {
	broker: BrokerOptions;
	/** Topic filter, `$share/group/filter` allowed. */
	topic: string;
	qos: 0 | 1 | 2;
	/** Unsettled readings at most, 1–65,535: MQTT 5's Receive Maximum. (In 3.1.1 that is the broker's own setting; the line pauses the source.) */
	window: number;
	/** Payload bytes; a larger reading is refused with E_READING_SIZE. */
	maxReading: number;
	/** Bytes of a refused payload that are kept for the quarantine; default 64 KiB. */
	keepRefused?: number;
	/** Lets readings gather while they come fast; without, each is read at once. */
	gather?: Gather | undefined;
	clock: Clock;
	log?: Log;
}

/** Session expiry that a 3.1.1 broker has by itself (MQTT 5 §3.1.2.11.2). */
const NEVER = 0xffff_ffff;
/** Flag in a PUBLISH's first byte: it may have come before [MQTT-3.3.1-1]. */
const DUP = 8;
/** Readings in one call of take() at most. */
const BATCH = 1024;
/** Topics that the broker may give a number to (MQTT 5 §3.3.2.3.4). */
const ALIASES = 256;
/** Room for topic (64 KiB at most), id and properties around a payload of maxReading. */
const HEAD = 68 * 1024;
/** Lost connections whose unread readings are kept while the line pauses; one slab each at most. */
const LEFT_OVER = 16;

/**
 * Readings from an MQTT subscription. PUBLISH packets are found in the slab that the
 * socket reads into and handed over as offsets: nothing is copied and no object is made
 * per reading.
 *
 * start() resolves when the broker has granted the subscription, however long that takes;
 * what is wrong meanwhile is told through health(). It rejects only when closed before.
 */
export function mqttSource(options: SourceOptions): Source {
	return new MqttSource(options);
}

/** What a source fills while it drinks. */
class Haul {
	readonly batch = new Batch(BATCH);
	readonly qos = new Uint8Array(BATCH);
	readonly ids = new Uint16Array(BATCH);
}

/**
 * Sources drink one after the other; in the rare case that one begins within another, there are two. Each protocol
 * has its own: those of MQTT 3.1.1 are free of user properties and expiry without writing that for each reading.
 */
const hauls: { readonly [protocol in 4 | 5]: Haul[] } = { 4: [], 5: [] };

export class MqttSource implements Source {
	readonly largest: number;
	readonly properties: Record<string, number>;
	readonly #v5: boolean;
	readonly #hauls: Haul[];
	/** Borrowed for the time of a drink. */
	#batch!: Batch;
	/** Per entry of the batch: QoS, and the message id if that is above 0. */
	#qos!: Uint8Array;
	#ids!: Uint16Array;
	/** Whether the batch has any ids: a QoS 0 subscription then skips a loop. */
	#identified = false;
	readonly #found = new PublishProperties();
	readonly #started = new Once<void>();
	#intake!: Intake;
	#connection: Connection | undefined;
	#inlet: Inlet | undefined;
	#leftOver: Inlet[] = [];
	#oversized: Oversized | undefined;
	#subscribed = false;
	#asked = false;
	/** Whether the broker kept our session: then it sends again what we have not acknowledged. */
	#session = false;
	#paused = false;
	#stopped = false;
	#drinking = false;
	#now = 0;
	#settled = 0;
	readonly #acks = new Acks();
	/** Of this connection. */
	#flow: Flow | undefined;
	/** Readings, and those with an id, handed over in the last drink(). */
	#taken = 0;
	#takenWithId = 0;
	#turning = false;
	/** QoS 2 ids not yet answered with PUBREC, by ledger number; they outlive the connection. */
	readonly #unsettled = new Map<number, number>();
	/** QoS 2 ids answered with PUBREC whose PUBREL has not come. */
	readonly #received = new Set<number>();

	constructor(private readonly o: SourceOptions) {
		this.largest = Math.max(SLAB, o.maxReading + HEAD);
		this.#v5 = o.broker.protocol === 5;
		this.#hauls = hauls[o.broker.protocol];
		this.properties = {
			receiveMaximum: o.window,
			// Some brokers (mochi) send what a session has kept with the aliases of the connection before,
			// which nobody can know any more: whole topics cost a few bytes, a session that hangs costs all.
			topicAliasMaximum: o.broker.clean ? ALIASES : 0,
			sessionExpiryInterval: o.broker.clean
				? 0
				: (o.broker.sessionExpiry ?? NEVER),
		};
	}

	async start(intake: Intake): Promise<void> {
		this.#intake = intake;
		this.#connection = new Connection(this.o.broker, this);
		await this.#started.promise;
	}

	/** Free by itself: the socket is stopped only when a reading comes while paused. */
	pause(): void {
		this.#paused = true;
	}

	resume(): void {
		if (this.#stopped) return;
		this.#paused = false;
		if (this.#drinking) return; // pause() and resume() within one take()
		if (this.#inlet) this.#drinkLeftOver();
		if (this.#inlet?.blocked && !this.#paused) this.#connection?.resume();
	}

	acknowledge(below: number): void {
		if (below <= this.#settled) return;
		this.#settled = below;
		// Within take() the batch's ids have no numbers yet: #hand() answers afterwards, in one write.
		if (!this.#drinking) this.#endTurn();
	}

	async stop(): Promise<void> {
		this.#paused = this.#stopped = true;
	}

	async close(): Promise<void> {
		this.#stopped = this.#paused = true;
		this.#started.reject(
			new WasieveError(
				"E_MQTT_CONNECT",
				`The source ${this.o.topic} was closed before it was subscribed.`,
			),
		);
		this.#answer();
		await this.#connection?.close();
	}

	/* ------------------------------------------------------------ connection */

	accepted(session: boolean): void {
		this.#session = session;
		this.#flow = this.o.gather && new Flow(this.o.gather);
		if (session) return;
		this.#unsettled.clear();
		this.#received.clear();
	}

	up(server: Server): void {
		// Subscribing again would bring all retained messages again [MQTT-3.8.4-3].
		if (this.#subscribed && server.session) this.#granted();
		else this.subscribe();
	}

	down(error: WasieveError): void {
		this.#acks.clear(); // ids belong to the connection they came from [MQTT-4.6.0-2]
		this.#oversized = undefined;
		if (this.#inlet?.blocked) this.#leave(this.#inlet);
		this.#inlet = undefined;
		this.#asked = false;
		this.#intake.health(error);
	}

	/** Whether SUBSCRIBE has been sent on this connection. */
	get asked(): boolean {
		return this.#asked;
	}

	/** Again on the same connection, it brings all retained messages again [MQTT-3.8.4-3]. */
	subscribe(): void {
		if (!this.#connection?.connected) return;
		this.#asked = true;
		this.#subscribed = false; // until SUBACK: the session may be a new one without subscriptions
		const { topic, qos } = this.o;
		this.#connection.client.subscribe(
			topic,
			{ qos },
			(error, _subscriptions, suback) => {
				const code = Number(suback?.granted[0] ?? qos);
				if (code > 2) this.#refused(code);
				else if (!error) {
					if (code < qos)
						this.o.log?.warn(
							{ topic, qos: code },
							"the broker granted a lower QoS",
						);
					this.#granted();
				}
			},
		);
	}

	#refused(code: number): void {
		this.#connection?.reset(
			new WasieveError(
				"E_MQTT_SUBSCRIBE",
				`${this.#connection.target.name} refused the subscription to ${this.o.topic}: ${reasonText(code)}.`,
				{
					hint: "Check the topic filter and the user's access rights at the broker; wasieve keeps trying.",
				},
			),
		);
	}

	#granted(): void {
		this.#subscribed = true;
		this.#started.resolve();
		this.#intake.health(undefined);
	}

	/* --------------------------------------------------------------- packets */

	/** Hands over what has come, until the line pauses or the bytes end. */
	drink(inlet: Inlet): void {
		this.#inlet = inlet;
		this.#drinking = true;
		const haul = this.#borrow();
		const owed = this.#acks.length;
		const bytes = inlet.end - inlet.at;
		this.#taken = this.#takenWithId = 0;
		if (this.#v5) this.#now = this.o.clock();
		try {
			if (this.#oversized && inlet.skip === 0) this.#refuseOversized();
			while (inlet.find()) {
				if (inlet.first >> 4 === PUBLISH) {
					if (this.#paused) {
						inlet.blocked = true;
						break;
					}
					this.#publish(inlet, true);
					if (this.#batch.count === BATCH) this.#hand(inlet, true);
				} else this.#other(inlet);
				inlet.at = inlet.next;
			}
			if (inlet.next - inlet.at > this.largest) this.#meetOversized(inlet);
		} finally {
			this.#hand(inlet, true); // also what came before a malformed packet
			this.#drinking = false;
			this.#hauls.push(haul);
		}
		const open = this.#takenWithId > 0 ? owed + this.#takenWithId : 0;
		if (this.#taken > 0)
			this.#flow?.took(this.#taken, bytes, open, this.#paused);
		this.#endTurn();
	}

	#borrow(): Haul {
		const haul = this.#hauls.pop() ?? new Haul();
		this.#batch = haul.batch;
		this.#qos = haul.qos;
		this.#ids = haul.ids;
		return haul;
	}

	#other(inlet: Inlet): void {
		if (inlet.first >> 4 === PUBREL) this.#release(inlet);
		else this.#connection?.control(inlet);
		if (this.#leftOver.length > 0) this.#drinkLeftOver(); // CONNACK: what was read before comes first
	}

	/**
	 *     fixed header │ topic length │ topic │ id (QoS 1, 2) │ properties (MQTT 5) │ payload
	 *     at            body                                                              next
	 */
	#publish(inlet: Inlet, live: boolean): void {
		const { bytes, body, first, next } = inlet;
		const qos = (first >> 1) & 3;
		const topicAt = body + 2;
		const topicEnd =
			topicAt + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
		let q = qos === 0 ? topicEnd : topicEnd + 2;
		if (qos === 3 || q > next || topicAt > next)
			throw malformed("a malformed PUBLISH [MQTT-3.3.1-4]");
		const id = ((bytes[q - 2] as number) << 8) | (bytes[q - 1] as number);

		const batch = this.#batch;
		const i = batch.count;
		batch.topicAt[i] = topicAt;
		batch.topicEnd[i] = topicEnd;
		// A store of a pointer costs more than the comparison that mostly spares it.
		if (batch.topicIn[i] !== bytes) batch.topicIn[i] = bytes;
		if (this.#v5) {
			if (q >= next) throw malformed("a PUBLISH without properties");
			q = this.#found.read(bytes, q, next);
			this.#found.note(batch, i, this.#now);
			if (this.#found.alias >= 0) this.#alias(inlet, i);
		}
		batch.payloadAt[i] = q;
		batch.payloadEnd[i] = next;
		batch.flags[i] = first & 1 ? RETAINED : 0;
		this.#qos[i] = qos;
		this.#ids[i] = id;
		if (qos > 0) this.#identified = true;
		if (qos === 2 && live && this.#known(inlet, id)) return;
		// NATS repeats on the same connection what waits longer than its ack_wait: taken already, and
		// two PUBACKs for one id could answer the next message that gets the id.
		if (qos === 1 && live && first & DUP && this.#acks.owes(id)) return;
		if (next - q > this.o.maxReading) this.#refuse(inlet, i, live);
		else batch.count = i + 1;
	}

	#alias(inlet: Inlet, i: number): void {
		const batch = this.#batch;
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

	/**
	 * Gives the batch to the line and notes which ids wait for which ledger numbers. Ids of
	 * left-over readings (not live) belong to a connection that is gone: nobody waits for them.
	 */
	#hand(inlet: Inlet, live: boolean): void {
		const batch = this.#batch;
		const count = batch.count;
		if (count === 0) return;
		batch.bytes = inlet.bytes;
		const identified = this.#identified && live;
		this.#identified = false;
		this.#taken += count;
		let number: number;
		try {
			number = this.#intake.take(batch);
		} finally {
			batch.count = 0;
		}
		if (!identified) return;
		this.#takenWithId += count;
		for (let i = 0; i < count; i++) {
			const qos = this.#qos[i] as number;
			if (qos > 0) this.#expect(this.#ids[i] as number, qos, number + i);
		}
		if (!this.o.gather?.on) this.#answer();
	}

	#expect(id: number, qos: number, number: number): void {
		this.#acks.push(id, qos, number);
		if (qos === 2) this.#unsettled.set(id, number);
	}

	/** Acknowledges what is settled; while readings gather, once for all connections' doings of this turn. */
	#endTurn(): void {
		if (this.#turning) return;
		this.#turning = true;
		if (this.o.gather) this.o.gather.last(this.#turned);
		else this.#turned();
	}

	readonly #turned = (): void => {
		this.#turning = false;
		const read = this.#taken > 0;
		this.#taken = 0;
		// Our data carries the TCP acknowledgement that the broker waits for; a PINGRESP alone needs no other PINGREQ.
		const answered = this.#answer();
		if (!answered && read && !this.#stopped && this.#flow?.held)
			this.#connection?.ping();
	};

	#answer(): boolean {
		if (this.#acks.length === 0) return false;
		const sent = this.#connection?.unsent === 0;
		const packets = this.#acks.settle(this.#settled, this.#released, sent);
		if (packets) this.#connection?.write(packets);
		return packets !== undefined;
	}

	/* ----------------------------------------------------------------- QoS 2 */

	readonly #released = (id: number): void => {
		this.#unsettled.delete(id);
		this.#received.add(id);
	};

	/** A QoS 2 message that came on an earlier connection is not taken twice: only its PUBREC is owed. */
	#known(inlet: Inlet, id: number): boolean {
		const number = this.#received.has(id) ? -1 : this.#unsettled.get(id);
		if (number === undefined) return false;
		this.#hand(inlet, true); // those before it are answered before it [MQTT-4.6.0-3]
		this.#acks.push(id, 2, number);
		return true;
	}

	#release(inlet: Inlet): void {
		const { bytes, body } = inlet;
		const [high, low] = [bytes[body] as number, bytes[body + 1] as number];
		this.#received.delete((high << 8) | low);
		this.#connection?.write(Buffer.of(0x70, 2, high, low)); // PUBCOMP
	}

	/* ------------------------------------------------------- readings refused */

	/** A payload over the limit that fitted into the slab. */
	#refuse(inlet: Inlet, i: number, live: boolean): void {
		const batch = this.#batch;
		const [qos, id] = [this.#qos[i] as number, this.#ids[i] as number];
		const refused = Oversized.of(inlet, batch, i, this.#keep);
		this.#hand(inlet, live);
		const number = this.#tell(refused);
		if (qos > 0 && live) this.#expect(id, qos, number);
	}

	/** A packet that shall not be taken whole: its head is kept, the rest skipped as it comes. */
	#meetOversized(inlet: Inlet): void {
		if (inlet.first >> 4 !== PUBLISH)
			throw malformed("a control packet that is too large");
		if (this.#paused) inlet.blocked = true;
		if (inlet.blocked || inlet.end - inlet.at < HEAD) return;
		this.#hand(inlet, true);
		this.#oversized = Oversized.ahead(inlet, this.#v5, this.#keep);
		inlet.abandon();
	}

	#refuseOversized(): void {
		const refused = this.#oversized as Oversized;
		this.#oversized = undefined;
		const { id, qos } = refused;
		const known = qos === 2 && this.#received.has(id);
		const number = known ? -1 : this.#tell(refused);
		if (known) this.#acks.push(id, 2, number);
		else if (qos > 0) this.#expect(id, qos, number);
	}

	#tell(refused: Oversized): number {
		const error = refused.error(this.o.maxReading);
		return this.#intake.refuse(refused.topic, refused.payload, error);
	}

	get #keep(): number {
		return this.o.keepRefused ?? 64 * 1024;
	}

	/* -------------------------------------- readings from a lost connection */

	#leave(inlet: Inlet): void {
		if (this.#leftOver.length < LEFT_OVER) this.#leftOver.push(inlet.keep());
		else
			this.o.log?.warn(
				{ topic: this.o.topic, bytes: inlet.end - inlet.at },
				"unread readings of a lost connection were dropped",
			);
	}

	/**
	 * What was read before the connection was lost, while the line paused. With a session the
	 * broker sends QoS 1 and 2 again; what it will not send again is handed over now.
	 */
	#drinkLeftOver(): void {
		const drinking = this.#drinking;
		const haul = drinking ? undefined : this.#borrow();
		this.#drinking = true;
		try {
			while (this.#leftOver.length > 0 && !this.#paused)
				this.#drinkOldest(this.#leftOver[0] as Inlet);
		} finally {
			this.#drinking = drinking;
			if (haul) this.#hauls.push(haul);
		}
	}

	#drinkOldest(inlet: Inlet): void {
		try {
			this.#drinkRest(inlet);
		} catch (thrown) {
			const { code, message } = asWasieveError(thrown);
			if (code !== "E_MQTT_PROTOCOL") throw thrown;
			this.o.log?.warn({ topic: this.o.topic, code }, message);
			inlet.at = inlet.end; // the connection to be reset is gone already
		}
		this.#hand(inlet, false);
		if (!inlet.find()) this.#leftOver.shift();
	}

	#drinkRest(inlet: Inlet): void {
		while (!this.#paused && inlet.find()) {
			const again = this.#session && (inlet.first & 6) > 0;
			if (inlet.first >> 4 === PUBLISH && !again) this.#publish(inlet, false);
			inlet.at = inlet.next;
			if (this.#batch.count === BATCH) this.#hand(inlet, false);
		}
	}
}
