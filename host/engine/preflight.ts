import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { WasieveError } from "../errors.js";
import type { Runtime } from "./runtimes/runtime.js";

/** ms a runtime may take to say its version. */
const ANSWER = 10_000;

/** Where to look for programs, and their environment. */
export interface Workshop {
	folders: readonly string[];
	surroundings: Readonly<Record<string, string>>;
}

/** Whether a runtime is there and of a version that works. Throws E_ENGINE_MISSING, E_ENGINE_VERSION. */
export async function checkEngine(
	runtime: Runtime,
	workshop: Workshop,
): Promise<{ program: string; version: string }> {
	const program = findProgram(runtime, workshop);
	return { program, version: await checkVersion(runtime, program, workshop) };
}

/** The runtime's program. Throws E_ENGINE_MISSING. */
function findProgram(runtime: Runtime, { folders }: Workshop): string {
	const { name, program, install } = runtime;
	const places = isAbsolute(program)
		? [program]
		: folders.map((folder) => join(folder, program));
	const found = places.find((place) => isProgram(place));
	if (found !== undefined) return found;
	const present = places.find((place) => isFile(place));
	if (present === undefined) {
		throw missing(
			`the engine ${name} is not in ${folders.join(", ")}`,
			install,
		);
	}
	throw missing(`${present} is not executable`, `chmod +x ${present}`);
}

/** Refuses a runtime of the wrong version. Throws E_ENGINE_VERSION. Returns the version, "" for one that has none. */
async function checkVersion(
	runtime: Runtime,
	program: string,
	{ surroundings }: Workshop,
): Promise<string> {
	const { name, version, oldest = "0", bad = [], install } = runtime;
	if (version === undefined) return "";
	const said = await answer(program, version.arguments, surroundings);
	const found = version.pattern.exec(said)?.[1];
	if (found === undefined) {
		const line = JSON.stringify(said.trim().slice(0, 80));
		throw wrong(`${program} says ${line} when asked for its version`, install);
	}
	if (older(found, oldest)) {
		const least = `${oldest} is the oldest that works`;
		throw wrong(`${name} is version ${found}; ${least}`, install);
	}
	const flaw = bad.find(
		({ from, below }) => !older(found, from) && older(found, below),
	);
	if (flaw) throw wrong(`${name} is version ${found}: ${flaw.why}`, install);
	return found;
}

/** What a program prints, whatever its exit code. */
function answer(
	program: string,
	args: readonly string[],
	env: Readonly<Record<string, string>>,
): Promise<string> {
	return new Promise((resolve) => {
		const limits = { timeout: ANSWER, killSignal: "SIGKILL" as const };
		execFile(program, args, { ...limits, env: { ...env } }, (error, out, err) =>
			resolve(out || err || String(error ?? "")),
		);
	});
}

/** Compares by numbers: 9.0.0 is older than 10.0.0. */
function older(version: string, than: string): boolean {
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

function isFile(place: string): boolean {
	return statSync(place, { throwIfNoEntry: false })?.isFile() ?? false;
}

function missing(message: string, hint: string): WasieveError {
	return new WasieveError("E_ENGINE_MISSING", message, { hint });
}

function wrong(message: string, hint: string): WasieveError {
	return new WasieveError("E_ENGINE_VERSION", message, { hint });
}
