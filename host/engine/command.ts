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
	const guest = prepare(options.module, {
		memory: options.limits.memory,
		...(options.limits.module && { size: options.limits.module }),
	});
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

function prepare(module: Uint8Array, limits: ModuleLimits): Prepared {
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
	readonly #process: ProcessOptions;
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
			command: [],
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
		this.#process = process;
	}

	override async start(outcomes: Outcomes): Promise<void> {
		const { runtime, workshop, folder, args, env, limits } = this.#options;
		const { program } = await checkEngine(runtime, workshop);
		this.#folder = await mkdtemp(join(folder, "wasieve-"));
		const module = join(this.#folder, "filter.wasm");
		await writeFile(module, this.#bytes);
		const { memory } = limits;
		this.#process.command = [
			program,
			...runtime.arguments({ module, args, env, memory }),
		];
		await super.start(outcomes);
	}

	override async close(): Promise<void> {
		await super.close();
		const folder = this.#folder;
		this.#folder = undefined;
		if (folder) await rm(folder, { recursive: true, force: true });
	}
}

function stuck({ name }: Runtime, start: number): WasieveError {
	return new WasieveError(
		"E_ENGINE_START",
		`the filter did not ask for input within ${start} ms in ${name}`,
		{ hint: "the engine hangs, or the module works for ever before it reads" },
	);
}

function silent(): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		"the module cannot be made to tell when it asks for input",
		{ hint: "run it in the embedded engine (engine: embedded)" },
	);
}
