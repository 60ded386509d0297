import { beforeAll } from "vitest";
import { type FilterModule, loadFilter } from "#host/engine/filter-module.js";
import { engineContract } from "./contract.js";
import { inline } from "./inline-engine.js";
import { trackedFixture } from "./tracked-filter.js";

const LIMITS = { size: 1 << 20, memory: 1 << 24 };

let contract: FilterModule;

beforeAll(async () => {
	contract = await loadFilter(await trackedFixture("contract"), LIMITS);
});

engineContract("the inline engine", {
	make: ({ restart }) => inline(contract, { restart }),
	keepsState: true,
	loop: "E_GUEST_FUEL",
});
