// The engines of this machine that the embedded one is measured beside, and ways to start each with a module.
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { checkEngine } from "#host/engine/preflight.js";
import { RUNTIMES } from "#host/engine/runtimes/index.js";
import { scratchFolder } from "./children.mjs";

const { WASIEVE_ENGINES = "", PATH = "" } = process.env;

/** WASIEVE_ENGINES, what `npm run test:engines` has obtained, the path. */
const FOLDERS = [
	...WASIEVE_ENGINES.split(delimiter),
	join(homedir(), ".cache/wasieve-engines/bin"),
	...PATH.split(delimiter),
].filter(Boolean);

export const WORKSHOP = {
	folders: FOLDERS,
	surroundings: { HOME: homedir(), PATH },
	arch: process.arch,
};

/** Bytes of memory that a module may have, everywhere. */
export const MEMORY = 16 * 2 ** 20;

/**
 * @typedef {object} ExternalEngine
 * @property {string} name
 * @property {import("#host/engine/runtimes/runtime.js").Runtime} runtime
 * @property {string} program full path
 * @property {string} version
 * @typedef {{ name: string, why: string }} Absent
 */

/** @type {Promise<{ engines: ExternalEngine[], absent: Absent[] }> | undefined} */
let looked;

/** @returns {Promise<{ engines: ExternalEngine[], absent: Absent[] }>} those that are here, and why the others are not */
export function externalEngines() {
	looked ??= lookForEngines();
	return looked;
}

async function lookForEngines() {
	/** @type {ExternalEngine[]} */
	const engines = [];
	/** @type {Absent[]} */
	const absent = [];
	for (const [name, runtime] of Object.entries(RUNTIMES))
		try {
			const found = await checkEngine(runtime, WORKSHOP);
			engines.push({ name, runtime, ...found });
		} catch (error) {
			absent.push({ name, why: absenceOf(error) });
		}
	return { engines, absent };
}

/**
 * @param {unknown} error
 * @returns {string} short: a list of all folders is no reason
 */
function absenceOf(error) {
	const { code, message } = /** @type {any} */ (error);
	return code === "E_ENGINE_MISSING" && message.startsWith("the engine")
		? "not installed"
		: message;
}

/**
 * How an engine keeps what it has compiled, as arguments behind its first one: without a cache, and with one in a
 * folder that lives as long as the run.
 *
 * @type {Readonly<Record<string, { without: string[], with: (folder: string) => string[] }>>}
 */
const CACHES = {
	wazero: { without: [], with: (folder) => ["-cachedir", folder] },
	wasmtime: {
		without: ["-C", "cache=n"],
		with(folder) {
			const config = join(folder, "wasmtime-cache.toml");
			writeFileSync(config, `[cache]\ndirectory = "${folder}/wasmtime"\n`);
			return ["-C", `cache=y,cache-config=${config}`];
		},
	},
};

/**
 * @typedef {object} Starter a command that runs the module on stdin and stdout
 * @property {string} name
 * @property {string} program
 * @property {string[]} args
 */

/**
 * @param {ExternalEngine} engine
 * @param {string} module its file
 * @param {string[]} [env] "K=V"
 * @returns {Starter[]} as it is, and where the engine has one, with a cache that is warm
 */
export function startersOf({ name, runtime, program }, module, env = []) {
	const [first = "", ...rest] = runtime.arguments({
		module,
		args: [],
		env,
		memory: MEMORY,
		name: "bench",
	});
	const cache = CACHES[name];
	if (!cache) return [{ name, program, args: [first, ...rest] }];
	const cold = [first, ...cache.without, ...rest];
	const warm = [first, ...cache.with(scratchFolder()), ...rest];
	return [
		{ name, program, args: cold },
		{ name: `${name}, cached`, program, args: warm },
	];
}
