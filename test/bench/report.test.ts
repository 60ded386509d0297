import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readOptions } from "../../bench/options.mjs";
import {
	figure,
	markdownOf,
	replaceBlock,
	textOf,
	verdicts,
} from "../../bench/table.mjs";

function file(text: string): string {
	const folder = mkdtempSync(join(tmpdir(), "wasieve-bench-test-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const path = join(folder, "README.md");
	writeFileSync(path, text);
	return path;
}

it("shows median and interval, and no number when that is too wide", () => {
	expect(textOf(figure([1_000_000, 1_010_000, 990_000], 0))).toBe(
		"1,000,000 (990,000–1,010,000)",
	);
	expect(textOf(figure([1, 2, 4]))).toBe("unstable (1.00–4.00)");
	expect(textOf(figure([5], 1))).toBe("5.0");
	expect(textOf(figure([Number.NaN]))).toBe("-");
});

it("lays a section out as a Markdown table", () => {
	const section = {
		title: "T",
		columns: ["", "ms"],
		rows: [["wasieve", figure([1.5], 1)]],
	};
	expect(markdownOf(section)).toBe(
		"### T\n\n|         |  ms |\n|---------|----:|\n| wasieve | 1.5 |\n",
	);
});

it("holds the median against the aim", () => {
	const aim = {
		text: "p50",
		aim: "≤ 0.5 ms",
		met: (ms: number) => ms <= 0.5,
	};
	const section = { title: "", columns: [], rows: [] };
	const table = verdicts([
		{ ...section, aims: [{ ...aim, values: [0.4, 0.5, 9] }] },
		{ ...section, aims: [{ ...aim, values: [0.51] }] },
	]);
	expect(table?.rows.map((row) => row[3])).toEqual(["yes", "**no**"]);
	expect(verdicts([section])).toBeUndefined();
});

it("replaces the marked block and nothing else", () => {
	const path = file("# a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nz\n");
	replaceBlock(path, "new\n");
	replaceBlock(path, "newer\n");
	expect(readFileSync(path, "utf8")).toBe(
		"# a\n<!-- bench:begin -->\n\nnewer\n\n<!-- bench:end -->\nz\n",
	);
});

it("refuses a file without the marks and leaves it alone", () => {
	const path = file("nothing here");
	expect(() => replaceBlock(path, "new")).toThrow("bench:begin");
	expect(readFileSync(path, "utf8")).toBe("nothing here");
});

it("reads its flags", () => {
	expect(readOptions(["--quick", "--group", "size"])).toMatchObject({
		quick: true,
		group: ["size"],
		rounds: 1,
	});
	expect(readOptions([]).rounds).toBe(3);
	expect(() => readOptions(["--fast"])).toThrow("--fast");
	expect(() => readOptions(["--rounds", "0"])).toThrow("--rounds 0");
});
