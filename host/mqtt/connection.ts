import type { Socket } from "node:net";
// The client class alone: the package's front door brings websockets and proxies along.
import mqttClient from "mqtt/lib/client";
import { asWasieveError, type WasieveError } from "../errors.js";
import { Backoff } from "./backoff.js";
import { Control } from "./control.js";
import {
	clientFault,
	closedFault,
	connackFault,
	disconnectFault,
	silentFault,
	socketFault,
} from "./faults.js";
import { Inlet } from "./inlet.js";
import { Keepalive } from "./keepalive.js";
import { type BrokerOptions, parseTarget, type Target } from "./options.js";
import { openSocket } from "./socket.js";

// It is CommonJS with a `default` inside, which some loaders have unwrapped by now and others not.
const MqttClient = mqttClient.default ?? mqttClient;

/** Packet types [MQTT-2.1.2]. */
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
const PINGRESP = 13;
const PINGREQ = Buffer.of(0xc0, 0);

const PEER_CLOSED = new Set<string | undefined>(["ECONNRESET", "EPIPE"]);

/** What CONNACK says about the broker; MQTT 3.1.1 brokers say nothing but `session`. */
export interface Server {
	/** Whether the broker kept a session for this client id. */
	session: boolean;
	receiveMaximum: number;
	maximumQoS: number;
	retain: boolean;
	maximumPacketSize: number;
}

/** Who uses a connection: a source or a publisher. */
export interface Owner {
	/** Bytes of the largest packet to take whole. */
	readonly largest: number;
	/** CONNECT properties (MQTT 5). */
	readonly properties: Record<string, number>;
	/** Handles the packets in `inlet` as far as they have come; control() takes what it does not know. */
	drink(inlet: Inlet): void;
	/** CONNACK has been found in the stream: the packets behind it belong to this session or a new one. */
	accepted(session: boolean): void;
	/** Connected; packets may be sent. */
	up(server: Server): void;
	/** The connection, or an attempt to make one, is over. `byPeer`: the broker closed it. */
	down(error: WasieveError, byPeer: boolean): void;
	/** The socket's buffer is empty again. */
	drained?(): void;
}

/**
 * One connection to a broker, made again for ever. MQTT.js shakes hands, subscribes and
 * reconnects; the owner drinks PUBLISH and its acknowledgements straight from the inlet.
 */
export class Connection {
	readonly target: Target;
	readonly client: InstanceType<typeof MqttClient>;
	connected = false;
	#socket: Socket | undefined;
	#control: Control | undefined;
	#inlet: Inlet;
	#keepalive: Keepalive | undefined;
	#fault: WasieveError | undefined;
	#byPeer = false;
	readonly #backoff: Backoff;
	#upAt = 0;
	#closing = false;

