import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pack, temporaryFile } from "../engine/place.js";
import type { Workshop } from "../engine/preflight.js";
import type {
	Container,
	Runtime as Engine,
} from "../engine/runtimes/runtime.js";
import {
	clearLeftovers,
	type KeptImage,
	makeScratch,
	noteImage,
} from "../engine/scratch.js";
import { WasieveError } from "../errors.js";
import { writeArchive } from "../pack/archive.js";
import { type Bundle, bundleOf } from "../pack/bundle.js";
import { digestOf } from "../pack/digest.js";
import { buildImage } from "../pack/image.js";
import { formatReference } from "../pack/reference.js";
import {
	type Architecture,
	buildStandalone,
	type Runtime as Program,
} from "../pack/standalone.js";
import { replaceFile } from "../store/file.js";
import type { Io } from "./io.js";
import { buildWazero, WAZERO } from "./wazero.js";

/** ms that an engine may take to load an image of 9 MB. */
const LOADING = 120_000;

/**
 * Makes images of modules for engines that run containers (`engine: docker`), each under a name that
 * says what is in it, so that it is loaded once. Images of Linux hold wazero, which is compiled
 * with Go once and kept in `cache`. `stop` ends what is being made.
 */
export function packer(
	cache: string,
	workshop: Workshop,
	env: Io["env"],
	stop?: AbortSignal,
): Pack {
	const { arch } = workshop;
	let swept: Promise<void> | undefined;
	const linux = shared(() => keptWazero(cache, machineOf(arch), env, stop));
	return async (module, { runtime, program, once }) => {
		const container = runtime.container as Container;
		const reference = nameOf(module, container);
		const name = formatReference(reference);
		const run = (args: readonly string[]) => ask(program, args, workshop, stop);
		const shelf = shelfOf(runtime, run);
		swept ??= clearLeftovers(tmpdir(), shelf.clean);
		await swept;
		const note = once && (await noted(runtime.name, name));
		const clear = async () => {
			if (note && (await shelf.forget(name))) await remove(note);
		};
		if (await shelf.has(name)) return { name, clear };
		const bundle = await bundleFor(container, Buffer.from(module), linux);
		const said = await load(container, writeArchive(bundle, reference), run);
		if (said === undefined) return { name, clear };
		if (note) await remove(note);
		throw new WasieveError(
			"E_ENGINE_START",
			`${runtime.name} cannot load the module's image: ${said}`,
			{
				hint: "name an image that it has: { ENGINE: IMAGE } (docs/engines.md)",
			},
		);
	};
}

type Run = (args: readonly string[]) => Promise<Said>;

/** An engine's own images. */
function shelfOf({ name, container }: Engine, run: Run) {
	const { has, forget } = container as Container;
	const done = async (args: readonly string[]) => (await run(args)).code === 0;
	const shelf = {
		has: async (image: string) => has !== undefined && done(has(image)),
		forget: (image: string) => done(forget(image)),
		/** What is left of a process that was killed: only what packer() named. */
		async clean({ engine, image }: KeptImage): Promise<boolean> {
			if (engine !== name || !image.startsWith(OURS)) return false;
			return (has && !(await shelf.has(image))) || shelf.forget(image);
		},
	};
	return shelf;
}

/** So that somebody removes the image if this process is killed before it does. */
async function noted(engine: string, image: string): Promise<string> {
	const folder = await makeScratch(tmpdir());
	await noteImage(folder, { engine, image });
	return folder;
}

function remove(folder: string): Promise<void> {
	return rm(folder, { recursive: true, force: true });
}

/** How the names begin that packer() gives. */
const OURS = "localhost/wasieve/";
const OPTIONS = { title: "filter", params: {}, wasmLayer: false } as const;

async function bundleFor(
	{ platform }: Container,
	module: Buffer,
	linux: () => Promise<Program>,
): Promise<Bundle> {
	const options = { ...OPTIONS, version: digestOf(module) };
	if (platform !== "linux")
		return bundleOf(buildImage(module, { ...options, platform }));
	return buildStandalone(module, [await linux()], options);
}

/** Runtime and digest of the module: who runs it knows what is in it. */
function nameOf(module: Uint8Array, { platform }: Container) {
	const [, tag] = digestOf(Buffer.from(module)).split(":");
	const runtime = platform === "linux" ? WAZERO.replace(" ", "-") : "wasi";
	const place = { registry: "localhost", repository: `wasieve/${runtime}` };
	return { ...place, tag: tag as string, digest: undefined };
}

interface Said {
	code: number;
	words: string;
}

/** Undefined when it is loaded, or why it is not. */
async function load(
	container: Container,
	archive: Buffer,
	run: Run,
): Promise<string | undefined> {
	const file = await temporaryFile(tmpdir(), "image.tar", archive);
	try {
		let words = "";
		for (const args of container.load(file.name)) {
			const said = await run(args);
			if (said.code === 0) return undefined;
			words = said.words;
		}
		return words;
	} finally {
		await file.clear();
	}
}

function ask(
	program: string,
	args: readonly string[],
	{ surroundings }: Workshop,
	stop: AbortSignal | undefined,
): Promise<Said> {
	const options = {
		...{ timeout: LOADING, killSignal: "SIGKILL" as const },
		env: { ...surroundings },
		...(stop && { signal: stop }),
	};
	return new Promise((resolve) => {
		execFile(program, args, options, (error, _, err) =>
			resolve({
				code: error === null ? 0 : 1,
				words: (err || String(error ?? "")).trim().replaceAll(/\s+/g, " "),
			}),
		);
	});
}

const MACHINES: Readonly<Record<string, Architecture>> = {
	x64: "amd64",
	arm64: "arm64",
	arm: "arm/v7",
	riscv64: "riscv64",
};

function machineOf(arch: string): Architecture {
	const machine = MACHINES[arch];
	if (machine) return machine;
	throw new WasieveError("E_STANDALONE", `there is no image for ${arch}`, {
		hint: `machines are ${Object.keys(MACHINES).join(", ")}`,
	});
}

/** wazero for this machine, from the cache or compiled into it. Throws E_STANDALONE. */
async function keptWazero(
	cache: string,
	machine: Architecture,
	env: Io["env"],
	stop: AbortSignal | undefined,
): Promise<Program> {
	const name = WAZERO.replace(" ", "-");
	const file = join(cache, `${name}-${machine.replace("/", "-")}`);
	const kept = await readFile(file).catch(() => undefined);
	if (kept) return { architecture: machine, bytes: kept, name: WAZERO };
	const built = await buildWazero(machine, env, stop);
	await replaceFile(file, built.bytes);
	return built;
}

/** Makes something when it is first asked for; a failure is not kept. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
	let made: Promise<T> | undefined;
	return () => {
		made ??= make().catch((error) => {
			made = undefined;
			throw error;
		});
		return made;
	};
}
