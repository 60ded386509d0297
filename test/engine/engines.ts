import { chmodSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Engine } from "#host/contract.js";
import { type CommandOptions, commandEngine } from "#host/engine/command.js";
import type { Runtime } from "#host/engine/runtimes/runtime.js";

/** Where engines are looked for: WASIEVE_ENGINES, the cache that test:engines fills, the path. */
export const CACHE = join(homedir(), ".cache", "wasieve-engines");
const { WASIEVE_ENGINES = "", PATH = "" } = process.env;
export const FOLDERS = [
	...WASIEVE_ENGINES.split(delimiter),
	join(CACHE, "bin"),
	...PATH.split(delimiter),
].filter(Boolean);

export const WORKSHOP = {
	folders: FOLDERS,
	surroundings: { HOME: homedir(), PATH },
	arch: process.arch,
};

/** Whether a program is there to be tried. */
export function isThere(program: string): boolean {
	return FOLDERS.some((folder) => existsSync(join(folder, program)));
}

export const NOW = 1_700_000_000_000;

export function command(
	runtime: Runtime,
	module: Uint8Array,
	changes: Partial<CommandOptions> = {},
): Engine {
	return commandEngine({
		name: "tested",
		runtime,
		module,
		args: [],
		env: [],
		limits: { time: 20_000, start: 20_000, output: 10_000, memory: 1 << 24 },
		unitBy: "batch",
		restart: { max: 1000, backoff: { min: 1, max: 1 } },
		clock: () => NOW,
		workshop: WORKSHOP,
		folder: tmpdir(),
		...changes,
	});
}

/** A runtime that is a script of ours: `body` is what it does with its arguments "$@". */
export function script(
	body: string,
	more: Partial<Runtime> = {},
	mode = 0o755,
): Runtime {
	const file = join(mkdtempSync(join(tmpdir(), "wasieve-fake-")), "fake");
	writeFileSync(file, `#!/bin/sh\n${body}\n`);
	chmodSync(file, mode);
	return {
		name: "fake",
		program: file,
		arguments: ({ module }) => [module],
		trap: /trap: .*/,
		limits: "nothing",
		start: 5000,
		install: "install it",
		...more,
	};
}
