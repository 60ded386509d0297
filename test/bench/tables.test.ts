import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Result, resultOf } from "../../bench/results.mjs";
import { summaryOf } from "../../bench/summary.mjs";
import { figure } from "../../bench/table.mjs";
import { tablesOf, writeTables } from "../../bench/tables.mjs";
import { sampleResult } from "./samples.js";

const CAPACITY = "Capacity, against a broker that is never the limit";

/** A part of a run: capacity at QoS 0, of the gateway and two bridges. */
function capacityResult(rate: number, commit = "abc1234"): Result {
	const { machine, method } = sampleResult({}, { commit });
	const row = (name: string, one: number) => [
		name,
		"0",
		figure([one, one * 1.01, one * 0.99], 0),
	];
	return resultOf(machine, method, [
		{
			group: "capacity",
			title: CAPACITY,
			note: "Warm-up first.",
			columns: ["", "QoS", "msg/s"],
			rows: [
				row("wasieve", rate),
				row("wasieve, SIMD filter", 9 * rate),
				row("bridge, 1 connection", 200_000),
				row("bridge, 2 connections", 250_000),
			],
			aims: [
				{
					text: "capacity",
					aim: "≥ 1 /s",
					values: [rate],
					digits: 0,
					met: (value) => value >= 1,
				},
			],
		},
	]);
}

function cells(markdown: string, start: string): string[] | undefined {
	return markdown
		.split("\n")
		.find((line) => line.startsWith(`| ${start}`))
		?.split("|")
		.map((cell) => cell.trim())
		.slice(1, -1);
}

describe("the short table", () => {
	it("sets the gateway beside the better bridge, with machine and date", () => {
		const text = summaryOf([sampleResult(), capacityResult(2_000_000)]);
		expect(cells(text, "capacity at QoS 0")).toEqual([
			"capacity at QoS 0, messages a second",
			"2,000,000 (1,980,000–2,020,000)",
			"250,000 (247,500–252,500)",
			"bridge, 2 connections",
			"8.0 (8.0–8.0)",
		]);
		expect(text).toContain("### Sample CPU, x64, 2 cores");
		expect(text).toContain("Measured 2026-01-01 12:00 UTC at commit abc1234");
	});

	it("leaves out what no file has, and takes the last of two", () => {
		const text = summaryOf([
			capacityResult(1_000_000, "old0000"),
			capacityResult(3_000_000, "new0000"),
		]);
		expect(text).not.toContain("resident memory");
		expect(cells(text, "capacity at QoS 0")?.[1]).toContain("3,000,000");
		expect(text).not.toContain("old0000");
		expect(summaryOf([])).toBe("");
	});

	it("has a table for each machine", () => {
		const other = capacityResult(1_000_000);
		other.machine = { ...other.machine, arch: "arm64", busy: 1 };
		const text = summaryOf([capacityResult(2_000_000), other]);
		expect(text.match(/^### .*/gm)).toEqual([
			"### Sample CPU, x64, 2 cores",
			"### Sample CPU, arm64, 2 cores",
		]);
		expect(text.match(/the machine was not quiet/g)).toHaveLength(1);
	});
});

describe("the tables of several results", () => {
	it("stand under the header of their part, with notes and aims", () => {
		const parts = [capacityResult(2e6, "one1111"), sampleResult()];
		const text = tablesOf(parts);
		expect(text).toMatch(
			/commit one1111[\s\S]*### Aims[\s\S]*Warm-up first[\s\S]*commit abc1234[\s\S]*### Deterministic cost/,
		);
		expect(cells(text, "capacity ")).toEqual([
			"capacity",
			"≥ 1 /s",
			"2,000,000",
			"yes",
		]);
		expect(cells(text, "bridge, 1 connection, QoS 0")?.[1]).toContain(
			"200,000",
		);
	});

	it("are those of the last, where two parts have the same", () => {
		const text = tablesOf([
			capacityResult(1_000_000, "old0000"),
			capacityResult(3_000_000, "new0000"),
		]);
		expect(text.match(/### Capacity/g)).toHaveLength(1);
		expect(text).not.toContain("old0000");
	});
});

describe("bench tables FILE…", () => {
	function run(...args: string[]) {
		const [said, complaints]: [string[], string[]] = [[], []];
		const code = writeTables(
			args,
			(text) => said.push(text),
			(text) => complaints.push(text),
		);
		return { code, text: said.join("\n"), stderr: complaints.join("\n") };
	}

	it("fills the marked blocks", () => {
		const folder = mkdtempSync(join(tmpdir(), "wasieve-bench-test-"));
		onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
		const at = (name: string) => join(folder, name);
		writeFileSync(at("a.json"), JSON.stringify(capacityResult(2e6)));
		writeFileSync(at("b.json"), JSON.stringify(sampleResult()));
		for (const name of ["short.md", "long.md"])
			writeFileSync(at(name), "<!-- bench:begin -->\n<!-- bench:end -->\n");
		const files = [at("a.json"), at("b.json")];
		const flags = ["--summary", at("short.md"), "--markdown", at("long.md")];
		expect(run(...files, ...flags)).toEqual({
			code: 0,
			text: "",
			stderr: "",
		});
		const [short, long] = ["short.md", "long.md"].map((name) =>
			readFileSync(at(name), "utf8"),
		);
		expect(short).toContain("capacity at QoS 0");
		expect(short).not.toContain("### Modules");
		expect(long).toContain("### Modules");
		expect(run(...files).text).toContain("### Modules");
	});

	it.each([
		[[], "a result is needed"],
		[["/no/a.json"], "/no/a.json"],
		[["--wat"], "--wat"],
	])("ends with 2 on %j", (args, said) => {
		const { code, stderr } = run(...args);
		expect(code).toBe(2);
		expect(stderr).toContain(said);
	});
});
