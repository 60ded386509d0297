import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import type { Engine } from "#host/contract.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { type InlineOptions, inlineEngine } from "#host/engine/inline.js";
import { batchOf } from "../pipeline/parts.js";
import { Record } from "./record.js";
import { trackedFixture } from "./tracked-filter.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-inline-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A filter of test/fixtures/filters, compiled. */
async function shipped(name: string): Promise<Uint8Array> {
	const path = new URL(`../fixtures/filters/${name}.ts`, import.meta.url);
	return (await compileFilter(fileURLToPath(path))).bytes;
}

/** A filter given as text, compiled. */
async function written(name: string, source: string): Promise<Uint8Array> {
	const path = join(folder, `${name}.ts`);
	writeFileSync(path, source);
	return (await compileFilter(path)).bytes;
}

async function started(
	bytes: Uint8Array,
	options: Partial<InlineOptions> = {},
): Promise<{ engine: Engine; record: Record }> {
	const module = await loadFilter(bytes, { size: 1 << 20, memory: 1 << 24 });
	const engine = inlineEngine({
		module,
		args: ["filter"],
		env: [],
		limits: { fuel: 10_000_000, output: 1 << 20, reading: 1 << 16 },
		restart: { max: 1000, backoff: { min: 1, max: 1 } },
		clock: () => 0,
		...options,
	});
	const record = new Record();
	await engine.start(record);
	return { engine, record };
}

/** Readings numbered from `first`, as one batch. */
function numbered(first: number, payloads: readonly string[], topic = "t") {
	const batch = batchOf(
		...payloads.map((text): [string, string] => [topic, text]),
	);
	for (let k = 0; k < batch.count; k++) batch.number[k] = first + k;
	return batch;
}

test("which readings run out of fuel does not depend on how batches are cut", async () => {
	const bytes = await written(
		"spin",
		`import { Reading, emit, run } from "wasieve/assembly";
let turns: i64 = 0;
run((r: Reading): void => {
  const n = r.i64("n");
  for (let k: i64 = 0; k < n; k++) turns = (turns ^ k) * 31 + 7;
  emit().i64("n", n).i64("turns", turns);
});
`,
	);
	const limits = { fuel: 20_000, output: 1 << 20, reading: 1 << 16 };
	/** What becomes of readings when they are fed in batches of these sizes. */
	const outcome = async (
		loads: readonly number[],
		sizes: readonly number[],
	) => {
		const { engine, record } = await started(bytes, { limits });
		const texts = loads.map((n) => `{"n":${n}}`);
		for (let at = 0, k = 0; at < texts.length; k++) {
			const size = sizes[k % sizes.length] as number;
			engine.feed(numbered(at, texts.slice(at, at + size)));
			at += size;
			await record.consumedAll(Math.min(at, texts.length));
		}
		await engine.close();
		expect(record.breaches).toEqual([]);
		return { outputs: record.outputs, failures: record.failures };
	};
	// From far below to far above what 20,000 units pay for, and all around it.
	const load = fc.oneof(fc.nat(2_000), fc.nat(60_000), fc.nat(400_000));
	const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
	await fc.assert(
		fc.asyncProperty(
			fc.array(load, { minLength: 1, maxLength: 20 }),
			sizes,
			async (loads, cut) => {
				expect(await outcome(loads, cut)).toEqual(await outcome(loads, [1]));
			},
		),
		{ numRuns: 25 },
	);
	const all = await outcome([10, 400_000, 20], [3]);
	expect(all.failures).toEqual([
		{ payload: '{"n":400000}', code: "E_GUEST_FUEL" },
	]);
	expect(all.outputs).toHaveLength(2);
});

test("state survives a trap however much input lies between it and the last checkpoint", async () => {
	const bytes = await trackedFixture("contract");
	for (const before of [0, 1, 500, 3000, 40_000]) {
		const { engine, record } = await started(bytes);
		const filler = Array.from({ length: 100 }, () => `n${"x".repeat(60)}`);
		let fed = 0;
		for (; fed + 100 <= before; fed += 100) engine.feed(numbered(fed, filler));
		for (; fed < before; fed++) engine.feed(numbered(fed, ["n"]));
		engine.feed(numbered(fed, ["c", "t", "c", "t", "t", "c"]));
		await record.consumedAll(fed + 6);
		const count = (n: number) => String(before + n).padStart(4, "0");
		expect(record.outputs).toEqual([count(1), count(2), count(3)]);
		await engine.close();
	}
});

