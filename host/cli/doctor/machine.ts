import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { GatewayConfig } from "../../config/types.js";
import { findProgram, type Workshop } from "../../engine/preflight.js";
import { hasSimd } from "../../module/simd.js";
import type { Io } from "../io.js";
import { packageJson } from "../version.js";
import { workshopOf } from "../workshop.js";
import type { Around, Machine, Said } from "./finding.js";

/** All programs of a look may take this part of its time, so that what they did not say can still be told and none outlives us. */
const SHARE = 0.8;
/** `docker info` of a large daemon is some 10 KB. */
const LONGEST = 4 * 1024 * 1024;

/** This machine; system files are those below `root`. */
export function thisMachine(
	{ env, cwd }: Pick<Io, "env" | "cwd">,
	options: { deadline: number; config?: GatewayConfig; root?: string },
): Around {
	const { deadline, config, root = "/" } = options;
	const patience = Math.ceil(deadline * SHARE);
	const workshop = { ...workshopOf(env), patience };
	const end = performance.now() + patience;
	const left = () => Math.max(1, Math.ceil(end - performance.now()));
	return {
		read: (path) => readQuietly(join(root, path)),
		list: (path) => listQuietly(join(root, path)),
		trusts: (path) => isTrusted(join(root, path)),
		run: (program, ...args) => run(program, args, workshop, left()),
		workshop,
		clock: Date.now,
		env,
		cwd,
		machine: machine(),
		deadline,
		...(config !== undefined && { config }),
	};
}

function machine(): Machine {
	const { lts } = process.release;
	return {
		node: process.versions.node,
		oldest: packageJson().engines.node.replace(/[^\d.]/g, ""),
		lts: typeof lts === "string" ? lts : undefined,
		platform: process.platform,
		arch: process.arch,
		simd: hasSimd(),
		cores: availableParallelism(),
		memory: totalmem(),
		root: process.getuid?.() === 0,
	};
}

function readQuietly(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return undefined;
	}
}

function listQuietly(path: string): string[] {
	try {
		return readdirSync(path);
	} catch {
		return [];
	}
}

function isTrusted(path: string): boolean {
	try {
		return [0, process.getuid?.()].includes(statSync(path).uid);
	} catch {
		return false;
	}
}

function run(
	program: string,
	args: readonly string[],
	workshop: Workshop,
	timeout: number,
): Promise<Said> {
	const path = findProgram(program, workshop);
	if (path === undefined)
		return Promise.resolve({ code: undefined, out: "", err: "not found" });
	const limits = {
		timeout,
		// A client that waits for a daemon may not hear SIGTERM.
		killSignal: "SIGKILL" as const,
		maxBuffer: LONGEST,
	};
	const env = { ...workshop.surroundings, LC_ALL: "C" };
	return new Promise((resolve) => {
		const child = execFile(path, args, { ...limits, env }, (error, out, err) =>
			resolve({
				code: codeOf(error),
				out,
				err: error?.killed
					? `no answer in ${Math.round(timeout / 100) / 10} s`
					: err.trim(),
			}),
		);
		child.stdin?.end();
	});
}

function codeOf(error: { code?: unknown } | null): number | undefined {
	if (error === null) return 0;
	return typeof error.code === "number" ? error.code : undefined;
}
