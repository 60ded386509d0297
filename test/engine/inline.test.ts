import { beforeAll } from "vitest";
import type { Engine } from "#host/contract.js";
import { type FilterModule, loadFilter } from "#host/engine/filter-module.js";
import { type InlineOptions, inlineEngine } from "#host/engine/inline.js";
import { engineContract } from "./contract.js";
import { trackedFixture } from "./tracked-filter.js";

const LIMITS = { size: 1 << 20, memory: 1 << 24 };

let contract: FilterModule;

beforeAll(async () => {
	contract = await loadFilter(await trackedFixture("contract"), LIMITS);
});

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

engineContract("the inline engine", {
	make: ({ restart }) => inline(contract, { restart }),
	keepsState: true,
	loop: "E_GUEST_FUEL",
});
