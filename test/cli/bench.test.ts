import { spawnSync } from "node:child_process";
import {
	cpSync,
	mkdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exceeded } from "#host/cli/budget.js";
import {
	type MachineLabel,
	measured,
	type PerformanceLabel,
} from "#host/cli/label.js";
import { disturbance, watchOthers } from "#host/cli/others.js";
import { assemble } from "../engine/wat.js";
import { finish, folder, MAIN, ROOT, wasieve } from "./child.js";
import { commands } from "./readme.js";

const OVERHEAT = join(ROOT, "build/overheat.wasm");

function file(name: string, content: string | object): string {
	const path = join(folder(), name);
	const text = typeof content === "string" ? content : JSON.stringify(content);
	writeFileSync(path, text);
	return path;
}

/** One reading in four is too hot. */
const READINGS = Array.from(
	{ length: 40 },
	(_, i) =>
		`{"device_id":"press-1","temperature":${i % 4 === 0 ? 90.5 : 20.5},"humidity":40,"timestamp":${i}}\n`,
).join("");

/** Two timed rounds: these tests are not about speed. */
function bench(...args: string[]) {
	const input = file("readings.ndjson", READINGS);
	const rest = ["--rounds", "2", ...args];
	return wasieve(["bench", OVERHEAT, "--input", input, ...rest]);
}

