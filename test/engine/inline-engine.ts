import type { Engine } from "#host/contract.js";
import type { FilterModule } from "#host/engine/filter-module.js";
import { type InlineOptions, inlineEngine } from "#host/engine/inline.js";

/** An inline engine with limits that tests reach soon. */
export function inline(
	module: FilterModule,
	options: Partial<InlineOptions> = {},
): Engine {
	return inlineEngine({
		module,
		args: ["filter"],
		env: [],
		limits: { fuel: 1_000_000, output: 1 << 16, reading: 1 << 17 },
		restart: { max: 1000, backoff: { min: 1, max: 1 } },
		clock: () => 1_700_000_000_000,
		...options,
	});
}
