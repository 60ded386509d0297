// Processes this benchmark starts. Each is known by its pid and ends with the benchmark, whatever happens.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */

/** @type {Set<ChildProcess>} */
const alive = new Set();

/** How much of a child's stderr is kept for the error that names it. */
const TAIL = 2000;

/** @type {WeakMap<ChildProcess, string>} */
const tails = new WeakMap();

/** @type {string | undefined} */
let scratch;

/** Tells programs of ours where our scratch folder is: they share it, we remove it. */
const SCRATCH = "WASIEVE_BENCH_SCRATCH";

/** @returns {string} a folder for files of this run, removed at exit */
export function scratchFolder() {
	const shared = process.env[SCRATCH];
	if (shared) return shared;
	scratch ??= mkdtempSync(join(tmpdir(), "wasieve-bench-"));
	return scratch;
}

/**
 * @param {ChildProcess} child
 * @returns {ChildProcess}
 */
function adopt(child) {
	alive.add(child);
	child.once("exit", () => alive.delete(child));
	child.stdout?.resume();
	child.stderr?.on("data", (chunk) => {
		tails.set(child, `${tails.get(child) ?? ""}${chunk}`.slice(-TAIL));
	});
	return child;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env] on top of ours
 * @returns {ChildProcess}
 */
export function launch(command, args, env = {}) {
	return adopt(
		spawn(command, args, {
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, ...env },
		}),
	);
}

/**
 * A program that is fed on stdin and listened to on stdout, whatever its environment says of parameters.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {ChildProcess & { stdin: import("node:stream").Writable, stdout: import("node:stream").Readable }}
 */
export function launchFilter(command, args) {
	const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
	// Whoever is killed does not read what was still on its way.
	child.stdin.on("error", () => undefined);
	adopt(child);
	return child;
}

/**
 * A program of ours that talks over IPC.
 *
 * @param {URL} program
 * @param {readonly string[]} args
 * @returns {ChildProcess}
 */
export function launchProgram(program, args) {
	const env = { ...process.env, [SCRATCH]: scratchFolder() };
	return adopt(
		fork(program, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], env }),
	);
}

/**
 * What `wanted` resolves to, or an error when one of the children dies first or time runs out.
 *
 * @template T
 * @param {Promise<T>} wanted
 * @param {readonly ChildProcess[]} children
 * @param {number} ms
 * @param {string} what for the message
 * @returns {Promise<T>}
 */
export async function whileAlive(wanted, children, ms, what) {
	/** @type {Array<() => void>} */
	const undo = [];
	const last = () => children.map((child) => tails.get(child) ?? "").join("");
	const trouble = new Promise((_, reject) => {
		const timer = setTimeout(
			() => reject(new Error(`${what}: nothing after ${ms} ms\n${last()}`)),
			ms,
		);
		undo.push(() => clearTimeout(timer));
		for (const child of children) {
			const died = () => reject(new Error(`${what}: ${obituary(child)}`));
			// "close" comes after "exit", when its last words have been read.
			if (child.stderr?.closed) died();
			child.once("close", died);
			undo.push(() => child.off("close", died));
		}
	});
	try {
		return await Promise.race([wanted, /** @type {Promise<T>} */ (trouble)]);
	} finally {
		for (const step of undo) step();
	}
}

/**
 * @param {ChildProcess} child
 * @returns {string}
 */
function obituary(child) {
	const how = child.signalCode ?? `exit code ${child.exitCode}`;
	return `${child.spawnargs.join(" ")} ended (${how})\n${tails.get(child) ?? ""}`;
}

/**
 * The next IPC message that has this key.
 *
 * @param {ChildProcess} child
 * @param {string} key
 * @returns {Promise<any>} its value
 */
export function told(child, key) {
	return new Promise((resolve) => {
		const listen = (/** @type {any} */ message) => {
			if (!(key in message)) return;
			child.off("message", listen);
			resolve(message[key]);
		};
		child.on("message", listen);
	});
}

/**
 * SIGTERM, then SIGKILL when it takes too long.
 *
 * @param {ChildProcess | undefined} child
 * @param {number} [graceMs]
 */
export async function end(child, graceMs = 4000) {
	if (!child || !alive.has(child)) return;
	const gone = once(child, "exit");
	child.kill("SIGTERM");
	const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
	await gone;
	clearTimeout(timer);
}

/** Kills what is left and removes the scratch folder; synchronous, for the very end. */
export function sweep() {
	for (const child of alive) child.kill("SIGKILL");
	alive.clear();
	if (scratch) rmSync(scratch, { recursive: true, force: true });
	scratch = undefined;
}

process.once("exit", sweep);
