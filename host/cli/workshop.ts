import { delimiter, join } from "node:path";
import type { EngineConfig } from "../config/types.js";
import type { Log } from "../contract.js";
import type { Pack } from "../engine/place.js";
import type { Found, Workshop } from "../engine/preflight.js";
import { isNetwork } from "../engine/runtimes/container.js";
import { suitsShim } from "../engine/runtimes/docker-wasm.js";
import {
	CONTAINERS,
	customRuntime,
	RUNTIMES,
} from "../engine/runtimes/index.js";
import type { Runtime } from "../engine/runtimes/runtime.js";
import { usage } from "./report.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** What an engine's program gets of our environment; the rest may hold secrets. */
const PASSED = [
	...["HOME", "PATH", "TMPDIR", "XDG_RUNTIME_DIR"],
	...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH"],
	...["DOCKER_TLS_VERIFY", "CONTAINERD_ADDRESS", "CONTAINERD_NAMESPACE"],
	...["CONTAINER_HOST", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"],
];

/** Where engines are looked for: the folders of WASIEVE_ENGINES, then those of PATH. */
export function workshopOf(env: Environment): Workshop {
	const { WASIEVE_ENGINES = "", PATH = "" } = env;
	return {
		...(WASIEVE_ENGINES && { own: WASIEVE_ENGINES }),
		folders: [WASIEVE_ENGINES, PATH]
			.flatMap((list) => list.split(delimiter))
			.filter((folder) => folder !== ""),
		surroundings: Object.fromEntries(
			PASSED.flatMap((name) => {
				const value = env[name];
				return value === undefined ? [] : [[name, value]];
			}),
		),
		arch: process.arch,
	};
}

/** The runtime that a config names; the config has been checked. */
export function runtimeOf(engine: EngineConfig): Runtime {
	if (typeof engine === "string") {
		return RUNTIMES[engine] ?? customRuntime([engine]);
	}
	if ("command" in engine) return customRuntime(engine.command);
	const container = CONTAINERS[engine.container];
	return container?.(engine) ?? customRuntime([engine.container]);
}

/** A runtime named on the command line: a known name, or a command in one word. Throws E_USAGE. */
export function byHand(engine: string, network: string | undefined): Runtime {
	if (engine.trim() === "") throw usage("exec", "--engine has no name");
	if (Object.hasOwn(CONTAINERS, engine)) return inContainer(engine, network);
	if (network !== undefined) throw usage("exec", "--network is for containers");
	if (Object.hasOwn(RUNTIMES, engine)) return RUNTIMES[engine] as Runtime;
	return customRuntime(engine.trim().split(/\s+/));
}

function inContainer(container: string, network = "none"): Runtime {
	if (!isNetwork(network))
		throw usage(
			"exec",
			`--network '${network}' is not none, host or container:NAME`,
		);
	if (container === "docker-wasm" && !suitsShim(network))
		throw usage(
			"exec",
			"docker-wasm needs --network container:NAME, where NAME is a Linux container that sleeps with --network none, or host",
		);
	return runtimeOf({ container, network });
}

/** The image that a config names. */
export function imageOf(engine: EngineConfig): string | undefined {
	return typeof engine === "object" && "image" in engine
		? engine.image
		: undefined;
}

/** What pipelines share that have engines of their own. */
export interface Engines {
	readonly workshop: Workshop;
	/** Warns of what is known of an engine's version. */
	readonly tellFlaws: TellFlaws;
	/** Makes images for those that run containers. */
	readonly pack: Pack;
}

/** `dir`: where what images are made of is kept. */
export function openEngines(dir: string, env: Environment, log: Log): Engines {
	const workshop = workshopOf(env);
	const pack: Pack = async (module, around) => {
		const { packer } = await import("./packed-modules.js");
		packs ??= packer(join(dir, "runtimes"), workshop, env);
		return packs(module, around);
	};
	let packs: Pack | undefined;
	return { workshop, tellFlaws: flawTeller(log), pack };
}

/** Warns of what is known of an engine's version. */
type TellFlaws = (runtime: Runtime, found: Found) => void;

/** Once for however many filters run in an engine. */
function flawTeller(log: Log): TellFlaws {
	const told = new Set<string>();
	const hint = "update it, unless your distribution has mended this version";
	return ({ name }, { version, flaws }) => {
		if (told.has(name)) return;
		told.add(name);
		for (const { id, what } of flaws)
			log.warn(
				{ engine: name, version, id, hint },
				`${name} ${version}: ${what} (${id})`,
			);
	};
}
