import type { Engine } from "../contract.js";
import type { FilterModule } from "./filter-module.js";
import { GuestEngine, type GuestEngineOptions } from "./guest-engine.js";
import { type Charge, GuestThread } from "./guest-thread.js";
import { PlainSpeech } from "./plain-speech.js";

type Program = Pick<FilterModule, "wasm" | "fuel">;

export interface BlockingOptions
	extends Omit<GuestEngineOptions, "stuck" | "renewed"> {
	module: Program;
	/** What is in its file now; the same module when nothing has changed. Errors: E_MODULE_* and more. */
	renew?: () => Promise<Program>;
	/** Program name first. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	limits: GuestEngineOptions["limits"] & {
		/** Bytes written for one reading, tried alone. */
		output: number;
		/** Fuel units for one reading, tried alone; unlimited when left out. Needs a metered module. */
		fuel?: number;
	};
	/** Grants the machine's clocks and random numbers instead of virtual ones. */
	realTime: boolean;
}

/**
 * Runs a module made elsewhere (Rust, Go, C …) on a thread of its own, because it blocks in
 * fd_read. Speaks plain mode of docs/protocol.md: when the module asks for more input, all that it
 * wrote belongs to the unit of readings it was given.
 */
export function blockingEngine(options: BlockingOptions): Engine {
	let { module } = options;
	const renewed = async () => {
		const old = module;
		module = (await options.renew?.()) ?? module;
		return module !== old;
	};
	return new GuestEngine(
		{ ...options, renewed },
		new PlainSpeech(),
		(listener) => new GuestThread(() => chargeOf(module, options), listener),
	);
}

function chargeOf(
	{ wasm, fuel: global }: Program,
	{ args, env, limits, realTime }: BlockingOptions,
): Charge {
	const { fuel: units, output } = limits;
	const fuel = global === undefined ? undefined : { global, units };
	return { wasm, args, env, fuel, output, realTime };
}
