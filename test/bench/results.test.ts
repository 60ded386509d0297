import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it, onTestFinished } from "vitest";
import {
	estimate,
	estimatePairs,
	estimateRatio,
} from "../../bench/estimate.mjs";
import { describeMachine, headerOf } from "../../bench/machine.mjs";
import {
	checked,
	figuresOf,
	readResult,
	writeResult,
} from "../../bench/results.mjs";
import { figure } from "../../bench/table.mjs";
import { ROOT } from "../house/sources.js";
import { around, sampleResult } from "./samples.js";

const shareOf = (all: readonly boolean[]) =>
	all.filter(Boolean).length / all.length;

/** Log-normal around 1: as times are, seldom far below and now and then far above. */
function skewed(seed: number): () => number {
	let state = seed;
	const uniform = () => {
		state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
		return (state + 1) / (2 ** 31 + 1);
	};
	return () => {
		const far = Math.sqrt(-2 * Math.log(uniform()));
		return Math.exp(0.2 * far * Math.cos(2 * Math.PI * uniform()));
	};
}

describe("the interval of a median", () => {
	it("holds it and is the same in every run", () => {
		const values = around(100, 0.05);
		const first = estimate(values);
		expect(first).toEqual(estimate(values));
		expect(first.median).toBe(100);
		expect(first.low).toBeLessThan(100);
		expect(first.high).toBeGreaterThan(100);
		expect(first.low).toBeGreaterThanOrEqual(95);
		expect(first.unstable).toBe(false);
	});

	it("covers the true median in at least 95 of 100 experiments, however many values there are", () => {
		for (let n = 6; n <= 200; n++) {
			// It misses when fewer than `low` of n values, or `high` and more, lie below the true median.
			const { low, high } = estimate(
				Array.from({ length: n }, (_, k) => k + 1),
			);
			let ways = 1;
			let missed = 0;
			for (let below = 0; below <= n; below++) {
				if (below < low || below >= high) missed += ways;
				ways *= (n - below) / (below + 1);
			}
			expect(missed / 2 ** n).toBeLessThan(0.05);
			expect(missed / 2 ** n).toBeGreaterThan(0.006); // and is no wider than it must be
		}
	});

	it.each([
		["two sides", 3, estimateRatio],
		["two sides", 4, estimateRatio],
		["pairs", 3, estimatePairs],
		["pairs", 5, estimatePairs],
		["pairs", 6, estimatePairs],
		["pairs", 9, estimatePairs],
	])(
		"finds a difference where there is none in 1 of 20 %s of %d at most",
		(_, n, estimate) => {
			const random = skewed(3);
			const values = () => Array.from({ length: n }, random);
			const found = Array.from({ length: 3000 }, () => {
				const { low, high } = estimate(values(), values());
				return low > 1 || high < 1;
			});
			expect(shareOf(found)).toBeLessThan(0.062);
		},
	);

	it("says unstable beyond a fifth of the median", () => {
		expect(estimate([100, 100, 100, 100]).unstable).toBe(false);
		expect(estimate([100, 60, 140, 100]).unstable).toBe(true);
		expect(estimate([100]).unstable).toBe(false);
	});

	it("of a ratio narrows with its sides", () => {
		const { ratio, low, high } = estimateRatio(around(200), around(100));
		expect(ratio).toBeCloseTo(2);
		expect(low).toBeGreaterThan(1.95);
		expect(high).toBeLessThan(2.05);
	});
});

describe("a figure", () => {
	it.each([
		["wasieve, SIMD filter", "more"],
		["embedded, in a worker", "more"],
		["overheat, SIMD", "more"],
		["bridge, 2 connections", "neither"],
		["Node-RED 4.1.15", "neither"],
		["stuffy, wazero, SIMD", "neither"],
		["wasmtime, cached", "neither"],
		["JSON.parse", "neither"],
		["cat", "neither"],
	])("of %s is better when it is %s", (subject, better) => {
		const columns = ["", "msg/s"];
		const rows = [[subject, figure([1, 2, 3])]];
		expect(figuresOf([{ title: "T", columns, rows }])[0]?.better).toBe(better);
	});

	it.each([
		["payload MiB/s", "more"],
		["RSS idle MiB", "less"],
		["p99 ms", "less"],
		["sent late p99 ms", "neither"],
		["CPU µs/msg", "less"],
	])("called %s is better when it is %s", (name, better) => {
		const columns = ["", name];
		const rows = [["wasieve", figure([1, 2, 3])]];
		expect(figuresOf([{ title: "T", columns, rows }])[0]?.better).toBe(better);
	});
});

describe("a result", () => {
	it("is what its schema says, and the schema is one", () => {
		const schema = JSON.parse(
			readFileSync(join(ROOT, "bench/results.schema.json"), "utf8"),
		);
		const ajv = new Ajv({ strict: true });
		expect(ajv.validateSchema(schema)).toBe(true);
		expect(ajv.compile(schema)(sampleResult())).toBe(true);
	});

	it("describes this machine as the schema wants it", async () => {
		const machine = await describeMachine();
		expect(checked({ ...sampleResult(), machine }).machine).toBe(machine);
		expect(machine.arch).toBe(process.arch);
		expect(machine.engines.v8).toBe(process.versions.v8);
		expect(headerOf(machine)).toContain(`node ${process.version}`);
		expect(headerOf(machine)).toContain(` · date ${machine.date} UTC · v8 `);
	});

	const [first] = sampleResult().figures;
	it.each([
		["without machine", { machine: {} }, "/machine"],
		["of another version", { schema: "x/2" }, "/schema"],
		["with an odd way", { figures: [{ ...first, better: "up" }] }, "better"],
		[
			"with a figure of nothing",
			{ figures: [{ ...first, values: [] }] },
			"values",
		],
		["with an unknown key", { extra: 1 }, "additional"],
	])("%s is refused", (_, patch, said) => {
		expect(() => checked({ ...sampleResult(), ...patch })).toThrow(said);
	});

	it("is written under architecture and commit, and read back", () => {
		const folder = mkdtempSync(join(tmpdir(), "wasieve-bench-test-"));
		onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
		const result = sampleResult({}, { arch: "arm64", commit: "0123abc+" });
		const file = writeResult(result, folder);
		expect(file).toBe(join(folder, "arm64-0123abc+.json"));
		expect(readResult(file)).toEqual(result);
		expect(() => readResult(join(folder, "none.json"))).toThrow("none.json");
	});

	it("names figures by group, section, subject and column", () => {
		const { figures } = sampleResult();
		expect(figures.map(({ id }) => id)).toContain(
			"capacity/capacity/wasieve-qos-1/cpu-µs-msg",
		);
		expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
		const [rate] = figures;
		expect(rate).toMatchObject({ unit: "1/s", better: "more", exact: false });
		expect(figures.at(-1)).toMatchObject({ unit: "bytes", exact: true });
	});

	it("leaves out what was not measured, and knows samples behind a mean", () => {
		const found = figuresOf([
			{
				group: "micro",
				title: "T",
				columns: ["", "ns/reading", "± %", "µs"],
				rows: [
					[
						"a",
						{ ...figure([5]), samples: [4, 5, 6] },
						"7.5",
						figure([Number.NaN]),
					],
				],
			},
		]);
		expect(found).toHaveLength(1);
		// The margin is another one in each run, and the id must not be.
		expect(found[0]?.id).toBe("micro/t/a/ns-reading");
		expect(found[0]).toMatchObject({ values: [4, 5, 6], unit: "ns" });
	});
});
