import { afterAll, beforeAll, expect, test } from "vitest";
import { type BlockingOptions, blockingEngine } from "#host/engine/blocking.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { feeder } from "./contract.js";
import { Record } from "./record.js";
import { fixture, fixtures } from "./wat.js";

/** What each module of test/fixtures/foreign/hostile ends in, on the way to its first reading or there. */
const ENDS: { readonly [name: string]: string } = {
	// Refused when it is loaded
	"import-constructor": "E_MODULE_IMPORT",
	"import-env": "E_MODULE_IMPORT",
	"import-memory": "E_MODULE_IMPORT",
	"import-module-proto": "E_MODULE_IMPORT",
	"import-proto": "E_MODULE_IMPORT",
	"import-tostring": "E_MODULE_IMPORT",
	"memory-4gib": "E_MODULE_MEMORY",
	"no-start": "E_MODULE_EXPORT",
	"table-giant": "E_MODULE_TABLE",
	// Ends before it asks for a reading
	"catches-all": "E_GUEST_START more than 400 ms",
	"exit-at-once": "E_GUEST_START exit code 9",
	"exit-large": "E_GUEST_START exit code 4294967295",
	"flood-pieces": "E_GUEST_START fuel",
	"flood-stderr": "E_GUEST_START fuel",
	"flood-stdout": "E_GUEST_START more than 10000 bytes",
	loop: "E_GUEST_START fuel",
	"memory-grow": "E_GUEST_START exit code 0",
	"memory-is-a-function": "E_GUEST_START exit code 0",
	"no-memory": "E_GUEST_START exit code 0",
	pointers: "E_GUEST_START exit code 0",
	"random-for-ever": "E_GUEST_START fuel",
	recursion: "E_GUEST_START call stack",
	"sleep-for-ever": "E_GUEST_START fuel",
	"start-call": "E_GUEST_START exit code 0",
	"start-exit": "E_GUEST_START exit code 7",
	"start-loop": "E_GUEST_START unreachable",
	"start-trap": "E_GUEST_START unreachable",
	"table-grow": "E_GUEST_START fuel",
	// Reads, and never stops
	"read-for-ever": "reads, ends by fuel",
};

const LIMITS = { memory: 2 ** 24 };
const OPTIONS: Omit<BlockingOptions, "module"> = {
	name: "hostile",
	args: ["hostile.wasm"],
	env: [],
	limits: { time: 20_000, start: 20_000, output: 10_000, fuel: 1_000_000 },
	realTime: false,
	unitBy: "batch",
	restart: { max: 3, backoff: { min: 1, max: 1 } },
	clock: () => 0,
};

let before = 0;

beforeAll(async () => {
	// What a first engine costs anyway (its thread's code) is no swelling.
	await end("loop");
	before = process.memoryUsage().rss;
});

test("each hostile module is in the table", () => {
	const names = fixtures("hostile").map((name) => name.replace("hostile/", ""));
	expect(names.sort()).toEqual(Object.keys(ENDS).sort());
});

test.each(Object.entries(ENDS))("%s: %s", async (name, expected) => {
	const { code, message } = await end(name);
	const [wanted, ...said] = expected.split(" ");
	if (wanted === "reads,") {
		expect([code, message]).toEqual(["", expect.stringContaining("fuel")]);
		return;
	}
	expect(code).toBe(wanted);
	expect(message).toContain(said.join(" "));
});

test("after all of them the process has not swollen, and a filter runs as ever", async () => {
	expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
	const module = await loadFilter(await fixture("contract"), LIMITS);
	const engine = blockingEngine({ ...OPTIONS, module });
	const record = new Record();
	await engine.start(record);
	feeder(engine)("e1", "e2");
	await engine.end();
	expect(record.outputs).toEqual(["e1", "e2", "bye"]);
	await engine.close();
});

afterAll(() => {
	const left = process.getActiveResourcesInfo();
	expect(left.filter((kind) => kind === "Worker")).toEqual([]);
});

/** Loads, starts, feeds and ends a module, whatever comes of it; code "" if it started. */
async function end(name: string): Promise<{ code: string; message: string }> {
	const bytes = await fixture(`hostile/${name}`);
	const record = new Record();
	let engine: ReturnType<typeof blockingEngine> | undefined;
	try {
		const module = await loadFilter(bytes, LIMITS);
		const start = ENDS[name]?.includes("400 ms") ? 400 : 20_000;
		const limits = { ...OPTIONS.limits, start };
		engine = blockingEngine({ ...OPTIONS, module, limits });
		await engine.start(record);
		feeder(engine)("a");
		await engine.end();
		return { code: "", message: record.restarts[0]?.message ?? "" };
	} catch (thrown) {
		const { code, message } = thrown as { code: string; message: string };
		return { code, message };
	} finally {
		await engine?.close();
		expect(record.breaches).toEqual([]);
		expect(record.logs.length).toBeLessThanOrEqual(record.mostLogs);
	}
}
