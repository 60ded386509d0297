import type { Engine } from "../contract.js";
import type { FilterModule } from "./filter-module.js";
import { GuestEngine, type GuestEngineOptions } from "./guest-engine.js";
import { GuestThread } from "./guest-thread.js";
import { PlainSpeech } from "./plain-speech.js";

export interface BlockingOptions extends Omit<GuestEngineOptions, "stuck"> {
	module: Pick<FilterModule, "wasm" | "fuel">;
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
	const { args, env, limits, module, realTime } = options;
	const fuel =
		module.fuel === undefined
			? undefined
			: { global: module.fuel, units: limits.fuel };
	const charge = {
		wasm: module.wasm,
		args,
		env,
		fuel,
		output: limits.output,
		realTime,
	};
	return new GuestEngine(
		options,
		new PlainSpeech(),
		(listener) => new GuestThread(charge, listener),
	);
}
