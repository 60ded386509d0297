/**
 * The same suite for every engine that can be had here: npm run test:engines. What an engine
 * makes of filters is compared byte by byte with the embedded engine. Writes docs/engines.md.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { Engine } from "#host/contract.js";
import { blockingEngine } from "#host/engine/blocking.js";
import type { CommandOptions } from "#host/engine/command.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";
import { checkEngine, type Workshop } from "#host/engine/preflight.js";
import type { Runtime } from "#host/engine/runtimes/runtime.js";
import { ROOT } from "../cli/child.js";
import { engineContract, numbered } from "../engine/contract.js";
import { command, NOW, WORKSHOP } from "../engine/engines.js";
import { Record } from "../engine/record.js";
import { trackedFixture } from "../engine/tracked-filter.js";
import { assemble, fixture, fixtures } from "../engine/wat.js";
import { everyEngine, findCandidates } from "./engines/candidates.js";
import { type Row, report } from "./engines/report.js";

const MEMORY = 1 << 24;
const WIDE = { time: 20_000, start: 20_000, output: 1 << 22, memory: MEMORY };
const HASTY = { time: 700, start: 20_000, output: 10_000, memory: MEMORY };
const RESTART = { max: 1000, backoff: { min: 1, max: 1 } };

const office = readFileSync(
	join(ROOT, "examples/office-climate.ndjson"),
	"utf8",
)
	.trim()
	.split("\n")
	.slice(0, 3000);
const BAD = [
	"",
	"{",
	'{"temperature":"x"}',
	"[]",
	"null",
	`{"a":"${"é".repeat(50)}"}`,
];
/** What devices really send, and what they should not. */
const readings = office.flatMap((line, k) =>
	k % 97 === 0 ? [line, BAD[(k / 97) % 6] as string] : [line],
);

const plain = await fixture("contract");
const tracked = await trackedFixture("contract");
const shipped = readdirSync(join(ROOT, "build"))
	.filter((name) => name.endsWith(".wasm"))
	.map((name): [string, Uint8Array] => [
		name,
		readFileSync(join(ROOT, "build", name)),
	]);

const { candidates, close } = await findCandidates();
afterAll(close, 60_000);

const rows: Row[] = [];
const absent: [string, string][] = [];

/** Feeds lines in batches of 1 … 200, cut by `seed`, with a clock that moves 10 s a batch. */
async function run(
	engineOf: (clock: () => number) => Engine | Promise<Engine>,
	lines: readonly string[],
	seed: number,
): Promise<Record> {
	let now = NOW;
	const engine = await engineOf(() => now);
	const record = new Record();
	try {
		await engine.start(record);
		let state = seed;
		for (let at = 0; at < lines.length; ) {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			const size = 1 + ((state >>> 8) % 200);
			const some = lines.slice(at, at + size);
			now += 10_000;
			engine.feed(numbered(at, ...some));
			at += some.length;
		}
		await record.consumedAll(lines.length);
		await engine.end();
		expect(record.breaches).toEqual([]);
		return record;
	} finally {
		await engine.close();
	}
}

/** What counts, but for when readings were consumed. */
function told({ said }: Record): string[] {
	return said.filter((line) => !line.endsWith(" consumed"));
}

async function embeddedSdk(bytes: Uint8Array, clock: () => number) {
	return inlineEngine({
		module: await loadFilter(bytes, { memory: MEMORY }),
		args: ["filter"],
		env: PARAMS,
		limits: { fuel: 10_000_000, output: 1 << 20, reading: 1 << 16 },
		restart: RESTART,
		clock,
	});
}

async function embeddedForeign(bytes: Uint8Array, clock: () => number) {
	return blockingEngine({
		name: "foreign",
		module: await loadFilter(bytes, { memory: MEMORY }),
		args: ["filter"],
		env: PARAMS,
		limits: { time: 20_000, output: 1 << 22 },
		realTime: false,
		unitBy: "batch",
		restart: RESTART,
		clock,
	});
}

const PARAMS = ["LIMIT=23.5", "FIELD=temperature", "DELTA=0.2"];

/** The seed's rule in Go, if there is a Go. */
function goModule(): Uint8Array | undefined {
	const out = join(mkdtempSync(join(tmpdir(), "wasieve-go-")), "seed.wasm");
	try {
		execFileSync("go", ["build", "-o", out, "."], {
			cwd: join(ROOT, "test/fixtures/foreign/seed"),
			env: { ...process.env, GOOS: "wasip1", GOARCH: "wasm" },
			stdio: "ignore",
		});
		return readFileSync(out);
	} catch {
		console.warn("skipped: a module made with Go: there is no go");
		return undefined;
	}
}