	constructor(
		private readonly broker: BrokerOptions,
		private readonly owner: Owner,
	) {
		this.target = parseTarget(broker.url);
		this.#backoff = new Backoff(broker.reconnect);
		this.#inlet = new Inlet(owner.largest);
		this.client = new MqttClient(() => this.#open(), this.#clientOptions());
		this.#listen();
		this.client.connect();
	}

	/** Sends whole packets; false when the socket's buffer is full. The bytes must stay until they are sent. */
	write(packets: Buffer): boolean {
		if (this.#keepalive) this.#keepalive.sent = true;
		return this.#socket?.write(packets) ?? false;
	}

	/** Bytes given to the socket that the kernel has not taken yet. */
	get unsent(): number {
		return this.#socket?.writableLength ?? 0;
	}

	/** A packet with no other effect than to carry the TCP acknowledgement of what was received. */
	ping(): void {
		this.write(PINGREQ);
	}

	/** Gives the packet just found to MQTT.js. */
	control(inlet: Inlet): void {
		if (inlet.first >> 4 === CONNACK && inlet.bytes[inlet.body + 1] === 0)
			this.owner.accepted(inlet.bytes[inlet.body] === 1);
		if (inlet.first >> 4 === PINGRESP) return; // Keepalive has heard it
		this.#control?.deliver(inlet);
	}

	/** Goes on after the inlet was blocked: with what has come already, then with the socket. */
	resume(): void {
		const inlet = this.#inlet;
		inlet.blocked = false;
		this.#drink(inlet);
		if (!inlet.blocked) this.#socket?.resume();
	}

	/** Runs what is due outside of a read. A defect in it is this connection's matter, as within one, and not the thread's end. */
	attempt(work: () => void): void {
		try {
			work();
		} catch (thrown) {
			this.reset(asWasieveError(thrown));
		}
	}

	/** Drops the connection because of `fault`; a new attempt follows. */
	reset(fault: WasieveError): void {
		this.#fault ??= fault;
		this.#socket?.destroy();
	}

	/** For MQTT.js' next attempt: whether to ask for a clean session. */
	set clean(clean: boolean) {
		this.client.options.clean = clean;
	}

	/** Says goodbye, once all that was written has left; for good after `deadline` ms. */
	async close(deadline = 1000): Promise<void> {
		this.#closing = true;
		this.#keepalive?.stop();
		// Unread input would turn our FIN into a RST, and that could overtake the last PUBACKs.
		this.#inlet.blocked = false;
		this.#discard(this.#inlet);
		this.#socket?.resume();
		const ended = this.client.endAsync(!this.connected);
		await within(deadline, ended);
		this.#socket?.destroy();
	}

	#clientOptions() {
		const { broker, owner, target } = this;
		return {
			protocolId: "MQTT" as const,
			protocolVersion: broker.protocol,
			clientId: broker.clientId,
			...defined("username", broker.username ?? target.username),
			...defined("password", broker.password ?? target.password),
			keepalive: broker.keepalive,
			clean: broker.clean,
			...(broker.will ? { will: willOf(broker.will) } : {}),
			...(broker.protocol === 5 ? { properties: owner.properties } : {}),
			connectTimeout: broker.connectTimeout,
			reconnectPeriod: broker.reconnect.min, // until #setPause() knows better
			reconnectOnConnackError: true,
			manualConnect: true,
			resubscribe: false,
			writeCache: false, // 6–11 MiB of numbers otherwise
			timerVariant: NO_TIMER,
			log: () => {},
		};
	}

	#listen(): void {
		this.client.on("connect", (connack) => this.#up(connack));
		this.client.prependListener("close", () => this.#setPause());
		this.client.on("close", () => this.#down());
		this.client.on("disconnect", (packet) => {
			this.#byPeer = true;
			this.#fault ??= disconnectFault(packet.reasonCode ?? 0, this.target);
		});
		this.client.on("error", (error) => this.#refused(error));
	}

	#refused(error: Error & { code?: unknown }): void {
		this.#fault ??=
			typeof error.code === "number"
				? connackFault(error.code, this.broker.protocol, this.target)
				: clientFault(error, this.target);
		// MQTT.js closes the stream before it says why: #down() waits for this turn to end.
	}

	#open(): Control {
		this.#fault = undefined;
		this.#byPeer = false;
		const inlet = new Inlet(this.owner.largest);
		const socket = openSocket(this.target, this.broker.tls, inlet, () => {
			if (socket === this.#socket) this.#read(inlet);
		});
		const control = new Control(socket);
		socket.on("error", (error) => {
			if (socket !== this.#socket) return;
			this.#byPeer ||= PEER_CLOSED.has((error as NodeJS.ErrnoException).code);
			this.#fault ??= socketFault(error, this.target);
		});
		socket.on("drain", () => this.attempt(() => this.owner.drained?.()));
		socket.on("close", () => control.destroy());
		this.#inlet = inlet;
		this.#socket = socket;
		this.#control = control;
		return control;
	}

	#read(inlet: Inlet): void {
		if (this.#keepalive) this.#keepalive.heard = true;
		this.#drink(inlet);
		inlet.settle();
	}

	/** Whoever called, what the broker sent wrong is the connection's matter. */
	#drink(inlet: Inlet): void {
		try {
			if (this.#closing) this.#discard(inlet);
			else this.owner.drink(inlet);
		} catch (thrown) {
			this.reset(asWasieveError(thrown));
		}
	}

	/** While closing: MQTT.js still gets its answers (it waits for SUBACK), nobody gets readings. */
	#discard(inlet: Inlet): void {
		while (inlet.find()) {
			if (inlet.first >> 4 !== PUBLISH) this.#control?.deliver(inlet);
			inlet.at = inlet.next;
		}
		if (inlet.next > inlet.end && inlet.first >> 4 === PUBLISH) inlet.abandon();
	}

	#up(connack: {
		sessionPresent?: boolean;
		properties?: Record<string, unknown>;
	}): void {
		this.connected = true;
		this.#upAt = performance.now();
		if (this.client.keepalive > 0)
			this.#keepalive = new Keepalive(
				this.client.keepalive,
				() => this.#inlet.blocked,
				() => this.ping(),
				() => this.reset(silentFault(this.target, "has fallen silent")),
			);
		this.attempt(() => this.owner.up(serverOf(connack)));
	}

	/** Sets the pause before MQTT.js looks at it. */
	#setPause(): void {
		if (this.connected) this.#backoff.held(performance.now() - this.#upAt);
		this.client.options.reconnectPeriod = this.#backoff.next();
	}

	#down(): void {
		const connected = this.connected;
		this.connected = false;
		this.#keepalive?.stop();
		this.#keepalive = undefined;
		if (this.#closing) return;
		const byPeer = this.#byPeer || this.#fault === undefined;
		const fault = this.#fault ?? closedFault(this.target, connected);
		this.attempt(() => this.owner.down(fault, byPeer));
	}
}

/** Waits for `ended`, but no longer than `ms`. */
async function within(ms: number, ended: Promise<void>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
	});
	await Promise.race([ended, deadline]);
	clearTimeout(timer);
}

/** MQTT.js' own keep-alive is off; see Keepalive. */
const NO_TIMER = { set: () => 0, clear: () => {} };

function defined<K extends string>(key: K, value: string | undefined) {
	return (value === undefined ? {} : { [key]: value }) as { [k in K]?: string };
}

function willOf(will: NonNullable<BrokerOptions["will"]>) {
	return { ...will, payload: Buffer.from(will.payload) };
}

function serverOf(connack: {
	sessionPresent?: boolean;
	properties?: Record<string, unknown>;
}): Server {
	const p = connack.properties ?? {};
	return {
		session: connack.sessionPresent === true,
		receiveMaximum: numberOf(p.receiveMaximum, 65_535),
		maximumQoS: numberOf(p.maximumQoS, 2),
		retain: p.retainAvailable !== false && p.retainAvailable !== 0,
		maximumPacketSize: numberOf(p.maximumPacketSize, Number.POSITIVE_INFINITY),
	};
}

function numberOf(value: unknown, otherwise: number): number {
	return typeof value === "number" ? value : otherwise;
}
