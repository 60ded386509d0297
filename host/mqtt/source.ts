import type { Clock, Intake, Log, Source } from "../contract.js";
import { WasieveError } from "../errors.js";
import {
	Connection,
	type Owner,
	PUBLISH,
	PUBREL,
	type Server,
} from "./connection.js";
import { Flow } from "./flow.js";
import type { Gather } from "./gather.js";
import { ALIASES, BATCH, Haul } from "./haul.js";
import { type Inlet, malformed, SLAB } from "./inlet.js";
import { LeftOver, type Reader } from "./left-over.js";
import { Once } from "./once.js";
import type { BrokerOptions } from "./options.js";
import { Receipts } from "./receipts.js";
import { Refusals } from "./refusals.js";
import { Subscription } from "./subscription.js";

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
/** Room for topic (64 KiB at most), id and properties around a payload of maxReading. */
const HEAD = 68 * 1024;

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

export class MqttSource implements Source, Owner, Reader {
	readonly largest: number;
	readonly properties: Record<string, number>;
	readonly #v5: boolean;
	/** Borrowed for the time of a drink. */
	#haul!: Haul;
	readonly #started = new Once<void>();
	#intake!: Intake;
	#connection: Connection | undefined;
	#inlet: Inlet | undefined;
	readonly #leftOver: LeftOver;
	#refusals!: Refusals;
	#subscription: Subscription | undefined;
	/** Whether the broker kept our session: then it sends again what we have not acknowledged. */
	#session = false;
	#paused = false;
	#stopped = false;
	#drinking = false;
	#now = 0;
	readonly #receipts = new Receipts();
	/** Of this connection. */
	#flow: Flow | undefined;
	/** Readings, and those with an id, handed over in the last drink(). */
	#taken = 0;
	#takenWithId = 0;
	#turning = false;

