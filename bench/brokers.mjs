// The brokers that a gateway is measured through, each started anew for a run.
import { end, launchProgram, told, whileAlive } from "./children.mjs";
import { mosquittoVersion, startMosquitto } from "./mosquitto.mjs";

const AEDES = new URL("./load/aedes-process.mjs", import.meta.url);

/**
 * @typedef {object} Broker
 * @property {number} port
 * @property {number} pid
 * @property {() => Promise<void>} stop
 *
 * @typedef {"aedes" | keyof typeof import("./mosquitto.mjs").SETTINGS} BrokerKind
 *   aedes: the gateway's embedded broker, in a process of its own; else a mosquitto with these settings
 */

/**
 * @param {BrokerKind} kind
 * @returns {Promise<Broker>}
 */
export function startBroker(kind) {
	return kind === "aedes" ? startAedes() : startMosquitto(kind);
}

async function startAedes() {
	const child = launchProgram(AEDES, []);
	const port = await whileAlive(told(child, "port"), [child], 10_000, "aedes");
	const pid = /** @type {number} */ (child.pid);
	return { port, pid, stop: () => end(child) };
}

/** @type {Record<"mosquitto" | "aedes", { kind: BrokerKind, why: () => string }>} */
export const BROKERS = {
	mosquitto: {
		kind: "unbounded",
		why: () => (mosquittoVersion() ? "" : "mosquitto is not installed"),
	},
	aedes: { kind: "aedes", why: () => "" },
};
