import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Linux gives outgoing connections, and whoever asks for any port, one from 32768 on. Below that nobody takes the
 * port before the program that it is for, or while that one is away.
 */
const [LOWEST, BEYOND] = [12_000, 32_000];

/** @returns {Promise<number>} a TCP port of the loopback that nobody listens on right now */
export async function freePort() {
	const port = randomInt(LOWEST, BEYOND);
	const server = createServer().listen(port, "127.0.0.1");
	try {
		await once(server, "listening");
	} catch {
		return freePort();
	}
	server.close();
	await once(server, "close");
	return port;
}
