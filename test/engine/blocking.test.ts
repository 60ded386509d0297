import { afterEach, describe, expect, test } from "vitest";
import type { Engine } from "#host/contract.js";
import { type BlockingOptions, blockingEngine } from "#host/engine/blocking.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { batchOf } from "../pipeline/parts.js";
import { engineContract, feeder } from "./contract.js";
import { Record } from "./record.js";
import { assemble, fixture } from "./wat.js";

const LIMITS = { memory: 2 ** 24 };
const NOW = 1_700_000_000_000;

const contract = await loadFilter(await fixture("contract"), LIMITS);

const OPTIONS: BlockingOptions = {
	name: "contract",
	module: { wasm: contract.wasm, fuel: undefined },
	args: ["contract.wasm"],
	env: ["LIMIT=85"],
	limits: { time: 20_000, start: 20_000, output: 10_000 },
	realTime: false,
	unitBy: "batch",
	restart: { max: 1000, backoff: { min: 1, max: 1 } },
	clock: () => NOW,
};

// Without a meter only the clock can tell that a filter hangs. The fuel in the module of these
// runs is never refilled below what an i32 holds.
engineContract("the blocking engine", {
	make: async ({ restart, time }) =>
		blockingEngine({
			...OPTIONS,
			module: { wasm: await unmetered("contract"), fuel: undefined },
			limits: { ...OPTIONS.limits, time },
			restart,
		}),
	keepsState: false,
	loop: "E_GUEST_TIME",
});

engineContract("the blocking engine with fuel", {
	make: ({ restart }) =>
		blockingEngine({
			...OPTIONS,
			module: contract,
			limits: { ...OPTIONS.limits, fuel: 1_000_000 },
			restart,
		}),
	keepsState: false,
	loop: "E_GUEST_FUEL",
});

async function unmetered(name: string): Promise<WebAssembly.Module> {
	return new WebAssembly.Module(await fixture(name));
}

const engines: Engine[] = [];

