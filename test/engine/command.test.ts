import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { Engine } from "#host/contract.js";
import type { CommandOptions } from "#host/engine/command.js";
import { customRuntime, RUNTIMES } from "#host/engine/runtimes/index.js";
import { type Runtime, startOf } from "#host/engine/runtimes/runtime.js";
import { NO_COMPILER } from "#host/engine/runtimes/wasmtime.js";
import { Watchdog } from "#host/engine/watchdog.js";
import { engineContract, feeder } from "./contract.js";
import { command, isThere, script } from "./engines.js";
import { Record } from "./record.js";
import { trackedFixture } from "./tracked-filter.js";
import { fixture } from "./wat.js";

const wazero = RUNTIMES.wazero as Runtime;
const NODE = fileURLToPath(new URL("node-runtime.mjs", import.meta.url));
/** A runtime of our own on Node's WebAssembly: there on every machine. */
const onNode = customRuntime([process.execPath, NODE, "{module}", "{param}"]);

const plain = await fixture("contract");
const tracked = await trackedFixture("contract");
const overheat = readFileSync(
	new URL("../../build/overheat.wasm", import.meta.url),
);

const LIMITS = { time: 20_000, start: 20_000, output: 10_000, memory: 1 << 24 };
const VERSION = { arguments: ["--version"], pattern: /fake (\d+\.\d+\.\d+)/ };

const engines: Engine[] = [];

