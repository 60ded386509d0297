import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CODES } from "#host/errors.js";
import { reading } from "../e2e/clients.js";
import type { Hostile } from "./modules.js";

const MAIN = fileURLToPath(new URL("../../build/bin/main.js", import.meta.url));
/** The longest any run may take, ms, on a machine that does other things as well. */
const DEADLINE = 20_000;

export interface Ran {
	code: number | null;
	stderr: string;
}

/** `wasieve VERB FILE` on two readings, killed at the deadline. */
export async function run(
	verb: "check" | "exec",
	folder: string,
	{ name, bytes }: Hostile,
): Promise<Ran> {
	const file = join(folder, `${name}.wasm`);
	writeFileSync(file, bytes);
	const child = spawn(process.execPath, [MAIN, verb, file], {
		stdio: ["pipe", "ignore", "pipe"],
		timeout: DEADLINE,
		killSignal: "SIGKILL",
	});
	child.stdin.on("error", () => {}); // it may end without reading
	child.stdin.end(`${reading(1, 99)}\n${reading(2, 99)}\n`);
	let stderr = "";
	child.stderr.setEncoding("latin1").on("data", (text) => {
		stderr += text;
	});
	const [code] = await once(child, "close");
	return { code, stderr };
}

/** What is wrong with how `check` ended; empty when nothing is. */
export function checkFlaws({ end }: Hostile, { code, stderr }: Ran): string[] {
	const flaws = stackFlaws(stderr);
	if (code !== 0 && code !== 3) flaws.push(`exit code ${code}`);
	if (end === "refused" && code !== 3) flaws.push("it was not refused");
	if (end === "runs" && code !== 0) flaws.push("it was refused");
	if (
		code === 3 &&
		!isCoded(stderr, /^error (E_MODULE_\w+): .+\n {2}hint: .+\n$/)
	)
		flaws.push("no line with a documented code");
	return flaws;
}

/** Likewise for `exec`. */
export function execFlaws({ end }: Hostile, { code, stderr }: Ran): string[] {
	const flaws = stackFlaws(stderr);
	if (code === null) return [...flaws, "it did not end"];
	if (end === "refused" && code !== 125) flaws.push("it was not refused");
	if (end === "runs" && code === 125) flaws.push("it was refused");
	const last = stderr.slice(stderr.lastIndexOf("\n", stderr.length - 2) + 1);
	const told = [124, 125, 134].includes(code);
	if (told && !isCoded(last, /^wasieve: (E_\w+): .+\n$/))
		flaws.push("the last line is no line with a documented code");
	return flaws;
}

/** Whether the text is as it should be, and its code in docs/errors.md. */
function isCoded(text: string, pattern: RegExp): boolean {
	const code = pattern.exec(text)?.[1];
	return code !== undefined && Object.hasOwn(CODES, code);
}

export function stackFlaws(stderr: string): string[] {
	return /^\s+at .+:\d+|E_INTERNAL|node:internal|object WebAssembly/m.test(
		stderr,
	)
		? ["a JavaScript stack or object, or an internal error"]
		: [];
}
