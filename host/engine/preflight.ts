import { execFile, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { WasieveError } from "../errors.js";
import type { Flaw, Runtime, Versions } from "./runtimes/runtime.js";

/** ms a runtime may take to say its version, unless the workshop says otherwise. */
const ANSWER = 10_000;

/** Where to look for programs, and their environment. */
export interface Workshop {
	folders: readonly string[];
	/** Those of them that are for engines alone, as they were given (WASIEVE_ENGINES). */
	own?: string | undefined;
	surroundings: Readonly<Record<string, string>>;
	/** The processor, as process.arch names it. */
	arch: string;
	/** ms a runtime may take to say its version. */
	patience?: number;
}

/** A runtime that is there and works. */
export interface Found {
	/** Its program's path. */
	program: string;
	/** "" for one that does not tell. */
	version: string;
	/** What is known of this version on this machine: vulnerabilities, slowness. */
	flaws: readonly Flaw[];
}

/** Whether a runtime is there and of a version that works. Throws E_ENGINE_MISSING, E_ENGINE_VERSION. */
export async function checkEngine(
	runtime: Runtime,
	workshop: Workshop,
): Promise<Found> {
	const program = findEngine(runtime, workshop);
	const args = runtime.version?.arguments;
	const said = args && (await answer(program, args, workshop));
	return judge(runtime, program, said, workshop);
}

/** The same, for who cannot wait: the whole thread does. */
export function checkEngineSync(runtime: Runtime, workshop: Workshop): Found {
	const program = findEngine(runtime, workshop);
	const args = runtime.version?.arguments;
	const said = args && answerSync(program, args, workshop);
	return judge(runtime, program, said, workshop);
}

/** What a runtime said about its version, undefined when it was not asked. */
function judge(
	runtime: Runtime,
	program: string,
	said: string | undefined,
	workshop: Workshop,
): Found {
	if (said === undefined) return { program, version: "", flaws: [] };
	const version = runtime.version?.pattern.exec(said)?.[1];
	if (version === undefined) throw unclear(runtime, program, said);
	refuseBad(runtime, version);
	return { program, version, flaws: flawsOf(runtime, version, said, workshop) };
}

/** The runtime's program. Throws E_ENGINE_MISSING. */
export function findEngine(runtime: Runtime, workshop: Workshop): string {
	const { name, program, install } = runtime;
	const found = findProgram(program, workshop);
	if (found !== undefined) return found;
	const present = placesOf(program, workshop).find((place) => isFile(place));
	if (present === undefined) {
		throw missing(
			`the engine ${name} is ${nowhere(program, workshop)}`,
			install,
		);
	}
	throw missing(`${present} is not executable`, `chmod +x ${present}`);
}

/** Where a program is, by its name or its full path; undefined when it is nowhere. */
export function findProgram(
	program: string,
	workshop: Workshop,
): string | undefined {
	return placesOf(program, workshop).find((place) => isProgram(place));
}

function nowhere(program: string, { own }: Workshop): string {
	if (isAbsolute(program)) return `not at ${program}`;
	return own ? `not on PATH, nor in ${own} (WASIEVE_ENGINES)` : "not on PATH";
}

function placesOf(program: string, { folders }: Workshop): string[] {
	if (isAbsolute(program)) return [program];
	return folders.map((folder) => join(folder, program));
}

function refuseBad(runtime: Runtime, version: string): void {
	const { name, oldest = "0", bad = [], install } = runtime;
	if (older(version, oldest)) {
		const least = `${oldest} is the oldest that works`;
		throw wrong(`${name} is version ${version}; ${least}`, install);
	}
	const found = bad.find(({ affects }) => isAmong(version, affects));
	if (found === undefined) return;
	throw wrong(`${name} is version ${version}: ${found.why}`, install);
}

function flawsOf(
	runtime: Runtime,
	version: string,
	said: string,
	{ arch }: Workshop,
): Flaw[] {
	const { flaws = [] } = runtime;
	return flaws.filter((flaw) => {
		const part = flaw.version ? flaw.version.exec(said)?.[1] : version;
		const here = flaw.arch === undefined || flaw.arch === arch;
		return here && part !== undefined && isAmong(part, flaw.affects);
	});
}

function isAmong(version: string, ranges: readonly Versions[]): boolean {
	return ranges.some(
		([from, below]) => !older(version, from) && older(version, below),
	);
}

/** What a program prints, whatever its exit code. */
function answer(
	program: string,
	args: readonly string[],
	workshop: Workshop,
): Promise<string> {
	return new Promise((resolve) => {
		execFile(program, args, limitsOf(workshop), (error, out, err) => {
			const late = error?.killed === true;
			resolve(wordsOf(out, err, late ? silence(workshop) : error));
		});
	});
}

function answerSync(
	program: string,
	args: readonly string[],
	workshop: Workshop,
): string {
	const limits = { ...limitsOf(workshop), encoding: "utf8" as const };
	const { stdout, stderr, error, signal } = spawnSync(program, args, limits);
	const late = signal === "SIGKILL";
	return wordsOf(stdout ?? "", stderr ?? "", late ? silence(workshop) : error);
}

/** A client that waits for a daemon may not hear SIGTERM. */
function limitsOf({ surroundings, patience = ANSWER }: Workshop) {
	const env = { ...surroundings };
	return { timeout: patience, killSignal: "SIGKILL" as const, env };
}

function silence({ patience = ANSWER }: Workshop): string {
	return `nothing for ${patience / 1000} s`;
}

function wordsOf(out: string, err: string, trouble: unknown): string {
	return out.trim() || err || String(trouble ?? "");
}

/** Compares by numbers: 9.0.0 is older than 10.0.0. */
export function older(version: string, than: string): boolean {
	const [a, b] = [version, than].map((each) => each.split(".").map(Number));
	for (let k = 0; k < 3; k++) {
		const [x, y] = [a?.[k] ?? 0, b?.[k] ?? 0];
		if (x !== y) return x < y;
	}
	return false;
}

function isProgram(place: string): boolean {
	try {
		accessSync(place, constants.X_OK);
		return isFile(place);
	} catch {
		return false;
	}
}

/** A folder of PATH that is closed to this user has nothing for it. */
function isFile(place: string): boolean {
	try {
		return statSync(place).isFile();
	} catch {
		return false;
	}
}

function missing(message: string, hint: string): WasieveError {
	return new WasieveError("E_ENGINE_MISSING", message, { hint });
}

function unclear(
	{ install, refusals }: Runtime,
	program: string,
	said: string,
): WasieveError {
	const refusal = refusals?.find(({ says }) => says.test(said));
	if (refusal) return wrong(`${program}: ${refusal.message}`, refusal.hint);
	const line = JSON.stringify(said.trim().slice(0, 80));
	return wrong(`${program} says ${line} when asked for its version`, install);
}

function wrong(message: string, hint: string): WasieveError {
	return new WasieveError("E_ENGINE_VERSION", message, { hint });
}
