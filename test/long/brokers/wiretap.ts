import { once } from "node:events";
import net from "node:net";
import { type IPublishPacket, type Packet, parser } from "mqtt-packet";

/** A TCP proxy between the gateway and its broker that reads along and can cut the line. */
export interface Wiretap {
	port: number;
	/** Ends all connections at once, as a pulled cable would; new ones are let through. */
	cut(): void;
	/** How many connections there have been. */
	readonly connections: number;
	/** PUBACKs that have been seen. */
	readonly acknowledged: number;
	/** PUBACKs out of order [MQTT-4.6.0-2] and readings acknowledged before their alert was safe, in words. */
	readonly disorder: readonly string[];
	/** Numbers of the alerts that the broker has acknowledged: what is missing of these it has lost itself. */
	readonly safe: ReadonlySet<number>;
	/** Numbers of the readings that the broker has brought. */
	readonly brought: ReadonlySet<number>;
	/** Resolves when the gateway has gone and all it said has been read. */
	close(): Promise<void>;
}

/** Readings that one connection owes a PUBACK, in the order they came. */
type Owed = { id: number; reading: number }[];

export async function wiretap(
	brokerPort: number,
	protocolVersion: 4 | 5,
): Promise<Wiretap> {
	const sockets = new Set<net.Socket>();
	const disorder: string[] = [];
	const safe = new Set<number>();
	const brought = new Set<number>();
	const seen = { connections: 0, acknowledged: 0 };

	const follow = (from: net.Socket, to: net.Socket, see: Listener) => {
		const parse = parser({ protocolVersion });
		parse.on("packet", see);
		sockets.add(from);
		from.setNoDelay(true);
		from.on("data", (chunk) => {
			parse.parse(chunk); // before the broker can answer what the gateway says
			to.write(chunk);
		});
		from.on("error", () => {});
		from.on("close", () => {
			sockets.delete(from);
			to.destroy();
		});
	};

	const server = net.createServer((gateway) => {
		seen.connections++;
		const broker = net.connect(brokerPort, "127.0.0.1");
		const owed: Owed = [];
		const flying = new Map<number, number>();
		follow(broker, gateway, (packet) => {
			if (packet.cmd === "publish" && packet.qos === 1) {
				const reading = numberIn(packet);
				brought.add(reading);
				owed.push({ id: packet.messageId as number, reading });
			} else if (packet.cmd === "puback") {
				const alert = flying.get(packet.messageId as number);
				// (mochi also sends acknowledgements of an earlier connection.)
				if (alert !== undefined) safe.add(alert);
			}
		});
		follow(gateway, broker, (packet) => {
			if (packet.cmd === "publish" && packet.qos === 1)
				flying.set(packet.messageId as number, numberIn(packet));
			if (packet.cmd !== "puback") return;
			seen.acknowledged++;
			const first = owed.shift();
			if (!first || packet.messageId !== first.id)
				disorder.push(
					`PUBACK ${packet.messageId}, but ${first?.id} came first`,
				);
			else if (!safe.has(first.reading))
				disorder.push(`reading ${first.reading} acknowledged before its alert`);
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");

	const cut = () => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port: (server.address() as net.AddressInfo).port,
		cut,
		disorder,
		safe,
		brought,
		get connections() {
			return seen.connections;
		},
		get acknowledged() {
			return seen.acknowledged;
		},
		async close() {
			server.close();
			await once(server, "close");
		},
	};
}

/** Readings and the alerts they cause have the same number in them. */
function numberIn(packet: IPublishPacket): number {
	return JSON.parse(packet.payload.toString()).timestamp;
}

type Listener = (packet: Packet) => void;