test("timers fire by the gateway's clock, and a reading sees the time of its batch", async () => {
	let now = 10_000;
	const { engine, record } = await started(await shipped("timers"), {
		clock: () => now,
	});
	expect(engine.tickEvery).toBe(1000);
	engine.feed(numbered(0, ["1"]));
	now = 11_200;
	engine.tick();
	now = 11_100; // a clock that is set back does not turn back the filter's time
	engine.feed(numbered(1, ["2"]));
	await engine.end();
	expect(record.said).toEqual([
		'0: {"now":10000,"reading":1}',
		"0 consumed",
		'-: {"timer":"1000","now":11000}',
		'1: {"now":11200,"reading":2}',
		"1 consumed",
		'-: {"timer":"end","now":11200}',
	]);
	expect(record.breaches).toEqual([]);
});

test("a filter that asks for topics gets them, odd characters and all", async () => {
	const { engine, record } = await started(await shipped("actions"));
	const ask = '{"do":"topic"}';
	engine.feed(numbered(0, [ask, ask], "plant/1"));
	engine.feed(numbered(2, [ask], "plant/%\n2"));
	expect(record.outputs.map((text) => JSON.parse(text).topic)).toEqual([
		"plant/1",
		"plant/1",
		"plant/%\n2",
	]);
});

test("a topic suffix and a drop arrive with their reading", async () => {
	const { engine, record } = await started(await shipped("actions"));
	engine.feed(
		numbered(0, ['{"do":"to","why":"hot/1"}', '{"do":"drop","why":"cold"}']),
	);
	expect(record.said).toEqual([
		'0: {"sent":true} > hot/1',
		"1 dropped: cold",
		"0 consumed",
		"1 consumed",
	]);
});

test("a reading longer than the filter takes fails alone", async () => {
	const limits = { fuel: 10_000_000, output: 1 << 20, reading: 1 << 20 };
	const { engine, record } = await started(await shipped("accept"), { limits });
	const long = `"${"x".repeat(200_000)}"`;
	engine.feed(numbered(0, ["1", long, "2"]));
	await record.consumedAll(3);
	expect(record.failures.map(({ code }) => code)).toEqual(["E_READING_SIZE"]);
	expect(record.consumedNumbers).toEqual([0, 1, 2]);
});

test("a module that does not speak tracked mode, or another version, is refused at the start", async () => {
	const silent = `export function pump(): void {}\n`;
	const { default: asc } = await import("assemblyscript/asc");
	let bytes: Uint8Array | undefined;
	await asc.main(["main.ts", "-o", "main.wasm", "--exportStart", "_start"], {
		readFile: (file) => (file === "main.ts" ? silent : null),
		writeFile: (file, contents) => {
			if (file === "main.wasm") bytes = contents as Uint8Array;
		},
		listFiles: () => [],
	});
	await expect(started(bytes as Uint8Array)).rejects.toMatchObject({
		code: "E_GUEST_START",
		message: expect.stringContaining("without asking for input"),
	});
});

test("it says what it burnt", async () => {
	const { engine } = await started(await shipped("accept"));
	engine.feed(numbered(0, ["1", "2"]));
	const once = engine.fuel as number;
	expect(once).toBeGreaterThan(0);
	engine.feed(numbered(2, ["1", "2"]));
	expect(engine.fuel).toBe(once * 2);
});

/** Writes as many kilobytes as the reading says. */
const TALKATIVE = `import { Reading, emit, run } from "wasieve/assembly";
run((r: Reading): void => {
  const n = r.i64("n");
  for (let k: i64 = 0; k < n; k++) emit().str("filler", "${"x".repeat(1000)}").end();
  emit().i64("done", n);
});
`;

test("while downstream has enough, what was fed waits, and goes on in order", async () => {
	const { engine, record } = await started(await shipped("accept"));
	record.congested = true;
	engine.feed(numbered(0, ["1", "2"]));
	engine.feed(numbered(2, ["3"]));
	expect(record.consumedNumbers).toEqual([]);
	expect(engine.ready).toBe(false);
	engine.proceed?.();
	expect(record.consumedNumbers).toEqual([]);
	record.congested = false;
	engine.proceed?.();
	expect(record.consumedNumbers).toEqual([0, 1, 2]);
	expect(engine.ready).toBe(true);
	expect(record.readyCount).toBe(1);
});

