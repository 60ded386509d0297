/** `wasieve exec` with what only a gateway knows: topics and the time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { fixture } from "../engine/wat.js";
import { ROOT, wasieve } from "./child.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-in-band-"));
afterAll(() => rmSync(folder, { recursive: true }));

const EVERY_MINUTE = join(ROOT, "build/every-minute.wasm");

const minute = (input: string, ...options: string[]) =>
	wasieve(["exec", EVERY_MINUTE, ...options], { input });

const mean = (value: number, count: number, timestamp: number) =>
	`{"device_id":"a","field":"temperature","mean":${value},"count":${count},"timestamp":${timestamp}}\n`;

describe("time", () => {
	test("goes with the readings, never back, and fires timers between them", async () => {
		const input = `{"device_id":"a","temperature":10,"at":"2026-01-31T12:00:10Z"}
{"device_id":"a","temperature":20,"at":1769860850000}
{"device_id":"a","temperature":30,"at":"2026-01-31T14:01:00.5+02:00"}
not JSON
{"device_id":"a","temperature":40,"at":1}
{"device_id":"a","temperature":50,"at":true}
{"device_id":"a","temperature":60}
`;
		const ran = await minute(input, "--time-field", "at");
		expect(ran.stdout).toBe(
			mean(15, 2, 1769860860000) + mean(45, 4, 1769860860500),
		);
		expect(ran.stderr).toBe(
			"reading 4 rejected: not JSON: value expected at byte 0\n",
		);
		expect(ran.code).toBe(0);
	});

	test("is what --now says, and 0 otherwise", async () => {
		const reading = '{"device_id":"a","temperature":10}';
		const now = await minute(reading, "--now", "2026-01-31T12:00:00Z");
		expect(now.stdout).toBe(mean(10, 1, 1769860800000));
		const topic = await minute(reading, "--topic", "x");
		expect(topic.stdout).toBe(mean(10, 1, 0));
	});

	test("the shown example: a mean a minute", async () => {
		const lines = readFileSync(join(ROOT, "examples/office-climate.ndjson"))
			.toString()
			.split("\n")
			.slice(0, 100);
		const ran = await minute(lines.join("\n"), "--time-field", "timestamp");
		const means = ran.stdout
			.trim()
			.split("\n")
			.map((each) => JSON.parse(each));
		expect(means.length).toBeGreaterThan(60);
		for (const { timestamp } of means.slice(0, -1))
			expect(timestamp % 60_000).toBe(0);
		expect(means.reduce((sum, { count }) => sum + count, 0)).toBe(100);
	});

	test("in a field that no reading has is told", async () => {
		const ran = await minute('{"device_id":"a"}', "--time-field", "att");
		expect(ran.stderr).toContain("--time-field att: no reading has a time");
	});
});

test("the topic is the one given; what ends the filter ends the run there", async () => {
	const file = join(folder, "where.ts");
	const out = join(folder, "where.wasm");
	const source = `import { Reading, emit, now, run, topic } from "wasieve/assembly";
run((r: Reading): void => {
  emit().str("topic", topic()).i64("now", now()).i64("k", 60 / <i32>r.i64("k"));
});
`;
	writeFileSync(file, source);
	await compileFilter(file, { out });
	const input = '{"k":6}\n{"k":0}\n{"k":5}\n';
	const options = ["--topic", "a/b c%\n", "--now", "7"];
	const ran = await wasieve(["exec", out, ...options], { input });
	expect(ran.stdout).toBe('{"topic":"a/b c%\\u000a","now":7,"k":10}\n');
	expect(ran.stderr).toMatch(/^wasieve: E_GUEST_TRAP: .*divide by zero/);
	expect(ran.code).toBe(134);
});

test.each([
	[["--now", "yesterday"], 2, "--now 'yesterday' is not a time such as"],
	[["--now", "2026-01-31T12:00"], 2, "is not a time such as"],
	[["--now", "-1"], 2, "--now needs a value"],
	[["--topic", "a", "--time", "1s"], 2, "--time does not go with --topic"],
	[["--now", "1", "--real-time"], 2, "--real-time does not go with --now"],
	[["--now", "1", "--engine", "x"], 2, "--now is for the embedded engine"],
] as const)("%j is refused", async (options, code, text) => {
	const ran = await minute("", ...options);
	expect(ran.code).toBe(code);
	expect(ran.stderr).toContain(text);
});

test("a module made elsewhere has neither", async () => {
	const file = join(folder, "cat.wasm");
	writeFileSync(file, await fixture("cat"));
	const ran = await wasieve(["exec", file, "--topic", "a"], { input: "" });
	expect(ran.code).toBe(125);
	expect(ran.stderr).toMatch(/^wasieve: E_MODULE_EXPORT: topics and times/);
});