afterEach(async () => {
	await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

function make(
	wasm: WebAssembly.Module,
	changes: Partial<BlockingOptions> = {},
) {
	const engine = blockingEngine({
		...OPTIONS,
		module: { wasm, fuel: undefined },
		...changes,
	});
	engines.push(engine);
	return { engine, record: new Record(), feed: feeder(engine) };
}

async function begin(name: string, changes: Partial<BlockingOptions> = {}) {
	const made = make(await unmetered(name), changes);
	await made.engine.start(made.record);
	return made;
}

describe("units", () => {
	test("by topic, an output is told as caused by the first of a run of one topic", async () => {
		const { engine, record } = await begin("contract", { unitBy: "topic" });
		const batch = batchOf(
			["a", "e1"],
			["a", "e2"],
			["b", "e3"],
			["a", "n"],
			["a", "e4"],
		);
		for (let k = 0; k < 5; k++) batch.number[k] = 10 + k;
		engine.feed(batch);
		await record.consumedAll(5);
		const said = record.said.filter((line) => line.includes(":"));
		expect(said).toEqual(["10: e1", "10: e2", "12: e3", "13: e4"]);
	});

	test("have fuel and output for each of their readings: a failure would cost the filter its state", async () => {
		const { engine, record, feed } = make(contract.wasm, {
			module: contract,
			limits: { ...OPTIONS.limits, fuel: 2000, output: 100 },
		});
		await engine.start(record);
		const line = `e${"x".repeat(50)}`;
		feed(...Array.from({ length: 500 }, () => line), "c");
		await record.consumedAll(501);
		expect(record.restarts).toEqual([]);
		expect(record.outputs.length).toBe(501);
		expect(record.outputs.at(-1)).toBe("0501");
	});

	test("what a block-buffered filter holds back comes out whole, at the latest at the end", async () => {
		const { engine, record, feed } = await begin("buffered");
		const lines = Array.from({ length: 30 }, (_, k) => `reading ${k}`);
		for (const line of lines) feed(line);
		await record.consumedAll(30);
		expect(record.outputs).toEqual(lines.slice(0, record.outputs.length));
		await engine.end();
		expect(record.outputs).toEqual(lines);
	});

	test("readings and outputs larger than the rings go through", async () => {
		const { record, feed } = await begin("cat", {
			limits: { ...OPTIONS.limits, output: 10_000_000 },
		});
		const large = "x".repeat(3_000_000);
		feed("a", large, "b");
		await record.consumedAll(3);
		expect(record.outputs.map((line) => line.length)).toEqual([1, 3e6, 1]);
	});

	test("every byte value but the line feed survives, line by line", async () => {
		const { engine, record, feed } = await begin("upper");
		feed('{"a":"äöü €"}', "\r\t\x7f", "z".repeat(350));
		await record.consumedAll(3);
		expect(record.outputs).toEqual([
			'{"A":"äöü €"}',
			"\r\t\x7f",
			"Z".repeat(350),
		]);
		await engine.end();
	});

	test("it says when it has had enough, and when it is ready for more", async () => {
		const { engine, record, feed } = await begin("contract");
		const large = `n${"x".repeat(99_999)}`;
		feed(large, large, large);
		expect(engine.ready).toBe(false);
		await record.until(() => record.readyCount === 1);
		expect(engine.ready).toBe(true);
		await record.consumedAll(3);
	});

	test("20,000 readings in batches of any size come out once and in order", async () => {
		const { engine, record, feed } = await begin("cat", {
			limits: { ...OPTIONS.limits, output: 1_000_000 },
		});
		const lines = Array.from({ length: 20_000 }, (_, k) => `reading ${k}`);
		for (let at = 0, n = 1; at < lines.length; at += n, n = (n * 7 + 1) % 997) {
			feed(...lines.slice(at, at + n));
		}
		await engine.end();
		expect(record.outputs).toEqual(lines);
		expect(record.consumedNumbers).toEqual(lines.map((_, n) => n));
		expect(record.restarts).toEqual([]);
	});
});

describe("lives", () => {
	test.each([
		["hostile/start-loop", 400, /took more than 400 ms/],
		["hostile/start-trap", 20_000, /unreachable/],
		["hostile/start-exit", 20_000, /exit code 7/],
		["hostile/exit-at-once", 20_000, /exit code 9/],
		["hostile/loop", 400, /took more than 400 ms/],
		["hostile/recursion", 20_000, /call stack/],
		["hostile/flood-stdout", 20_000, /more than 10000 bytes/],
	])("%s does not start", async (name, start, why) => {
		const { engine, record } = make(await unmetered(name), {
			limits: { time: 300, start, output: 10_000 },
		});
		await expect(engine.start(record)).rejects.toMatchObject({
			code: "E_GUEST_START",
			message: expect.stringMatching(why),
		});
		expect(record.said).toEqual([]);
	});

	test("exiting with 0 before the end of input fails the reading as well", async () => {
		const { record, feed } = await begin("exit");
		feed("a");
		feed("0");
		feed("b");
		feed("5");
		await record.consumedAll(4);
		expect(record.outputs).toEqual(["a", "b"]);
		expect(record.failures).toEqual([
			{ payload: "0", code: "E_GUEST_EXIT" },
			{ payload: "5", code: "E_GUEST_EXIT" },
		]);
		expect(record.restarts[1]?.message).toMatch(/exit code 5/);
	});

	test("a filter that hangs at the end of input is ended, and the limit told is that of the end", async () => {
		const hangs = FAILS_AT_END.replace(
			"(call $proc_exit (i32.const 4))",
			"(loop $ever (br $ever))",
		);
		const { engine, record, feed } = make(
			new WebAssembly.Module(await assemble(hangs)),
			{ limits: { ...OPTIONS.limits, end: 300 } },
		);
		await engine.start(record);
		feed("a");
		await engine.end();
		expect(record.consumedNumbers).toEqual([0]);
		expect(record.restarts[0]?.message).toContain("took more than 300 ms");
	});

	test("a filter that fails at the end of input says so", async () => {
		const { engine, record, feed } = make(
			new WebAssembly.Module(await assemble(FAILS_AT_END)),
		);
		await engine.start(record);
		feed("a");
		await engine.end();
		expect(record.consumedNumbers).toEqual([0]);
		expect(record.restarts.map(({ message }) => message)).toEqual([
			expect.stringMatching(/exit code 4/),
		]);
	});

	test("a filter too slow for its batches gets smaller ones", async () => {
		// Each reading takes 40 ms of real time: 17 of them are more than the limit.
		const { record, feed } = make(
			new WebAssembly.Module(await assemble(SLOW)),
			{ realTime: true, limits: { time: 500, output: 1000 } },
		);
		await engines[0]?.start(record);
		for (let k = 0; k < 2; k++) feed(..."abcdefghijklmnopq");
		await record.consumedAll(34);
		expect(record.failures).toEqual([]);
		expect(record.restarts.length).toBeLessThan(3);
	});

	test("a closed engine leaves neither thread nor timer", async () => {
		const { engine, record, feed } = await begin("contract");
		feed("e1", "l");
		feed("t");
		await engine.close();
		const left = process.getActiveResourcesInfo();
		expect(left.filter((kind) => kind === "Worker")).toEqual([]);
		expect(record.breaches).toEqual([]);
	});

	test("a hundred instances later the process has not grown", async () => {
		const { record, feed } = await begin("contract");
		const round = async (n: number) => {
			const before = record.consumedNumbers.length;
			for (let k = 0; k < n; k++) feed("t");
			await record.consumedAll(before + n);
		};
		await round(20);
		const before = process.memoryUsage().rss;
		await round(100);
		expect(process.memoryUsage().rss - before).toBeLessThan(40e6);
	});
});

describe("time", () => {
	test("virtual: an hour's sleep takes none, and the gateway's time is what the filter sees", async () => {
		const { record, feed } = await begin("sleeper");
		feed("a");
		feed("b");
		await record.consumedAll(2);
		expect(record.outputs).toEqual(["60", "60"]);
	});

	test("real, if granted: then a sleep counts against the limit", async () => {
		const { record, feed } = await begin("sleeper", {
			realTime: true,
			limits: { ...OPTIONS.limits, time: 300 },
		});
		feed("a");
		await record.consumedAll(1);
		expect(record.failures).toEqual([{ payload: "a", code: "E_GUEST_TIME" }]);
	});

	test("virtual: a pause on stdin and a clock ends by the time of the readings that end it", async () => {
		let now = NOW;
		const { engine, record, feed } = await begin("ticker", {
			clock: () => now,
		});
		const fed = async (reading: string, after: number) => {
			now += after;
			feed(reading);
			await record.consumedAll(record.consumedNumbers.length + 1);
		};
		await fed("a", 0);
		await fed("b", 5);
		await fed("c", 25);
		await fed("d", 10);
		await engine.end();
		expect(record.outputs).toEqual(["tick", "a", "b", "tick", "c", "d"]);
	});

	test("real: it ends by itself, and what is written then comes from no reading", async () => {
		const { engine, record, feed } = await begin("ticker", { realTime: true });
		await record.until(() => record.outputs.length === 1);
		expect(record.said).toEqual(["-: tick"]);
		feed("a");
		await record.until(() => record.outputs.length === 3);
		expect(record.said).toEqual(["-: tick", "0: a", "0 consumed", "-: tick"]);
		await engine.end();
		expect(record.breaches).toEqual([]);
		expect(record.restarts).toEqual([]);
	});

	test("endless sleeps and random numbers end at the limit", async () => {
		for (const name of ["sleep-for-ever", "random-for-ever", "flood-pieces"]) {
			const { engine, record } = make(await unmetered(`hostile/${name}`), {
				limits: { time: 300, start: 300, output: 10_000 },
			});
			await expect(engine.start(record)).rejects.toThrow(/more than 300 ms/);
		}
	});
});

/** Takes its input, then leaves with exit code 4. */
const FAILS_AT_END = `(module
	(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(memory (export "memory") 1)
	(func (export "_start")
		(i32.store (i32.const 0) (i32.const 1024))
		(i32.store (i32.const 4) (i32.const 512))
		(loop $more
			(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
			(br_if $more (i32.load (i32.const 8))))
		(call $proc_exit (i32.const 4))))`;

/** Reads two bytes (a reading of one letter) at a time and sleeps 40 ms for each. */
const SLOW = `(module
	(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 1)
	(func (export "_start")
		(i32.store (i32.const 0) (i32.const 1024))
		(i32.store (i32.const 4) (i32.const 2))
		(i32.store (i32.const 80) (i32.const 1))
		(i64.store (i32.const 88) (i64.const 40000000))
		(loop $more
			(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
			(if (i32.eqz (i32.load (i32.const 8))) (then (return)))
			(drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 16)))
			(br $more))))`;