afterEach(async () => {
	await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

function make(
	runtime: Runtime,
	module: Uint8Array,
	changes?: Partial<CommandOptions>,
) {
	const engine = command(runtime, module, changes);
	engines.push(engine);
	return { engine, record: new Record(), feed: feeder(engine) };
}

async function begin(...given: Parameters<typeof make>) {
	const made = make(...given);
	await made.engine.start(made.record);
	return made;
}

if (isThere("wazero")) {
	engineContract("wazero, plain mode", {
		make: ({ restart, time }) =>
			command(wazero, plain, { restart, limits: { ...LIMITS, time } }),
		keepsState: false,
		loop: "E_GUEST_TIME",
	});
	engineContract("wazero, tracked mode", {
		make: ({ restart, time }) =>
			command(wazero, tracked, { restart, limits: { ...LIMITS, time } }),
		keepsState: false,
		loop: "E_GUEST_TIME",
	});
} else {
	console.warn(`skipped: wazero is not there: ${wazero.install}`);
}

describe("a runtime on Node", () => {
	test.each([
		["plain", plain],
		["tracked", tracked],
	])("%s: outputs, traps, exits and the last words", async (_, module) => {
		const { engine, record, feed } = await begin(onNode, module);
		feed("e1", "n", "t", "e2");
		feed("x");
		feed("21");
		await record.consumedAll(6);
		await engine.end();
		expect(record.outputs).toEqual(["e1", "e2", "21", "21", "bye"]);
		expect(record.failures).toEqual([
			{ payload: "t", code: "E_GUEST_TRAP" },
			{ payload: "x", code: "E_GUEST_EXIT" },
		]);
		expect(record.restarts.map(({ message }) => message)).toContainEqual(
			expect.stringMatching(/exit code 3/),
		);
		expect(record.breaches).toEqual([]);
	});

	test("tracked: every output knows its reading", async () => {
		const { record, feed } = await begin(onNode, tracked);
		feed("e1", "n", "22", "e3");
		await record.consumedAll(4);
		expect(record.said.filter((line) => line.includes(":"))).toEqual([
			"0: e1",
			"2: 22",
			"2: 22",
			"3: e3",
		]);
	});

	test("a filter of the SDK alerts, rejects and gets its parameters", async () => {
		const { engine, record, feed } = await begin(onNode, overheat, {
			env: ["LIMIT=50"],
		});
		const reading = (t: number) =>
			`{"device_id":"a","temperature":${t},"humidity":4,"timestamp":7}`;
		feed(reading(60), reading(40), "{", reading(51));
		await record.consumedAll(4);
		await engine.end();
		expect(record.outputs.map((text) => JSON.parse(text).value)).toEqual([
			60, 51,
		]);
		expect(record.failures).toEqual([{ payload: "{", code: "E_GUEST_REJECT" }]);
	});

	test("a reading longer than the filter takes fails, its neighbours do not", async () => {
		const { record, feed } = await begin(onNode, overheat, {
			limits: { ...LIMITS, output: 1 << 20 },
		});
		const hot = '{"device_id":"a","temperature":99,"humidity":4,"timestamp":7}';
		const long = `{"x":"${"y".repeat(70_000)}"}`;
		feed(hot, long, hot);
		feed(long);
		await record.consumedAll(4);
		expect(record.outputs).toHaveLength(2);
		expect(record.failures.map(({ code }) => code)).toEqual([
			"E_READING_SIZE",
			"E_READING_SIZE",
		]);
		expect(record.consumedNumbers).toEqual([0, 1, 2, 3]);
	});

	test("plain: a unit may write what its readings may, and the filter keeps its state", async () => {
		const { record, feed } = await begin(onNode, plain, {
			limits: { ...LIMITS, output: 100 },
		});
		const line = `e${"x".repeat(50)}`;
		feed(...Array.from({ length: 500 }, () => line), "c");
		await record.consumedAll(501);
		expect(record.restarts).toEqual([]);
		expect(record.outputs.at(-1)).toBe("0501");
	});

	test("plain: a module that writes before it has read, or half lines, is understood", async () => {
		const { engine, record, feed } = await begin(
			onNode,
			await fixture("buffered"),
		);
		const lines = Array.from({ length: 30 }, (_, k) => `reading ${k}`);
		for (const line of lines) feed(line);
		await engine.end();
		expect(record.outputs).toEqual(lines);
		expect(record.consumedNumbers).toHaveLength(30);
	});

	test("closed, it leaves no file", async () => {
		const folder = await mkdtemp(join(tmpdir(), "wasieve-test-"));
		const { engine } = await begin(onNode, plain, { folder });
		expect(await readdir(folder)).toHaveLength(1);
		await engine.close();
		expect(await readdir(folder)).toEqual([]);
	});
});

describe("an engine that", () => {
	test.each([
		["is not there", customRuntime(["no-such-engine"]), "E_ENGINE_MISSING"],
		["is behind a link to itself", behindRing(), "E_ENGINE_MISSING"],
		["cannot be executed", script("", {}, 0o644), "E_ENGINE_MISSING"],
		[
			"is too old",
			script("echo fake 0.9.1", { version: VERSION, oldest: "0.10.0" }),
			"E_ENGINE_VERSION",
		],
		[
			"is of a bad version",
			script("echo fake 2.3.1", {
				version: VERSION,
				bad: [{ affects: [["2.3.0", "2.4.0"]], why: "it loses lines" }],
			}),
			"E_ENGINE_VERSION",
		],
		[
			"does not say its version",
			script("echo hello", { version: VERSION }),
			"E_ENGINE_VERSION",
		],
		["prints garbage", script("echo garbage; cat"), "E_GUEST_START"],
		["ends at once", script("exit 0"), "E_GUEST_START"],
		["says that it cannot", script("echo no >&2; exit 1"), "E_GUEST_START"],
		["is killed at once", script("kill -9 $$"), "E_ENGINE_LOST"],
		[
			"is wasmtime-min",
			script(
				"echo 'Error: support for compiling modules was disabled at compile time' >&2; exit 1",
				{ refusals: [NO_COMPILER] },
			),
			"E_ENGINE_START",
		],
		[
			"refuses modules",
			script("echo 'Exception: load failed'; exit 1", {
				refusals: [{ says: /load failed/, message: "no SIMD", hint: "build" }],
			}),
			"E_ENGINE_START",
		],
	])("%s does not start: %o", async (_, runtime, code) => {
		const { engine, record } = make(runtime, tracked);
		await expect(engine.start(record)).rejects.toMatchObject({
			code,
			hint: expect.stringMatching(/./),
		});
		expect(record.said).toEqual([]);
	});

	test("says nothing is given up at its deadline", async () => {
		const { engine, record } = make(script("exec sleep 60"), tracked, {
			limits: { ...LIMITS, start: 300 },
		});
		await expect(engine.start(record)).rejects.toMatchObject({
			code: "E_ENGINE_START",
			message: expect.stringContaining("300 ms"),
		});
	});

	test("is killed from outside loses nothing and blames no reading", async () => {
		const { record, feed } = await begin(killedOnce(), plain);
		feed("e1", "e2", "e3");
		await record.consumedAll(3);
		expect(record.outputs).toEqual(["e1", "e2", "e3"]);
		expect(record.failures).toEqual([]);
		expect(record.restarts.map(({ code }) => code)).toEqual(["E_ENGINE_LOST"]);
	});

	test("vanishes stops, and goes on where it was when it is back", async () => {
		const runtime = script(
			`exec '${process.execPath}' '${NODE}' "$1" --die-after-read`,
		);
		const { engine, record, feed } = await begin(runtime, plain, {
			restart: { max: 2, backoff: { min: 1, max: 1 } },
		});
		const whole = `#!/bin/sh\nexec '${process.execPath}' '${NODE}' "$1"\n`;
		rmSync(runtime.program);
		feed("e1", "e2");
		await record.until(() => record.stop !== undefined);
		expect(record.stop?.message).toContain("cannot be started");
		expect(record.consumedNumbers).toEqual([]);
		writeFileSync(runtime.program, whole, { mode: 0o755 });
		await engine.restart();
		await record.consumedAll(2);
		expect(record.outputs).toEqual(["e1", "e2"]);
		expect(record.failures).toEqual([]);
	});

	test("is killed on the same reading again and again blames it", async () => {
		const dies = `while read line; do case $line in bad*) kill -9 $$;; *) printf '\\036h1\\n';; esac; done`;
		const { record, feed } = await begin(script(dies), tracked);
		feed("bad");
		await record.consumedAll(1);
		expect(record.failures).toEqual([
			{ payload: "bad", code: "E_ENGINE_LOST" },
		]);
		expect(record.restarts).toHaveLength(2);
	});

	test.each([
		["consumes what it was not given", "c7"],
		["says a record without a number", "cx"],
		["speaks of a reading it was not given", "@5\\nout\\n\\036c1"],
		["says an unknown record", "z\\n\\036c1"],
	])("%s is replaced, its reading fails", async (_, said) => {
		const liar = `printf '\\036h1\\n'; read hello; read line; printf '\\036${said}\\n'; cat >/dev/null`;
		const { record, feed } = await begin(script(liar), tracked);
		feed("a");
		await record.consumedAll(1);
		expect(record.failures).toEqual([
			{ payload: "a", code: "E_GUEST_PROTOCOL" },
		]);
		expect(record.outputs).toEqual([]);
	});

	test("prints its complaint on stdout is quoted, and it is no output", async () => {
		const complains = `printf '\\036h1\\n'; read hello; read line; echo '{"half":1}'; echo 'Exception: unreachable'; exit 1`;
		const { record, feed } = await begin(script(complains), tracked);
		feed("a");
		await record.consumedAll(1);
		expect(record.outputs).toEqual([]);
		expect(record.restarts[0]?.message).toContain("Exception: unreachable");
		expect(record.failures).toEqual([{ payload: "a", code: "E_GUEST_TRAP" }]);
	});

	test("fails at the end says so", async () => {
		const fails = `printf '\\036h1\\n'; read hello; read end; exit 134`;
		const { engine, record } = await begin(script(fails), tracked);
		await engine.end();
		expect(record.restarts.map(({ code }) => code)).toEqual(["E_GUEST_TRAP"]);
	});
});

/** What cannot be looked at, as in a folder of PATH that is closed to this user, but for root as well. */
function behindRing(): Runtime {
	const runtime = script("");
	rmSync(runtime.program);
	symlinkSync(runtime.program, runtime.program);
	return runtime;
}

/** The runtime on Node, killed the first time that it has got readings. */
function killedOnce(): Runtime {
	const body = `if [ -e "$0.killed" ]; then exec '${process.execPath}' '${NODE}' "$1"; fi
touch "$0.killed"
'${process.execPath}' '${NODE}' "$1" --die-after-read`;
	return script(`${body}\nkill -9 $$`);
}

test("a module of MiBs, as Go makes them, has time to be compiled", () => {
	expect(startOf({ ...onNode, start: 5000 }, overheat.length)).toBe(5000);
	expect(startOf({ ...onNode, start: 5000 }, 3.2 * 2 ** 20)).toBe(35_000);
});

test("who was too long is told the limit that it had, not another", async () => {
	const limit = await new Promise((resolve) => {
		const dog = new Watchdog(() => false, resolve);
		dog.watch(20);
	});
	expect(limit).toBe(20);
});