const go = goModule();
const simple: [string, Uint8Array][] = [
	["cat", await fixture("cat")],
	["upper", await fixture("upper")],
	["buffered", await fixture("buffered")],
];
/** Go's runtime needs more of WASI than test/engine/node-runtime.mjs has. */
const foreign = go ? [...simple, ["Go", go] as const] : simple;
/** Hotter than the limits of modules that have it built in. */
const heated = office.map((line) =>
	line.replace(/"temperature":2(\d)/, '"temperature":9$1'),
);

/** Takes all the memory there is for its first reading, and says how many pages: A is none. */
const greedy = await assemble(`(module
	(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 1)
	(func (export "_start")
		(loop $more
			(i32.store (i32.const 0) (i32.const 1024))
			(i32.store (i32.const 4) (i32.const 512))
			(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
			(if (i32.eqz (i32.load (i32.const 8))) (then (return)))
			(loop $grow (br_if $grow (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
			(i32.store (i32.const 1024) (i32.add (i32.const 0x0a41) (memory.size)))
			(i32.store (i32.const 4) (i32.const 2))
			(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
			(br $more))))`);

for (const { name, runtime, why, options, small } of candidates) {
	if (why !== "") {
		console.warn(`not run: ${name}: ${why}`);
		absent.push([name, why]);
		continue;
	}
	const row: Row = {
		engine: name,
		version: await versionOf(runtime, options.workshop),
		passed: 0,
		failed: 0,
		start: 0,
		rate: 0,
		memory: 0,
	};
	rows.push(row);
	const make = (module: Uint8Array, changes: Partial<CommandOptions> = {}) =>
		command(runtime, module, {
			env: PARAMS,
			limits: WIDE,
			restart: RESTART,
			...options,
			...changes,
		});

	describe(name, () => {
		afterEach(({ task }) => {
			if (task.result?.errors?.length) row.failed++;
			else row.passed++;
		});

		for (const [mode, module] of [
			["plain", plain],
			["tracked", tracked],
		] as const) {
			engineContract(`${name}, ${mode} mode`, {
				make: ({ restart, time }) =>
					command(runtime, module, {
						...{ restart, limits: { ...HASTY, time } },
						...options,
					}),
				keepsState: false,
				loop: "E_GUEST_TIME",
			});
		}

		test.each(shipped)(
			"%s does as embedded, however batches are cut",
			async (_, bytes) => {
				for (const seed of [1, 2, 3]) {
					const here = await run(
						(clock) => make(bytes, { clock }),
						readings,
						seed,
					);
					const there = await run(
						(clock) => embeddedSdk(bytes, clock),
						readings,
						seed,
					);
					expect(told(here)).toEqual(told(there));
					expect(here.restarts).toEqual([]);
				}
			},
		);

		test.each(small ? simple : foreign)(
			"%s (made elsewhere) does as embedded",
			async (_, bytes) => {
				for (const seed of [1, 2]) {
					const lines = heated;
					const here = await run(
						(clock) => make(bytes, { clock }),
						lines,
						seed,
					);
					const there = await run(
						(clock) => embeddedForeign(bytes, clock),
						lines,
						seed,
					);
					expect(here.outputs.length).toBeGreaterThan(0);
					expect(here.outputs).toEqual(there.outputs);
					expect(here.consumedNumbers).toEqual(there.consumedNumbers);
				}
			},
		);

		test.each(fixtures("hostile"))("%s does no harm", async (file) => {
			await expect(survive(await fixture(file), make)).resolves.toBe("");
		});

		test("memory ends at the limit", async () => {
			const record = await run(
				(clock) =>
					make(greedy, { clock, limits: { ...WIDE, memory: 1 << 20 } }),
				["a"],
				1,
			);
			expect(record.outputs).toEqual([String.fromCharCode(65 + 16)]);
		});

		test("killed from outside twice: nothing is lost, nothing blamed", async () => {
			const engine = make(plain);
			const record = new Record();
			await engine.start(record);
			for (const k of [0, 1]) {
				engine.feed(numbered(2 * k, `e${k}`));
				await record.consumedAll(2 * k + 1);
				for (const { pid } of children()) process.kill(pid, "SIGKILL");
				engine.feed(numbered(2 * k + 1, `e${k}'`));
				await record.consumedAll(2 * k + 2);
			}
			expect(record.outputs).toEqual(["e0", "e0'", "e1", "e1'"]);
			expect(record.failures).toEqual([]);
			expect(record.restarts.map(({ code }) => code)).toEqual([
				"E_ENGINE_LOST",
				"E_ENGINE_LOST",
			]);
			await engine.close();
		});

		test.runIf(runtime.container)("no container is left", () => {
			const env = { ...options.workshop?.surroundings };
			const args = ["ps", "--all", "--quiet"];
			expect(execFileSync(runtime.program, args, { env }).toString()).toBe("");
		});

		test("cold start, rate and memory", async () => {
			const [, overheat] =
				shipped.find(([file]) => /overheat/.test(file)) ?? [];
			const start = () => make(overheat as Uint8Array);
			Object.assign(row, await measure(start, runtime.container));
			// The slowest does 45,000 a second on a quiet machine; what waits for a timer, 100.
			expect(row.rate).toBeGreaterThan(1000);
		});
	});
}

