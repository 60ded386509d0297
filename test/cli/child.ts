import { type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Io } from "#host/cli/io.js";
import { doMain } from "#host/cli/verbs.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const MAIN = join(ROOT, "build/bin/main.js");

export interface Ran {
	code: number | null;
	signal: NodeJS.Signals | null;
	stdout: string;
	stderr: string;
}

/** Runs `wasieve ARGS` as a process of its own, to its end. */
export function wasieve(
	args: string[],
	options: {
		input?: string | Buffer;
		cwd?: string;
		env?: object;
		uid?: number;
	} = {},
): Promise<Ran> {
	const env = { ...process.env, ...options.env };
	return finish(
		[process.execPath, MAIN, ...args],
		{ ...options, cwd: options.cwd ?? ROOT, env },
		options.input,
	);
}

/** Runs `wasieve ARGS` in this process, where a process of its own would take longer than what it does. */
export async function inPlace(
	args: string[],
	cwd: string,
	env: Record<string, string> = {},
): Promise<Omit<Ran, "signal">> {
	const stdout = new PassThrough();
	const stderr = new PassThrough();
	const io: Io = {
		stdin: Readable.from([]),
		stdout,
		stderr,
		env,
		cwd,
		isTTY: false,
		onSignal: () => () => {},
		onExit: (listener) => onTestFinished(() => listener()),
	};
	const code = await doMain(args, io);
	const said = (from: PassThrough) => String(from.read() ?? "");
	return { code, stdout: said(stdout), stderr: said(stderr) };
}

/** Runs any command to its end, with `input` as all of its stdin. */
export function finish(
	[command, ...args]: string[],
	options: SpawnOptions,
	input: string | Buffer = "",
): Promise<Ran> {
	const child = spawn(command as string, args, { ...options, stdio: "pipe" });
	const ran: Ran = { code: null, signal: null, stdout: "", stderr: "" };
	child.stdout?.setEncoding("utf8").on("data", (text) => {
		ran.stdout += text;
	});
	child.stderr?.setEncoding("utf8").on("data", (text) => {
		ran.stderr += text;
	});
	child.stdin?.on("error", () => {}); // it may end before it has read all
	child.stdin?.end(input);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code, signal) => resolve({ ...ran, code, signal }));
	});
}

/** A folder that is gone after the test. */
export function folder(): string {
	const path = mkdtempSync(join(tmpdir(), "wasieve-test-"));
	onTestFinished(() => rmSync(path, { recursive: true, force: true }));
	return path;
}
