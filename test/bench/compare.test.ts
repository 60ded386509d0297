import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compareFiles } from "../../bench/compare.mjs";
import { broken, compare } from "../../bench/comparison.mjs";
import { compareMarkdown } from "../../bench/comparison-text.mjs";
import { warningOf } from "../../bench/machine.mjs";
import type { Result } from "../../bench/results.mjs";
import { around, sampleResult } from "./samples.js";

const RATE = "in-module/in-the-module/overheat/readings-s-at-4-kib";
const CPU = "capacity/capacity/wasieve-qos-1/cpu-µs-msg";
const SIZE = "size/modules/overheat/bytes";
const COST = "cost/deterministic-cost/overheat/instructions-reading";

function verdictOf(id: string, a: Result, b: Result, threshold?: number) {
	const found = compare(a, b, threshold).find((each) => each.id === id);
	return found?.verdict;
}

describe("compare", () => {
	const base = sampleResult();

	it.each([
		["the same", around(2e6), "same"],
		["a percent more, which is nothing", around(2.02e6), "same"],
		["a fifth more", around(2.4e6), "better"],
		["a fifth less", around(1.6e6), "worse"],
		["three times, however noisy", around(6e6, 0.5), "better"],
		["the same, but noisy", around(2e6, 0.5), "unstable"],
		["two rounds", [2e6, 2e6], "unstable"],
		["half, in three rounds", [1e6, 1.01e6, 0.99e6], "worse"],
		["no less, in three noisy rounds", [1.9e6, 1.6e6, 1.95e6], "unstable"],
	])("a rate that is %s", (_, rate, verdict) => {
		expect(verdictOf(RATE, base, sampleResult({ rate }))).toBe(verdict);
	});

	it("finds a tenth less, and not a hundredth", () => {
		const noisy = (middle: number) =>
			sampleResult({ rate: around(middle, 0.03) });
		expect(verdictOf(RATE, noisy(2e6), noisy(1.8e6))).toBe("worse");
		expect(verdictOf(RATE, noisy(2e6), noisy(1.98e6))).toBe("same");
	});

	it("says that a rival changed, and gates nothing by it", () => {
		const rival = (us: number) => {
			const result = sampleResult({ us: around(us) });
			for (const each of result.figures)
				if (each.id === CPU) each.better = "neither";
			return result;
		};
		expect(verdictOf(CPU, rival(12), rival(24))).toBe("changed");
		expect(broken(compare(rival(12), rival(24)), "all")).toEqual([]);
	});

	it("judges what is exact alone when the machines differ", () => {
		const there = sampleResult(
			{ rate: around(1e6), instructions: 4000 },
			{ cpu: "Other", arch: "arm64" },
		);
		expect(verdictOf(RATE, base, there)).toBe("elsewhere");
		expect(verdictOf(COST, base, there)).toBe("worse");
		const faults = broken(compare(base, there), "all");
		expect(faults.map(({ id }) => id)).toEqual([COST]);
	});

	it("knows that less time is better", () => {
		expect(verdictOf(CPU, base, sampleResult({ us: around(9) }))).toBe(
			"better",
		);
		expect(verdictOf(CPU, base, sampleResult({ us: around(15) }))).toBe(
			"worse",
		);
	});

	it("takes a smaller difference for none when told", () => {
		const after = sampleResult({ us: around(13) });
		expect(verdictOf(CPU, base, after)).toBe("worse");
		expect(verdictOf(CPU, base, after, 20)).toBe("same");
	});

	it("sees the smallest difference of what is exact", () => {
		const more = sampleResult({ instructions: 3198.9 });
		expect(verdictOf(COST, base, more)).toBe("worse");
		expect(verdictOf(COST, more, base)).toBe("better");
		expect(verdictOf(COST, base, sampleResult())).toBe("same");
	});

	it("needs no rounds for what was never anything else", () => {
		const before = sampleResult();
		const [first] = before.figures;
		if (!first) throw new Error("no figure");
		const size = (bytes: number, exact: boolean): Result => ({
			...before,
			figures: [
				{ ...first, exact, better: "neither", values: [bytes], median: bytes },
			],
		});
		const verdict = (a: Result, b: Result) => verdictOf(RATE, a, b);
		expect(verdict(size(5, false), size(5, true))).toBe("same");
		expect(verdict(size(5, true), size(6, true))).toBe("changed");
		expect(verdict(size(5, false), size(6, false))).toBe("unstable");
		const grown = compare(size(5, true), size(6, true));
		expect(broken(grown, "exact")).toEqual([]);
	});

	it("finds nothing unstable in what was weighed once", () => {
		const weighed = (bytes: number, cpu = "Sample CPU") => {
			const result = sampleResult({ bytes }, { cpu });
			for (const each of result.figures) each.exact = false;
			return result;
		};
		const [before, after] = [weighed(1_356_947), weighed(1_356_996)];
		expect(verdictOf(SIZE, before, after)).toBe("worse");
		expect(verdictOf(SIZE, after, before)).toBe("better");
		expect(verdictOf(SIZE, before, before)).toBe("same");
		// Another machine may have another Go.
		expect(verdictOf(SIZE, before, weighed(1, "Other"))).toBe("elsewhere");
	});

	it("gives the ratio with its interval", () => {
		const found = compare(base, sampleResult({ rate: around(3e6) }));
		const rate = found.find(({ id }) => id === RATE);
		expect(rate?.ratio).toBeCloseTo(1.5);
		expect(rate?.low).toBeLessThan(1.5);
		expect(rate?.high).toBeGreaterThan(1.5);
	});

	it("names what is gone and what is new", () => {
		const less = { ...base, figures: base.figures.slice(1) };
		expect(verdictOf(RATE, base, less)).toBe("gone");
		expect(verdictOf(RATE, less, base)).toBe("new");
	});
});

