import { once } from "node:events";
import net from "node:net";
import {
	generate,
	type IConnackPacket,
	type Packet,
	parser,
} from "mqtt-packet";
import { Queue } from "./recorders.js";

/** What the client has connected with, and everything it has sent since. */
export class Client {
	readonly packets: Packet[] = [];
	readonly #queues = new Map<string, Queue<Packet>>();
	ended = false;

	constructor(
		readonly socket: net.Socket,
		readonly protocol: 4 | 5,
	) {}

	/** The next packet of this kind that has not been asked for yet. */
	next(cmd: string): Promise<Packet & { messageId: number }> {
		return this.queue(cmd).next() as Promise<Packet & { messageId: number }>;
	}

	queue(cmd: string): Queue<Packet> {
		const queue = this.#queues.get(cmd) ?? new Queue<Packet>();
		this.#queues.set(cmd, queue);
		return queue;
	}

	send(packet: Packet): void {
		this.raw(generate(packet, { protocolVersion: this.protocol }));
	}

	raw(bytes: Buffer): void {
		this.socket.write(bytes);
	}

	took(packet: Packet): void {
		this.packets.push(packet);
		this.queue(packet.cmd).push(packet);
	}
}

/**
 * A broker that does only what a test tells it to: it says CONNACK, SUBACK and PINGRESP by
 * itself and writes down the rest.
 */
export class FakeBroker {
	readonly clients = new Queue<Client>();
	readonly #server = net.createServer((socket) => this.#serve(socket));
	readonly #sockets = new Set<net.Socket>();
	/** Answered to CONNECT; undefined: nothing. */
	connack: Partial<IConnackPacket> | undefined = {};
	granted: number | undefined = undefined;
	/** Whether SUBSCRIBE is answered. */
	subscribes = true;
	port = 0;

	constructor(readonly protocol: 4 | 5 = 4) {}

	async start(): Promise<this> {
		this.#server.listen(this.port, "127.0.0.1");
		await once(this.#server, "listening");
		this.port = (this.#server.address() as net.AddressInfo).port;
		return this;
	}

	get url(): string {
		return `mqtt://127.0.0.1:${this.port}`;
	}

	async stop(): Promise<void> {
		for (const socket of this.#sockets) socket.destroy();
		this.#server.close();
		await once(this.#server, "close");
	}

	#serve(socket: net.Socket): void {
		socket.setNoDelay(true);
		this.#sockets.add(socket);
		socket.on("error", () => {});
		const client = new Client(socket, this.protocol);
		const parse = parser({ protocolVersion: this.protocol });
		parse.on("packet", (packet: Packet) => this.#answer(client, packet));
		socket.on("data", (chunk) => parse.parse(chunk));
		socket.on("close", () => {
			client.ended = true;
			this.#sockets.delete(socket);
			client.queue("close").push({ cmd: "disconnect" });
		});
	}

	#answer(client: Client, packet: Packet): void {
		client.took(packet);
		if (packet.cmd === "connect") {
			if (this.connack) client.send(this.#connack());
			this.clients.push(client);
		} else if (packet.cmd === "subscribe") {
			if (!this.subscribes) return;
			const asked = packet.subscriptions[0]?.qos ?? 0;
			client.send({
				cmd: "suback",
				messageId: packet.messageId as number,
				granted: [this.granted ?? asked],
			});
		} else if (packet.cmd === "pingreq") client.send({ cmd: "pingresp" });
	}

	#connack(): IConnackPacket {
		return {
			cmd: "connack",
			sessionPresent: false,
			...(this.protocol === 5 ? { reasonCode: 0 } : { returnCode: 0 }),
			...this.connack,
		};
	}
}
