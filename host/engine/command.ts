import type { Engine, Outcomes } from "../contract.js";
import { WasieveError } from "../errors.js";
import type { GuestListener } from "./guest.js";
import { GuestEngine, type GuestEngineOptions } from "./guest-engine.js";
import { GuestProcess, type ProcessOptions } from "./guest-process.js";
import { type Pack, type Place, placeModule } from "./place.js";
import { checkEngine, type Workshop } from "./preflight.js";
import { type Prepared, prepareFor } from "./prepared.js";
import { type Runtime, startOf } from "./runtimes/runtime.js";

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
	/** For containers: an image that holds the module, or who makes one. */
	image?: string | Pack;
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
	const limits = { memory, ...(size && { size }) };
	return new CommandEngine(options, prepareFor(options, limits));
}

class CommandEngine extends GuestEngine {
	readonly #options: CommandOptions;
	readonly #prepared: Prepared;
	/** Arguments go behind it. */
	#program = "";
	#place: Place | undefined;

	constructor(options: CommandOptions, prepared: Prepared) {
		const { runtime, limits, workshop } = options;
		const { surroundings } = workshop;
		const { ear, speech, first, last } = prepared;
		const { output } = limits;
		const start = startOf(runtime, options.module.length);
		const process: ProcessOptions = {
			...{ runtime, surroundings, ear, output, first, last },
			command: (name) => this.#command(name),
		};
		super(
			{
				...options,
				limits: { start, end: start, ...limits },
				stuck: (ms) => stuck(runtime, ms),
			},
			speech,
			(listener: GuestListener) => new GuestProcess(process, listener),
		);
		this.#options = options;
		this.#prepared = prepared;
	}

	override async start(outcomes: Outcomes): Promise<void> {
		const { runtime, workshop } = this.#options;
		const found = await checkEngine(runtime, workshop);
		this.#program = found.program;
		this.#place = await placeModule(this.#prepared, this.#options, found);
		// It may have been closed meanwhile, when there was nothing to clear yet.
		if (this.closed) await this.#clear();
		await super.start(outcomes);
	}

	#command(name: string): readonly string[] {
		const { runtime, args, env, limits } = this.#options;
		const { memory } = limits;
		const module = this.#place?.name ?? "";
		const launch = { module, args, env, memory, name };
		return [this.#program, ...runtime.arguments(launch)];
	}

	override async close(): Promise<void> {
		await super.close();
		await this.#clear();
	}

	async #clear(): Promise<void> {
		const place = this.#place;
		this.#place = undefined;
		await place?.clear();
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
