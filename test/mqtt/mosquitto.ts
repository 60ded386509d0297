import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/ports.mjs";

export { freePort };

const BINARY = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].find(existsSync);

/** As root it would become another user, who cannot read our files. */
const ROOT = process.getuid?.() === 0 ? ["user root"] : [];

/** Whether there is a mosquitto; says so once when there is none. */
export const hasMosquitto = BINARY !== undefined;
if (!hasMosquitto)
	console.warn(
		"skipped: mosquitto is not installed (apt-get install mosquitto)",
	);

/** A mosquitto of our own on a free port of the loopback. */
export class Mosquitto {
	readonly folder = mkdtempSync(join(tmpdir(), "wasieve-mosquitto-"));
	port = 0;
	#child: ChildProcess | undefined;

	/** @param lines of mosquitto.conf besides the listener */
	constructor(public lines: readonly string[] = OPEN) {}

	/** Starts, or starts again on the same port. */
	async start(): Promise<void> {
		this.port ||= await freePort();
		const config = join(this.folder, "mosquitto.conf");
		writeFileSync(
			config,
			[`listener ${this.port} 127.0.0.1`, ...ROOT, ...this.lines, ""].join(
				"\n",
			),
		);
		const child = spawn(BINARY as string, ["-c", config], {
			stdio: ["ignore", "ignore", "pipe"],
		});
		this.#child = child;
		let log = "";
		for await (const chunk of child.stderr as NodeJS.ReadableStream) {
			log += chunk;
			if (/mosquitto version \S+ running/.test(log)) break;
		}
		if (!log.includes("running")) throw new Error(log);
		child.stderr?.resume();
	}

	async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (!child || child.exitCode !== null) return;
		child.kill(signal);
		await once(child, "exit");
	}

	async remove(): Promise<void> {
		await this.stop();
		rmSync(this.folder, { recursive: true, force: true });
	}

	get url(): string {
		return `mqtt://127.0.0.1:${this.port}`;
	}
}

/** Anybody may connect; nothing is dropped. */
export const OPEN = [
	"allow_anonymous true",
	"max_queued_messages 0",
	"persistence false",
	"log_type all",
] as const;