describe("the gate", () => {
	const slow = compare(
		sampleResult(),
		sampleResult({ rate: around(1e6), instructions: 4000 }),
	);

	it("holds exact figures only, unless told", () => {
		expect(broken(slow, "exact").map(({ id }) => id)).toEqual([COST]);
		expect(broken(slow, "all").length).toBe(5);
		expect(broken(slow, "none")).toEqual([]);
	});

	it("does not let an exact figure vanish", () => {
		const a = sampleResult();
		const b = { ...a, figures: a.figures.filter(({ id }) => id !== COST) };
		expect(broken(compare(a, b), "exact").map(({ id }) => id)).toEqual([COST]);
	});
});

describe("bench compare A.json B.json", () => {
	function files(a: Result, b: Result): [string, string, string] {
		const folder = mkdtempSync(join(tmpdir(), "wasieve-bench-test-"));
		onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
		const at = (name: string) => join(folder, name);
		writeFileSync(at("a.json"), JSON.stringify(a));
		writeFileSync(at("b.json"), JSON.stringify(b));
		return [at("a.json"), at("b.json"), at("out.md")];
	}

	function run(...args: string[]) {
		const said: string[] = [];
		const complaints: string[] = [];
		const code = compareFiles(
			args,
			(text) => said.push(text),
			(text) => complaints.push(text),
		);
		return { code, text: said.join("\n"), stderr: complaints.join("\n") };
	}

	it("ends with 0, and writes Markdown", () => {
		const [a, b, markdown] = files(sampleResult(), sampleResult());
		const { code, text, stderr } = run(a, b, "--markdown", markdown);
		expect(code).toBe(0);
		expect(stderr).toBe("");
		expect(text).toContain("**The gate holds**");
		expect(text).toContain("on Sample CPU: 8 same.");
		expect(text).not.toContain("<details>");
		expect(text).not.toContain("### What moved");
		const written = readFileSync(markdown, "utf8");
		expect(written.startsWith(text)).toBe(true);
		expect(written).toContain("<details><summary>8 same</summary>");
	});

	it("ends with 1 and says which figure on stderr, with what it was and is", () => {
		const before = sampleResult();
		const after = sampleResult({ bytes: 9000, instructions: 3198.9 });
		const [a, b] = files(before, after);
		const { code, text, stderr } = run(a, b);
		expect(code).toBe(1);
		expect(text).toContain("### What moved");
		expect(stderr.split("\n")).toEqual([
			"gate: cost · overheat · instructions/reading was 3,198.8 instructions, is 3,198.9 instructions (× 1.000)",
			"gate: size · overheat · bytes was 7,945 bytes, is 9,000 bytes (× 1.133)",
			"gate: size · stuffy · bytes was 13,506.5 bytes, is 15,300 bytes (× 1.133)",
		]);
		expect(run(a, b, "--gate", "none")).toMatchObject({ code: 0, stderr: "" });
		after.figures = after.figures.filter(({ id }) => id !== COST);
		const [, less] = files(before, after);
		expect(run(a, less).stderr).toContain(
			"overheat · instructions/reading was 3,198.8 instructions, is gone",
		);
	});

	it("puts worse first, then better, and folds the rest away", () => {
		const noisy = { rate: around(2e6, 0.5), us: around(15) };
		const before = sampleResult({ bytes: 9000 });
		const [a, b, markdown] = files(before, sampleResult(noisy));
		expect(run(a, b, "--markdown", markdown).code).toBe(0);
		const text = readFileSync(markdown, "utf8");
		const [shown = "", folded = ""] = text.split("<details>");
		expect(shown).not.toMatch(/\| +(unstable|same) \|/);
		expect(shown).toContain("1 slower, 2 smaller, 4 unstable, 1 same.");
		expect(
			shown
				.match(/(slower|smaller)(\*\*)? +\|/g)
				?.map((cell) => cell.slice(0, 6)),
		).toEqual(["slower", "smalle", "smalle"]);
		expect(folded).toContain("<summary>4 unstable, 1 same</summary>");
		expect(folded.match(/\| +unstable \|/g)).toHaveLength(4);
	});

	it("warns of other machines and noise", () => {
		const a = sampleResult({}, { cpu: "Other", busy: 1 });
		const text = compareMarkdown(a, sampleResult(), [], "exact");
		expect(text).toContain(
			"> The machines differ (A was measured on Other, x64, 2 cores)",
		);
		expect(text).toContain("> The machine was not quiet");
		const newer = sampleResult({}, { node: "v22.1.0" });
		expect(compareMarkdown(sampleResult(), newer, [], "exact")).toContain(
			"> Node differs: v20.20.2, then v22.1.0.",
		);
	});

	it("calls what got worse or better by its own name", () => {
		const moved = (values: Parameters<typeof sampleResult>[0]) => {
			const [a, b] = [sampleResult(), sampleResult(values)];
			return compareMarkdown(a, b, compare(a, b), "exact", false);
		};
		const all = { rate: around(1e6), us: around(9), instructions: 4000 };
		const text = moved({ ...all, bytes: 9000 });
		expect(text).toContain("4 slower, 1 more, 2 bigger, 1 faster.");
		expect(text).toMatch(/cost · overheat .* \*\*more\*\* \|/);
		expect(text).toMatch(/size · overheat .* \*\*bigger\*\* \|/);
		expect(text).toMatch(/capacity · wasieve, .* faster \|/);
		expect(moved({ instructions: 3000 })).toContain("1 less, 7 same.");
	});

	it("does not doubt what is counted on a busy machine", () => {
		const busy = sampleResult({}, { busy: 1 });
		const counted = busy.figures.filter(({ exact }) => exact);
		const text = (of: Result) => compareMarkdown(of, of, [], "exact");
		expect(text(busy)).toContain("not quiet");
		expect(text({ ...busy, figures: counted })).not.toContain("not quiet");
		expect(warningOf(busy.machine, true)).toContain("NOT QUIET: 1.00 of 2");
		expect(warningOf(busy.machine, false)).toBeUndefined();
	});

	it("says how many of many verdicts may be chance", () => {
		const [a, b] = [sampleResult(), sampleResult({ us: around(15) })];
		const said = "> Of the 5 figures that are not exact, up to 1 may seem";
		const text = (of: Result) =>
			compareMarkdown(a, of, compare(a, of), "exact");
		expect(text(b)).toContain(said);
		expect(text(a)).not.toContain("by chance");
		expect(text(b)).toContain("> Two runs: ");
	});

	it.each([
		[["one.json"], "two results"],
		[["a", "b", "--gate", "some"], "--gate some"],
		[["a", "b", "--threshold", "x"], "--threshold x"],
		[["/no/a", "/no/b"], "/no/a"],
		[["a", "b", "--wat"], "--wat"],
	])("ends with 2 on %j", (args, said) => {
		const { code, stderr } = run(...args);
		expect(code).toBe(2);
		expect(stderr).toContain(said);
	});
});
