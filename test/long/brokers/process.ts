import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Where brokers that are not on the PATH are built, once. Outside the repository. */
export const CACHE = join(tmpdir(), "wasieve-brokers");

/** A broker that these tests can start. */
export interface Kind {
	/** Name and version. */
	name: string;
	protocols: readonly (4 | 5)[];
	/** Highest QoS that it really gives; asked for more, it lowers. */
	highest: 1 | 2;
	/** Finds its program or builds it. @throws when it cannot be had, with the reason */
	obtain(): Promise<string>;
	/** Why it may lose messages by itself when a session gets a new connection; see docs/mqtt.md. */
	forgets?: string;
	/** Whether MQTT 5 has a port of its own. */
	apart?: true;
	/** Starts `program` on loopback; its files go to `folder`. Resolves when it listens. */
	start(
		program: string,
		folder: string,
		port: number,
		port5: number,
	): Promise<Running>;
}

export interface Running {
	/** Ends the broker and all its processes. */
	stop(): Promise<void>;
}

/** Makes a folder in the cache. */
export function cached(name: string): string {
	const folder = join(CACHE, name);
	mkdirSync(folder, { recursive: true });
	return folder;
}

/** Runs a command to its end. @throws with the last lines it said */
export async function run(
	command: string,
	args: string[],
	options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
	try {
		const { stdout } = await promisify(execFile)(command, args, {
			...options,
			env: { ...process.env, ...options.env },
			maxBuffer: 1 << 26,
		});
		return stdout;
	} catch (thrown) {
		const { stderr = "", message } = thrown as Error & { stderr?: string };
		const said = stderr.trim().split("\n").slice(-3).join("\n") || message;
		throw new Error(`${command} ${args[0]}: ${said}`);
	}
}

/** Starts a program that stays and waits until it has said `ready`. */
export async function serve(
	command: string,
	args: string[],
	ready: RegExp,
	options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Running> {
	const child = spawn(command, args, {
		...options,
		env: { ...process.env, ...options.env },
		stdio: ["ignore", "pipe", "pipe"],
		detached: true, // a process group of its own, so that nothing it starts outlives it
	});
	await saying(child, ready, command);
	return { stop: () => stop(child) };
}

async function saying(
	child: ChildProcess,
	ready: RegExp,
	command: string,
): Promise<void> {
	let heard = "";
	await new Promise<void>((resolve, reject) => {
		for (const stream of [child.stdout, child.stderr])
			stream?.setEncoding("utf8").on("data", (text) => {
				if (heard.length < 1 << 16) heard += text;
				if (ready.test(heard)) resolve();
			});
		child.once("error", reject);
		child.once("exit", (code) =>
			reject(new Error(`${command} ended (${code}): ${heard.slice(-2000)}`)),
		);
	});
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exit = once(child, "exit");
	process.kill(-(child.pid as number), "SIGKILL");
	await exit;
}
