// A wire that can be cut: a TCP proxy on loopback in front of a broker.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * @param {number} target port of the broker
 * @returns {Promise<{ port: number, cut: () => number, close: () => void }>} `cut` breaks all connections and says how many there were
 */
export async function openCutter(target) {
	/** @type {Set<import("node:net").Socket>} */
	const sockets = new Set();
	const server = createServer({ noDelay: true }, (near) => {
		const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
		for (const [one, other] of [
			[near, far],
			[far, near],
		]) {
			sockets.add(one);
			one.pipe(other);
			one.on("error", () => other.destroy());
			one.on("close", () => {
				sockets.delete(one);
				other.destroy();
			});
		}
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	/** Two sockets a connection. */
	function cut() {
		const connections = sockets.size / 2;
		for (const socket of sockets) socket.resetAndDestroy();
		return connections;
	}
	return {
		port: address.port,
		cut,
		close() {
			server.close();
			cut();
		},
	};
}