describe("wasieve bench", () => {
	it("writes the performance label, the same figures in every run", async () => {
		const path = join(folder(), "label.json");
		const first = await bench("--json", path);
		expect(first).toMatchObject({ code: 0, stderr: "" });
		const second = await bench("--json", "-");
		const [one, two] = [readFileSync(path, "utf8"), second.stdout].map((text) =>
			JSON.parse(text),
		);
		const { machines, ...fixed } = one;
		expect(fixed).toEqual({
			schema: "wasieve-label/1",
			module: "overheat.wasm",
			digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
			size: { bytes: readFileSync(OVERHEAT).length, gzip: expect.any(Number) },
			input: { readings: 40, bytes: READINGS.length },
			output: { lines: 10, bytes: expect.any(Number) },
			outcomes: { rejected: 0, dropped: 30 },
			instructionsPerReading: expect.any(Number),
			peakMemory: expect.any(Number),
		});
		expect(fixed.instructionsPerReading).toBeGreaterThan(100);
		expect(fixed.peakMemory % 65_536).toBe(0);
		expect({ ...two, machines: undefined }).toEqual({
			...fixed,
			machines: undefined,
		});
		const here = machines[process.arch];
		expect(here.node).toBe(process.version);
		for (const key of ["compileMs", "instantiateUs", "readingsPerSecond"]) {
			expect(here[key].median, key).toBeGreaterThan(0);
			expect(here[key].low, key).toBeLessThanOrEqual(here[key].median);
			expect(here[key].high, key).toBeGreaterThanOrEqual(here[key].median);
		}
	});

	it("keeps what another architecture wrote into the same label", async () => {
		const path = join(folder(), "label.json");
		await bench("--json", path);
		const label = JSON.parse(readFileSync(path, "utf8"));
		const there = { other: { cpu: "elsewhere" } };
		writeFileSync(path, JSON.stringify({ ...label, machines: there }));
		await bench("--json", path);
		const both = JSON.parse(readFileSync(path, "utf8"));
		expect(Object.keys(both.machines)).toEqual(["other", process.arch]);
		expect(both.machines.other).toEqual(there.other);

		const stale = { ...label, digest: "sha256:0", machines: there };
		writeFileSync(path, JSON.stringify(stale));
		await bench("--json", path);
		const alone = JSON.parse(readFileSync(path, "utf8"));
		expect(Object.keys(alone.machines)).toEqual([process.arch]);
	});

	it("tells people the same", async () => {
		const { stdout } = await bench();
		expect(stdout).toMatch(/^overheat\.wasm\n/);
		expect(stdout).toMatch(/instructions\/reading +[\d,]+(\.\d+)?\n/);
		expect(stdout).toContain(`on ${process.arch}`);
		expect(stdout).toContain("40 readings");
	});

	it("counts what is rejected, and fails when all is", async () => {
		const good = '{"temperature":20,"humidity":40}\n';
		const hot = '{"temperature":90}\n';
		const odd = '{"temperature":"x","humidity":40}\n';
		const measure = (name: string, text: string) =>
			wasieve([
				...["bench", OVERHEAT, "--rounds", "1"],
				...["--input", file(name, text)],
			]);
		expect((await measure("some.ndjson", good + hot + odd)).stdout).toMatch(
			/outcomes +2 readings rejected, 1 dropped/,
		);
		const ran = await measure("odd.ndjson", odd + odd);
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(
			/^error E_GUEST_REJECT: all 2 readings were rejected, the first for: temperature: /,
		);
	});

	it("does not measure a module that leaves its input unread", async () => {
		const module = join(folder(), "idle.wasm");
		const idle = `(module (memory (export "memory") 1) (func (export "_start")))`;
		writeFileSync(module, await assemble(idle));
		const input = file("readings.ndjson", READINGS);
		const ran = await wasieve(["bench", module, "--input", input]);
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_GUEST_EXIT: .* input unread\n/);
	});

	it("keeps within a budget", async () => {
		const budget = file("budget.json", {
			bytes: 100_000,
			instructionsPerReading: 100_000,
			readingsPerSecond: 1,
		});
		expect(await bench("--budget", budget)).toMatchObject({
			code: 0,
			stderr: "",
		});
	});

	it("fails with a line for each budget exceeded, and only for those", async () => {
		const budget = file("budget.json", {
			bytes: 10,
			gzip: 100_000,
			instructionsPerReading: 5,
			compileMs: 0.001,
			readingsPerSecond: 1e15,
		});
		const ran = await bench("--budget", budget);
		expect(ran.code).toBe(1);
		expect(ran.stdout).toContain("peak memory");
		const lines = ran.stderr.match(/^error .*$/gm) ?? [];
		expect(lines).toHaveLength(4);
		expect(lines[0]).toMatch(
			/^error E_BUDGET: bytes is [\d,]+, the budget is 10 bytes at most$/,
		);
		expect(lines[1]).toMatch(
			/instructionsPerReading is .* 5 instructions at most$/,
		);
		expect(lines[2]).toMatch(/compileMs is .* 0\.001 ms at most$/);
		expect(lines[3]).toMatch(/1,000,000,000,000,000 readings\/s at least$/);
	});

	it.each([
		["not JSON", "{", "is not JSON"],
		["a list", "[]", "a budget is an object"],
		[
			"an unknown key",
			'{"speed":1}',
			"'speed' is no budget; budgets are bytes",
		],
		["a word", '{"bytes":"8k"}', "'bytes' is not a number"],
		["a negative number", '{"bytes":-1}', "'bytes' is not a number"],
		[
			"several mistakes",
			'{"speed":1,"gzip":"4k","bytes":-1}',
			/'speed' is no budget; 'gzip' is not a number of 0 or more; 'bytes' is not .*; budgets are bytes, /,
		],
	])("refuses a budget file with %s", async (_, text, said) => {
		const ran = await bench("--budget", file("budget.json", text));
		expect(ran.code).toBe(2);
		expect(ran.stderr).toMatch(said);
	});

	it.each([
		["no input", [OVERHEAT], 2, "--input is missing"],
		[
			"an input that is not there",
			[OVERHEAT, "--input", "no"],
			1,
			"E_FILE_READ",
		],
		[
			"two inputs",
			[OVERHEAT, "--input", "a", "--readings", "b"],
			2,
			"give one",
		],
		["no module", ["--input", "x"], 2, "MODULE is missing"],
		[
			"odd rounds",
			[OVERHEAT, "--input", "package.json", "--rounds", "0"],
			2,
			"--rounds '0'",
		],
		[
			"an odd parameter",
			[OVERHEAT, "--input", "package.json", "--param", "=1"],
			2,
			"K=V",
		],
		["an empty input", [OVERHEAT, "--input", "/dev/null"], 2, "has no reading"],
		[
			"a module that is none",
			["package.json", "--input", "package.json"],
			3,
			"E_MODULE_MAGIC",
		],
	])("refuses %s", async (_, args, code, said) => {
		const ran = await wasieve(["bench", ...args]);
		expect(ran.code).toBe(code);
		expect(ran.stderr).toContain(said);
	});

	it("takes --readings as build does", async () => {
		const input = file("readings.ndjson", READINGS);
		const rest = ["--readings", input, "--rounds", "1"];
		const ran = await wasieve(["bench", OVERHEAT, ...rest]);
		expect(ran).toMatchObject({ code: 0, stderr: "" });
		expect(ran.stdout).toContain("40 readings");
	});

	it("ends a filter that does not end", async () => {
		const ran = await bench("--fuel", "1");
		expect(ran.code).toBe(1);
		expect(ran.stderr).toContain("E_GUEST_FUEL");
		expect(ran.stderr).toContain("--fuel");
	});
});

