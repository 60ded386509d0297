import { beforeAll, expect, test } from "vitest";
import { type FilterModule, loadFilter } from "#host/engine/filter-module.js";
import { batchOf } from "../pipeline/parts.js";
import { engineContract } from "./contract.js";
import { inline } from "./inline-engine.js";
import { Record } from "./record.js";
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

/** Readings in one batch. */
const readings = (...payloads: string[]) =>
	batchOf(...payloads.map((payload): [string, string] => ["t", payload]));

test("the end works off what waits, through further failures, without resting", async () => {
	const engine = inline(contract, {
		restart: { max: 1000, backoff: { min: 600_000, max: 600_000 } },
	});
	const record = new Record();
	await engine.start(record);
	engine.feed(readings("t", "t", "t", "e1", "t", "t", "t", "e2", "e3"));
	expect(engine.ready).toBe(false);
	engine.feed(readings("t", "e4"));
	await engine.end();
	expect(record.outputs).toEqual(["e1", "e2", "e3", "e4", "bye"]);
	expect(record.consumedNumbers).toHaveLength(11);
	await engine.close();
});

test("closed, it takes readings and says nothing", async () => {
	const engine = inline(contract);
	const record = new Record();
	await engine.start(record);
	await engine.close();
	engine.feed(readings("e1"));
	engine.tick();
	await engine.end();
	expect(record.said).toEqual([]);
});

test("the end of one that never started is none", async () => {
	await inline(contract).end();
});

test("when no memory is left for another instance, it stops and keeps what it was given", async () => {
	let left = 1;
	const module: FilterModule = {
		...contract,
		get wasm() {
			if (left-- > 0) return contract.wasm;
			throw new RangeError("WebAssembly.Instance(): Out of memory");
		},
	};
	const engine = inline(module);
	const record = new Record();
	await engine.start(record);
	engine.feed(readings("e1", "t", "e2"));
	expect(record.stop?.message).toContain("Out of memory");
	await expect(engine.restart()).rejects.toThrow("Out of memory");
	left = 1000;
	await engine.restart();
	expect(record.outputs).toEqual(["e1", "e2"]);
	expect(record.failures).toEqual([{ payload: "t", code: "E_GUEST_TRAP" }]);
	expect(record.consumedNumbers).toHaveLength(3);
	await engine.close();
});
