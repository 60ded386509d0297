import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../mqtt/mosquitto.js";

const BINARY = ["/usr/bin/docker-registry", "/usr/bin/registry"].find(
	existsSync,
);

export const hasRegistry = BINARY !== undefined;
if (!hasRegistry)
	console.warn(
		"skipped: docker-registry is not installed (apt-get install docker-registry)",
	);

/** The distribution project's registry, ours alone: a free port of the loopback, a folder of its own. */
export class DockerRegistry {
	readonly folder = mkdtempSync(join(tmpdir(), "wasieve-registry-"));
	port = 0;
	#child: ChildProcess | undefined;

	/** @param more lines of the config below `http:` */
	async start(more: readonly string[] = []): Promise<this> {
		this.port ||= await freePort();
		const config = join(this.folder, "config.yml");
		const lines = [
			"version: 0.1",
			`storage: { filesystem: { rootdirectory: ${join(this.folder, "data")} } }`,
			"http:",
			`  addr: 127.0.0.1:${this.port}`,
			...more,
			"",
		];
		writeFileSync(config, lines.join("\n"));
		const child = spawn(BINARY as string, ["serve", config], {
			stdio: ["ignore", "ignore", "pipe"],
			env: { OTEL_TRACES_EXPORTER: "none" },
		});
		this.#child = child;
		await listening(child);
		return this;
	}

	get name(): string {
		return `localhost:${this.port}`;
	}

	async stop(): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (!child || child.exitCode !== null) return;
		child.kill("SIGKILL");
		await once(child, "exit");
	}

	async remove(): Promise<void> {
		await this.stop();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

/** Its log is read to the end: a registry that cannot write its log dies. */
function listening(child: ChildProcess): Promise<void> {
	let log = "";
	return new Promise((resolve, reject) => {
		child.stderr?.setEncoding("utf8").on("data", (text) => {
			log += text;
			if (log.includes("listening on ")) resolve();
		});
		child.on("exit", () => reject(new Error(log)));
	});
}