test("at the end what waits goes on when downstream has room, and never once it is closed", async () => {
	for (const close of [false, true]) {
		const { engine, record } = await started(await shipped("accept"));
		record.congested = true;
		engine.feed(numbered(0, ["1", "2"]));
		const ended = engine.end();
		expect(record.consumedNumbers).toEqual([]);
		if (close) await engine.close();
		record.congested = false;
		engine.proceed?.();
		await ended;
		expect(record.consumedNumbers).toEqual(close ? [] : [0, 1]);
	}
});

test.each([
	["several batches wait", [["1", "2"], ["3"], ["4"]]],
	["some of a batch wait behind one that fails", [["x", "2", "3", "4"]]],
])("what comes while %s goes behind them", async (_, waiting) => {
	const { engine, record } = await started(await trackedFixture("contract"));
	record.congested = true;
	let fed = 0;
	const feed = (payloads: string[]) => {
		const first = fed;
		fed += payloads.length;
		engine.feed(numbered(first, payloads));
	};
	for (const payloads of waiting) feed(payloads);
	record.congested = false;
	const { consumed } = record;
	// A source hands over what has come as soon as the line lets it.
	record.consumed = (batch, from, to) => {
		consumed.call(record, batch, from, to);
		if (engine.ready && fed < 6) feed(["5", "6"]);
	};
	engine.proceed?.();
	expect(record.consumedNumbers.slice(0, 4)).toEqual([0, 1, 2, 3]);
	if (engine.ready && fed < 6) feed(["5", "6"]);
	expect(record.consumedNumbers).toEqual([0, 1, 2, 3, 4, 5]);
	expect(record.breaches).toEqual([]);
	await engine.close();
});

test("a batch whose outputs are too much at once stops when downstream has enough", async () => {
	const { engine, record } = await started(await written("talk", TALKATIVE), {
		limits: { fuel: 10_000_000, output: 1 << 17, reading: 1 << 16 },
	});
	const readings = Array.from({ length: 20 }, () => '{"n":100}');
	let bytes = 0;
	record.output = (_batch, _i, _bytes, start, end) => {
		bytes += end - start;
		record.congested = bytes > 300_000;
	};
	engine.feed(numbered(0, readings));
	expect(bytes).toBeLessThan(600_000);
	expect(record.consumedNumbers.length).toBeLessThan(6);
	for (let k = 0; k < 20 && record.consumedNumbers.length < 20; k++) {
		bytes = 0;
		record.congested = false;
		engine.proceed?.();
	}
	expect(record.consumedNumbers).toEqual(readings.map((_, n) => n));
	expect(record.failures).toEqual([]);
});

test("a filter that does much for each reading gets fewer at a time, not each batch twice", async () => {
	const bytes = await written("talk", TALKATIVE);
	const reading = '{"n":3}';
	const probe = await started(bytes);
	probe.engine.feed(numbered(0, [reading]));
	const cost = probe.engine.fuel as number;
	const { engine, record } = await started(bytes, {
		limits: { fuel: cost * 20, output: 1 << 22, reading: 1 << 16 },
	});
	const readings = Array.from({ length: 200 }, () => reading);
	let replaced = 0;
	record.rollback = () => {
		replaced++;
		Record.prototype.rollback.call(record);
	};
	for (let k = 0; k < 20; k++) engine.feed(numbered(k * 200, readings));
	expect(record.consumedNumbers).toHaveLength(4000);
	expect(record.failures).toEqual([]);
	// Once for each halving of 200 down to what half a tank does, and now and then for more.
	expect(replaced).toBeLessThan(20);
});

test("what a filter says before its first reading is said once, whatever happens later", async () => {
	const bytes = await written(
		"greeting",
		`import { Reading, emit, run } from "wasieve/assembly";
emit().str("hello", "once").end();
run((r: Reading): void => {
  if (r.bool("crash")) unreachable();
});
`,
	);
	const { engine, record } = await started(bytes);
	engine.feed(numbered(0, ['{"crash":true}', '{"crash":false}']));
	expect(record.outputs).toEqual(['{"hello":"once"}']);
	expect(record.failures).toHaveLength(1);
	expect(record.breaches).toEqual([]);
});