	constructor(private readonly o: SourceOptions) {
		this.largest = Math.max(SLAB, o.maxReading + HEAD);
		this.#v5 = o.broker.protocol === 5;
		this.#leftOver = new LeftOver(o.topic, o.log);
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
		const { maxReading, keepRefused } = this.o;
		this.#refusals = new Refusals(
			maxReading,
			keepRefused,
			intake,
			this.#receipts,
		);
		this.#connection = new Connection(this.o.broker, this);
		this.#subscription = new Subscription(this.o, this.#connection, () => {
			this.#started.resolve();
			this.#intake.health(undefined);
		});
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
		if (below <= this.#receipts.settled) return;
		this.#receipts.settled = below;
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
		if (!session) this.#receipts.forget();
	}

	up(server: Server): void {
		this.#subscription?.up(server);
	}

	down(error: WasieveError): void {
		this.#receipts.lost();
		this.#refusals.lost();
		if (this.#inlet?.blocked) this.#leftOver.keep(this.#inlet);
		this.#inlet = undefined;
		this.#subscription?.down();
		this.#intake.health(error);
	}

	/** Whether SUBSCRIBE has been sent on this connection. */
	get asked(): boolean {
		return this.#subscription?.asked === true;
	}

	/** Again on the same connection, it brings all retained messages again [MQTT-3.8.4-3]. */
	subscribe(): void {
		this.#subscription?.subscribe();
	}

	/* --------------------------------------------------------------- packets */

	/** Hands over what has come, until the line pauses or the bytes end. */
	drink(inlet: Inlet): void {
		this.#inlet = inlet;
		this.#drinking = true;
		this.#haul = Haul.borrow(this.o.broker.protocol);
		const haul = this.#haul;
		const owed = this.#receipts.owed;
		const bytes = inlet.end - inlet.at;
		this.#taken = this.#takenWithId = 0;
		if (this.#v5) this.#now = this.o.clock();
		try {
			this.#refusals.come(inlet);
			while (inlet.find()) {
				if (inlet.first >> 4 === PUBLISH) {
					if (this.#paused) {
						inlet.blocked = true;
						break;
					}
					this.#publish(inlet, true);
					if (haul.batch.count === BATCH) this.#hand(inlet, true);
				} else this.#other(inlet);
				inlet.at = inlet.next;
			}
			if (inlet.next - inlet.at > this.largest) this.#meetOversized(inlet);
		} finally {
			this.#hand(inlet, true); // also what came before a malformed packet
			this.#drinking = false;
			haul.giveBack();
		}
		const open = this.#takenWithId > 0 ? owed + this.#takenWithId : 0;
		if (this.#taken > 0)
			this.#flow?.took(this.#taken, bytes, open, this.#paused);
		this.#endTurn();
	}

	#other(inlet: Inlet): void {
		if (inlet.first >> 4 === PUBREL)
			this.#connection?.write(this.#receipts.release(inlet));
		else this.#connection?.control(inlet);
		if (!this.#leftOver.empty) this.#drinkLeftOver(); // CONNACK: what was read before comes first
	}

	#publish(inlet: Inlet, live: boolean): void {
		const haul = this.#haul;
		const { batch } = haul;
		const qos = haul.note(inlet, this.#now);
		const i = batch.count;
		const suspect = qos === 2 || (qos === 1 && (inlet.first & DUP) > 0);
		if (suspect && live && this.#repeated(inlet, qos, haul.ids[i] as number))
			return;
		const size = inlet.next - (batch.payloadAt[i] as number);
		if (size > this.o.maxReading) this.#refuse(inlet, i, live);
		else haul.keep(qos);
	}

	/** Whether the reading noted has been taken already; a QoS 2 one gets its PUBREC again. */
	#repeated(inlet: Inlet, qos: number, id: number): boolean {
		// NATS repeats on the same connection what waits longer than its ack_wait: two PUBACKs for one
		// id could answer the next message that gets the id. While the line paused, both have waited in the socket.
		const held = (inlet.first & DUP) > 0 && this.#haul.holds(id, qos);
		if (qos === 1) return held || this.#receipts.owes(id);
		if (!held && !this.#receipts.knows(id)) return false;
		this.#hand(inlet, true); // those before it are answered before it [MQTT-4.6.0-3]
		this.#receipts.again(id);
		return true;
	}

	/**
	 * Gives the batch to the line and notes which ids wait for which ledger numbers. Ids of
	 * left-over readings (not live) belong to a connection that is gone: nobody waits for them.
	 */
	#hand(inlet: Inlet, live: boolean): void {
		const haul = this.#haul;
		const { batch } = haul;
		const count = batch.count;
		if (count === 0) return;
		batch.bytes = inlet.bytes;
		const identified = haul.identified && live;
		haul.identified = false;
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
			const qos = haul.qos[i] as number;
			if (qos > 0)
				this.#receipts.expect(haul.ids[i] as number, qos, number + i);
		}
		if (!this.o.gather?.on) this.#answer();
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
		// Our data carries the TCP acknowledgement that the broker waits for.
		const answered = this.#answer();
		if (!answered && !this.#stopped && this.#flow?.nudged(read))
			this.#connection?.ping();
	};

	#answer(): boolean {
		return (
			this.#connection !== undefined && this.#receipts.answer(this.#connection)
		);
	}

	/** A payload over the limit that fitted into the slab. */
	#refuse(inlet: Inlet, i: number, live: boolean): void {
		const haul = this.#haul;
		const [qos, id] = [haul.qos[i] as number, haul.ids[i] as number];
		const refused = this.#refusals.whole(inlet, haul.batch, i);
		this.#hand(inlet, live);
		this.#refusals.tell(refused, live ? qos : 0, id);
	}

	/** A packet that shall not be taken whole: its head is kept, the rest skipped as it comes. */
	#meetOversized(inlet: Inlet): void {
		if (inlet.first >> 4 !== PUBLISH)
			throw malformed("a control packet that is too large");
		if (this.#paused) inlet.blocked = true;
		if (inlet.blocked || inlet.end - inlet.at < HEAD) return;
		this.#hand(inlet, true);
		this.#refusals.passBy(inlet, this.#v5);
	}

	/* -------------------------------------- readings from a lost connection */

	#drinkLeftOver(): void {
		const drinking = this.#drinking;
		if (!drinking) this.#haul = Haul.borrow(this.o.broker.protocol);
		const haul = this.#haul;
		this.#drinking = true;
		try {
			this.#leftOver.drink(this, this.#session);
		} finally {
			this.#drinking = drinking;
			if (!drinking) haul.giveBack();
		}
	}

	get paused(): boolean {
		return this.#paused;
	}

	read(inlet: Inlet): void {
		this.#publish(inlet, false);
		if (this.#haul.batch.count === BATCH) this.#hand(inlet, false);
	}

	handOver(inlet: Inlet): void {
		this.#hand(inlet, false);
	}
}
