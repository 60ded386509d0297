import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { WasieveError } from "../errors.js";

/** A broker inside the gateway, for trying things out and for small sites. */
export interface EmbeddedBroker {
	/** `mqtt://host:port` with the port it really has. */
	url: string;
	/** Ends all connections and stops listening. */
	close(): Promise<void>;
}

/**
 * Starts aedes (MQTT 3.1.1, no passwords). Port 0 takes a free one.
 * @throws {WasieveError} E_BROKER_MISSING without the optional package aedes, E_BROKER_PORT when the port cannot be had
 */
export async function startBroker(o: {
	host: string;
	port: number;
}): Promise<EmbeddedBroker> {
	const { Aedes } = await load();
	const aedes = await Aedes.createBroker();
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		socket.setNoDelay(true); // else Nagle × delayed ACK: 22 ms (docs/mqtt.md)
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		aedes.handle(socket);
	});
	const port = await listen(server, o.host, o.port);
	const host = o.host.includes(":") ? `[${o.host}]` : o.host;
	return {
		url: `mqtt://${host}:${port}`,
		async close() {
			await new Promise<void>((resolve) => aedes.close(resolve));
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}

/**
 * Whether there is an embedded broker to be had.
 * @throws {WasieveError} E_BROKER_MISSING
 */
export async function findBroker(): Promise<void> {
	await load();
}

async function load(): Promise<typeof import("aedes")> {
	try {
		return await import("aedes");
	} catch (cause) {
		throw new WasieveError(
			"E_BROKER_MISSING",
			"`broker: embedded` needs the package aedes, which is not installed.",
			{ cause, hint: "npm install aedes, or name a broker's URL." },
		);
	}
}

async function listen(
	server: Server,
	host: string,
	port: number,
): Promise<number> {
	server.listen(port, host);
	try {
		await once(server, "listening");
	} catch (cause) {
		throw new WasieveError(
			"E_BROKER_PORT",
			`The embedded broker cannot listen on ${host}:${port}: ${(cause as Error).message}.`,
			{ cause, hint: "Stop what uses the port, or choose another one." },
		);
	}
	return (server.address() as { port: number }).port;
}