test.runIf(process.env.WASIEVE_TEST_STRICT)(
	"every engine asked for is here",
	() => {
		expect(absent).toEqual([]);
	},
);

describe("embedded", () => {
	test("cold start and rate, to compare", async () => {
		const [, overheat] = shipped.find(([file]) => /overheat/.test(file)) ?? [];
		const start = () => embeddedSdk(overheat as Uint8Array, () => NOW);
		const measured = await measure(start);
		rows.unshift({
			engine: "embedded",
			version: `Node ${process.versions.node}`,
			passed: 0,
			failed: 0,
			...measured,
		});
	});
});

afterAll(() => {
	if (!everyEngine) return;
	const [cpu] = cpus();
	const date = new Date().toISOString().slice(0, 10);
	report(
		rows,
		absent,
		`${cpu?.model.trim()}, ${cpus().length} cores shared with others, ${process.platform}, ${date}.`,
	);
});

async function versionOf(
	runtime: Runtime,
	workshop: Workshop = WORKSHOP,
): Promise<string> {
	if (runtime.program === process.execPath)
		return `Node ${process.versions.node}`;
	return (await checkEngine(runtime, workshop)).version;
}

/** Starts a hostile module, or is refused: "" when either ended well and no process is left. */
async function survive(
	bytes: Uint8Array,
	make: (module: Uint8Array, changes: Partial<CommandOptions>) => Engine,
): Promise<string> {
	let engine: Engine;
	try {
		engine = make(bytes, {
			limits: { ...HASTY, start: 1500 },
			restart: { max: 3, backoff: { min: 1, max: 1 } },
		});
	} catch (thrown) {
		return codeOf(thrown);
	}
	const record = new Record();
	try {
		await engine.start(record);
		engine.feed(numbered(0, "a"));
		await record.consumedAll(1);
		return record.breaches.join();
	} catch (thrown) {
		return codeOf(thrown);
	} finally {
		await engine.close();
		expect(children()).toEqual([]);
	}
}

/** Only our own errors are a good end. */
function codeOf(thrown: unknown): string {
	const { code = "", message } = thrown as { code?: string; message: string };
	return /^E_(MODULE|GUEST|ENGINE)_/.test(code) ? "" : message;
}

/** Processes of ours (Linux). */
function children(): { pid: number }[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map((name) => ({ pid: Number(name), stat: contents(name, "stat") }))
		.filter(({ stat }) => {
			const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
			return Number(parent) === process.pid && state !== "Z";
		})
		.filter(
			({ pid }) => !/esbuild|dockerd/.test(contents(String(pid), "cmdline")),
		)
		.map(({ pid }) => ({ pid }));
}

function contents(pid: string, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "utf8");
	} catch {
		return "";
	}
}

/** Of a container the runtime in it counts, not the client. */
function peakOf(container: unknown): number {
	const inside = readdirSync("/proc").filter((name) =>
		contents(name, "cmdline").startsWith("/wazero\0"),
	);
	const pids = container ? inside : children().map(({ pid }) => String(pid));
	const peaks = pids.map((pid) =>
		Number(/VmHWM:\s+(\d+)/.exec(contents(pid, "status"))?.[1] ?? 0),
	);
	return Math.max(0, ...peaks) * 1024;
}

async function measure(
	make: () => Engine | Promise<Engine>,
	container?: unknown,
) {
	const starts: number[] = [];
	for (let k = 0; k < 7; k++) {
		const engine = await make();
		const begun = performance.now();
		await engine.start(new Record());
		starts.push(performance.now() - begun);
		await engine.close();
	}
	starts.sort((a, b) => a - b);
	const engine = await make();
	const record = new Record();
	await engine.start(record);
	const batch = numbered(0, ...office.slice(0, 500));
	const batches = 200;
	const begun = performance.now();
	for (let fed = 1; fed <= batches; fed++) {
		engine.feed(batch);
		if (!engine.ready) await record.consumedAll(500 * (fed - 1));
	}
	await record.consumedAll(500 * batches);
	const rate = (500 * batches * 1000) / (performance.now() - begun);
	const memory = peakOf(container);
	await engine.close();
	return {
		start: starts[3] as number,
		rate,
		memory,
	};
}
