// Images of the module in the Docker of this machine, where its daemon can be reached: the standalone one (a static
// wazero inside) and, where the shim is, the one that is nothing but the module.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { checkEngine } from "#host/engine/preflight.js";
import { docker } from "#host/engine/runtimes/docker.js";
import { dockerWasm } from "#host/engine/runtimes/docker-wasm.js";
import { scratchFolder } from "./children.mjs";
import { MEMORY, WORKSHOP } from "./engines.mjs";
import { reasonOf } from "./reasons.mjs";

/** A Docker architecture by Node's name of it. */
const ARCHITECTURES = { x64: "amd64", arm64: "arm64", arm: "arm/v7" };

/** The command finds its daemon by itself, or by these. */
const DOCKER = {
	...WORKSHOP,
	surroundings: {
		...WORKSHOP.surroundings,
		...Object.fromEntries(
			Object.entries(process.env)
				.filter(([name]) => name.startsWith("DOCKER_"))
				.map(([name, value = ""]) => [name, value]),
		),
	},
};

/** Compiling a wazero, at worst. */
const PACK_MS = 300_000;

/**
 * @typedef {import("./engines.mjs").Starter & { stop: () => void }} Container
 */

/**
 * @param {string} cli
 * @param {string} module its file
 * @returns {Promise<{ starters: Container[], absent: import("./engines.mjs").Absent[] }>}
 */
export async function containerStarters(cli, module) {
	/** @type {Container[]} */
	const starters = [];
	/** @type {import("./engines.mjs").Absent[]} */
	const absent = [];
	for (const { name, flags, runtime } of kinds())
		try {
			await checkEngine(runtime, DOCKER);
			const image = load(cli, module, name, flags);
			starters.push(starterOf(name, image, runtime));
		} catch (error) {
			absent.push({ name, why: reasonOf(error) });
		}
	return { starters, absent };
}

function kinds() {
	const arch = ARCHITECTURES[/** @type {"x64"} */ (process.arch)];
	return [
		{
			name: "docker, standalone image",
			flags: ["--standalone", "--arch", arch],
			runtime: docker({}),
		},
		{
			name: "docker, wasmtime shim",
			flags: [],
			// dockerd cannot make a network for the shim.
			runtime: dockerWasm({ network: "host" }),
		},
	];
}

/** @type {(cli: string, module: string, name: string, flags: string[]) => string} the image's name */
function load(cli, module, name, flags) {
	const image = `localhost/wasieve-bench:${name.replaceAll(/\W+/g, "-")}`;
	const file = join(scratchFolder(), `${flags.length}.tar`);
	const store = ["--store", join(scratchFolder(), "store")];
	const pack = [cli, "pack", module, "-t", image, "-o", file];
	run(process.execPath, [...pack, ...store, ...flags]);
	run("docker", ["load", "-i", file]);
	process.once("exit", () => quietly(["rmi", "--force", image]));
	return image;
}

let started = 0;

/** @type {(name: string, image: string, runtime: import("#host/engine/runtimes/runtime.js").Runtime) => Container} */
function starterOf(name, image, runtime) {
	let container = "";
	return {
		name,
		program: runtime.program,
		get args() {
			container = `wasieve-bench-${process.pid}-${started++}`;
			const launch = { module: image, args: [], env: [], memory: MEMORY };
			return [...runtime.arguments({ ...launch, name: container })];
		},
		// The shim never hears of the end of stdin, so that this ends it.
		stop() {
			for (const args of runtime.container?.end(container) ?? []) quietly(args);
		},
	};
}

/** @type {(program: string, args: readonly string[]) => void} */
function run(program, args) {
	execFileSync(program, args, {
		stdio: ["ignore", "ignore", "pipe"],
		timeout: PACK_MS,
	});
}

/** @param {readonly string[]} args of docker; what is gone already is no trouble */
function quietly(args) {
	try {
		run("docker", args);
	} catch {
		// It was gone.
	}
}
