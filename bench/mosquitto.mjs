// A mosquitto of our own: own configuration, own port, nothing on disk.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { end, launch, scratchFolder, whileAlive } from "./children.mjs";
import { connect } from "./load/wire.mjs";
import { freePort } from "./ports.mjs";

/** Debian puts daemons where an ordinary PATH does not look. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** What a case asks of the broker, by name. */
export const SETTINGS = {
	/** What Debian's package does. */
	defaults: [],
	/** No Nagle: small packets leave at once. */
	nodelay: ["set_tcp_nodelay true"],
	/** Nothing is dropped however far a client falls behind. */
	unbounded: ["max_queued_messages 0", "max_inflight_messages 0"],
};

/** @returns {string | undefined} the version, or nothing when mosquitto is not installed */
export function mosquittoVersion() {
	try {
		execFileSync("mosquitto", ["-h"], { env: { ...process.env, PATH } });
		return "unknown";
	} catch (error) {
		// It prints its help and exits with 3.
		const text = String(/** @type {any} */ (error).stdout ?? "");
		return /version (\S+)/.exec(text)?.[1];
	}
}

let started = 0;

/**
 * @param {keyof typeof SETTINGS} settings
 * @returns {Promise<{ port: number, pid: number, stop: () => Promise<void> }>}
 */
export async function startMosquitto(settings) {
	const port = await freePort();
	const file = join(scratchFolder(), `mosquitto-${started++}.conf`);
	const lines = [
		`listener ${port} 127.0.0.1`,
		"allow_anonymous true",
		"persistence false",
		...SETTINGS[settings],
	];
	writeFileSync(file, `${lines.join("\n")}\n`);
	const child = launch("mosquitto", ["-c", file], { PATH });
	await whileAlive(answers(port), [child], 20_000, "mosquitto");
	return {
		port,
		pid: /** @type {number} */ (child.pid),
		stop: () => end(child),
	};
}

/** @param {number} port */
async function answers(port) {
	for (;;) {
		try {
			(await connect(port, "bench-knock")).destroy();
			return;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	}
}
