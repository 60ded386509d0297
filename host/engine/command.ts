import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, Outcomes } from "../contract.js";
import { WasieveError } from "../errors.js";
import { type ModuleLimits, refuseLibrary } from "../module/inspect.js";
import { prepareModule } from "../module/prepare.js";
import { SIGN, tellTale } from "../module/telltale.js";
import { type Ear, PlainEar, TrackedEar } from "./ear.js";
import type { GuestListener, Speech } from "./guest.js";
import { GuestEngine, type GuestEngineOptions } from "./guest-engine.js";
import { GuestProcess, type ProcessOptions } from "./guest-process.js";
import { PlainSpeech } from "./plain-speech.js";
import { checkEngine, type Workshop } from "./preflight.js";
import type { Runtime } from "./runtimes/runtime.js";
import { END, HELLO, TrackedSpeech } from "./tracked-speech.js";

export interface CommandOptions extends Omit<GuestEngineOptions, "stuck"> {
	runtime: Runtime;
	/** The module as it is on disk. */
	module: Uint8Array;
	/** The guest's arguments, without the program's name, which is the runtime's choice. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	limits: GuestEngineOptions["limits"] & {
		/** Bytes written for one reading, tried alone. */
		output: number;
		/** Bytes of linear memory. */
		memory: number;
		/** Bytes of the module. */
		module?: number;
	};
	workshop: Workshop;
	/** Where the module's file for the runtime may lie while the engine lives. */
	folder: string;
}

/**
 * Runs a filter in another WASI runtime, a process of its own behind pipes. A module made with the
 * SDK speaks tracked mode; one made elsewhere speaks plain mode and is rewritten to tell when it
 * asks for input. The module declares limits.memory as its maximum, so that every runtime keeps to it.
 *
 * start() fails with E_MODULE_*, E_ENGINE_MISSING, E_ENGINE_VERSION, E_ENGINE_START or E_GUEST_START.
 */
export function commandEngine(options: CommandOptions): Engine {
	const { memory, module: size } = options.limits;
	const guest = prepare(
		options.module,
		{ memory, ...(size && { size }) },
		options.runtime,
	);
	return new CommandEngine(options, guest);
}

/** A module as a runtime gets it, and how to talk with it. */
interface Prepared {
	bytes: Uint8Array;
	ear: Ear;
	speech: Speech;
	first: Uint8Array;
	last: Uint8Array;
}

function prepare(
	module: Uint8Array,
	limits: ModuleLimits,
	runtime: Runtime,
): Prepared {
	const { bytes, info } = prepareModule(module, limits, {
		fuel: false,
		exposeState: false,
	});
	refuseLibrary(info);
	if (info.kind === "sdk") {
		const ear = new TrackedEar();
		const speech = new TrackedSpeech(ear);
		return { bytes, ear, speech, first: HELLO, last: END };
	}
	if (runtime.container) throw packed(runtime);
	const sign = randomBytes(SIGN);
	const telling = tellTale(bytes, limits, sign);
	if (telling === undefined) throw silent();
	const ear = new PlainEar(sign);
	const speech = new PlainSpeech();
	return { bytes: telling, ear, speech, first: NOTHING, last: NOTHING };
}

const NOTHING = new Uint8Array(0);

class CommandEngine extends GuestEngine {
	readonly #options: CommandOptions;
	readonly #bytes: Uint8Array;
	/** Arguments go behind it. */
	#program = "";
	#folder: string | undefined;

	constructor(
		options: CommandOptions,
		{ bytes, ear, speech, first, last }: Prepared,
	) {
		const { runtime, limits, workshop } = options;
		const { surroundings } = workshop;
		const { output } = limits;
		const process: ProcessOptions = {
			...{ runtime, surroundings, ear, output, first, last },
			command: (name) => this.#command(name),
		};
		super(
			{
				...options,
				limits: { start: runtime.start, end: runtime.start, ...limits },
				stuck: (start) => stuck(runtime, start),
			},
			speech,
			(listener: GuestListener) => new GuestProcess(process, listener),
		);
		this.#options = options;
		this.#bytes = bytes;
	}

	override async start(outcomes: Outcomes): Promise<void> {
		const { runtime, workshop, folder } = this.#options;
		this.#program = (await checkEngine(runtime, workshop)).program;
		if (runtime.container === undefined) {
			this.#folder = await mkdtemp(join(folder, "wasieve-"));
			await writeFile(this.#file, this.#bytes);
		}
		await super.start(outcomes);
	}

	get #file(): string {
		return join(this.#folder ?? "", "filter.wasm");
	}

	#command(name: string): readonly string[] {
		const { runtime, args, env, limits } = this.#options;
		const { memory } = limits;
		const launch = { module: this.#file, args, env, memory, name };
		return [this.#program, ...runtime.arguments(launch)];
	}

	override async close(): Promise<void> {
		await super.close();
		const folder = this.#folder;
		this.#folder = undefined;
		if (folder) await rm(folder, { recursive: true, force: true });
	}
}

function stuck({ name, container }: Runtime, start: number): WasieveError {
	if (container) {
		return new WasieveError(
			"E_ENGINE_START",
			`the container of ${name} was not running within ${start} ms and is removed`,
			{ hint: container.stuck },
		);
	}
	return new WasieveError(
		"E_ENGINE_START",
		`the filter did not ask for input within ${start} ms in ${name}`,
		{ hint: "the engine hangs, or the module works for ever before it reads" },
	);
}

/** What lies in an image cannot be rewritten to tell when it asks for input. */
function packed({ name }: Runtime): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		`${name} runs filters made with the SDK only, this module was made elsewhere`,
		{ hint: "run its file with wazero, wasmtime or embedded" },
	);
}

function silent(): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		"the module cannot be made to tell when it asks for input",
		{ hint: "run it in the embedded engine (engine: embedded)" },
	);
}
