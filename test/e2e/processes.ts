import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach } from "vitest";

export { freePort } from "../../bench/ports.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "build/bin/main.js");
/** Debian keeps mosquitto where an ordinary PATH does not look. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

export const OVERHEAT = join(ROOT, "build/overheat.wasm");

/** With what comes when each is gone and its last words have been heard: "close", which may be long after "exit". */
const children = new Map<ChildProcess, Promise<unknown>>();
afterEach(async () => {
	for (const child of children.keys()) await kill(child);
});

function adopt(child: ChildProcess): void {
	const closed = new Promise((resolve) => child.once("close", resolve));
	children.set(child, closed);
}

/** A folder of this test file's own, gone after it. */
export function scratch(): string {
	const folder = mkdtempSync(join(tmpdir(), "wasieve-e2e-"));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Ends a child of ours and waits for it and all that it said. */
export async function kill(
	child: ChildProcess,
	signal: NodeJS.Signals = "SIGKILL",
): Promise<number | null> {
	child.kill(signal);
	await children.get(child);
	children.delete(child);
	return child.exitCode;
}

/** Debian's mosquitto with its own config on a port of its own; resolves when it listens. */
export async function startMosquitto(
	folder: string,
	port: number,
	settings: string[] = [],
): Promise<ChildProcess> {
	const conf = join(folder, `mosquitto-${port}.conf`);
	const lines = settings.some((line) => line.startsWith("listener"))
		? settings
		: [`listener ${port} 127.0.0.1`, "allow_anonymous true", ...settings];
	writeFileSync(conf, `${lines.join("\n")}\n`);
	const child = spawn("mosquitto", ["-v", "-c", conf], {
		env: { ...process.env, PATH },
		stdio: ["ignore", "ignore", "pipe"],
	});
	adopt(child);
	await saying(child, / running/, "mosquitto");
	return child;
}

export interface GatewayProcess {
	child: ChildProcess;
	/** All of stderr so far. */
	log(): string;
	/** Resolves when stderr has shown this. */
	says(pattern: RegExp): Promise<void>;
}

/** `wasieve run CONFIG` as a user starts it. */
export function runGateway(config: string, env: object = {}): GatewayProcess {
	const child = spawn(process.execPath, [MAIN, "run", config], {
		env: { ...process.env, ...env },
		stdio: ["ignore", "ignore", "pipe"],
	});
	adopt(child);
	let log = "";
	child.stderr?.setEncoding("utf8").on("data", (text) => {
		log += text;
	});
	return {
		child,
		log: () => log,
		says: (pattern) => saying(child, pattern, "the gateway", () => log),
	};
}

async function saying(
	child: ChildProcess,
	pattern: RegExp,
	who: string,
	log?: () => string,
): Promise<void> {
	let heard = "";
	await new Promise<void>((resolve, reject) => {
		const look = (text: Buffer | string) => {
			heard += text;
			if (pattern.test(log?.() ?? heard)) resolve();
		};
		child.stderr?.on("data", look);
		look("");
		child.once("close", (code) =>
			reject(new Error(`${who} ended (${code}): ${log?.() ?? heard}`)),
		);
	});
}