describe("a machine that is not quiet", () => {
	it("is noticed by what other processes burn", () => {
		const othersBusy = watchOthers();
		const burn = "while (process.cpuUsage().user < 300_000);";
		spawnSync(process.execPath, ["-e", burn]);
		expect(disturbance(othersBusy())).toMatch(/^\d+\.\d cores were busy/);
		expect(disturbance(0.02)).toBeUndefined();
	});

	it("is told with a budget of time that was exceeded, and with no other", () => {
		const label = { size: { bytes: 9000 } } as PerformanceLabel;
		const speed = { median: 9, low: 8, high: 10, rounds: 9 };
		const here = { readingsPerSecond: speed, othersBusy: 1.04 } as MachineLabel;
		const budget = { bytes: 10, readingsPerSecond: 100 };
		const hints = (machine: MachineLabel) =>
			exceeded(label, machine, budget).map(({ hint }) => hint);
		const said = "1.0 cores were busy with other things meanwhile";
		expect(hints(here)).toEqual([undefined, expect.stringContaining(said)]);
		expect(hints({ ...here, othersBusy: 0 })).toEqual([undefined, undefined]);
	});
});

describe("the interval of a median", () => {
	it.each<[number[], number, number, number]>([
		[[5], 5, 5, 5],
		[[3, 1, 2], 2, 1, 3],
		[[4, 1, 3, 2], 2.5, 1, 4],
		// 25 values: ranks 8 and 18, as tables of the binomial have it.
		[Array.from({ length: 25 }, (_, i) => i + 1), 13, 8, 18],
	])("of %j", (values, median, low, high) => {
		expect(measured(values)).toEqual({
			median,
			low,
			high,
			rounds: values.length,
		});
	});
});

describe("docs/bench.md", () => {
	const docs = readFileSync(join(ROOT, "docs/bench.md"), "utf8");
	const told = commands(docs);

	it("shows the budget that is in examples/", () => {
		const budget = join(ROOT, "examples/overheat.budget.json");
		expect(docs.match(/```json\n([\s\S]*?)```/)?.[1]).toBe(
			readFileSync(budget, "utf8"),
		);
	});

	it("begins with wasieve bench", () => {
		expect(told[0]).toMatch(/^npx wasieve bench .*--budget/);
	});

	// In a folder laid out like a clone: other tests would pack the label that it writes into build/.
	it.each(told)("%s", async (command) => {
		const cwd = folder();
		mkdirSync(join(cwd, "build"));
		cpSync(OVERHEAT, join(cwd, "build/overheat.wasm"));
		symlinkSync(join(ROOT, "examples"), join(cwd, "examples"));
		const line = command.replace(
			"npx wasieve",
			`"${process.execPath}" "${MAIN}"`,
		);
		const ran = await finish(["sh", "-c", line], { cwd });
		expect(ran).toMatchObject({ code: 0, stderr: "" });
		const label = readFileSync(join(cwd, "build/overheat.label.json"), "utf8");
		expect(JSON.parse(label).output.lines).toBeGreaterThan(0);
	});
});
