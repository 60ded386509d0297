import {
	appendFileSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
	actionJson,
	alertsOf,
	appendRun,
	classOf,
	entryOf,
	historyVerb,
	readHistory,
} from "../../bench/history.mjs";
import { around, sampleResult } from "./samples.js";

function folder(): string {
	const path = mkdtempSync(join(tmpdir(), "wasieve-bench-test-"));
	onTestFinished(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

/** Runs whose rates are these, in M. */
function runs(...rates: number[]) {
	return rates.map((rate, i) =>
		entryOf(sampleResult({ rate: around(rate * 1e6) }, { commit: `c${i}` })),
	);
}

const alerting = (...rates: number[]) => alertsOf(runs(...rates)).length > 0;

describe("the history", () => {
	it("has a file for each class of machines and only grows", () => {
		const dir = folder();
		const first = appendRun(dir, sampleResult());
		const before = readFileSync(first, "utf8");
		expect(appendRun(dir, sampleResult())).toBe(first);
		appendRun(dir, sampleResult({}, { arch: "arm64" }));
		expect(readFileSync(first, "utf8").startsWith(before)).toBe(true);
		const history = readHistory(dir);
		expect([...history.keys()]).toEqual([
			"arm64-sample-cpu-2",
			"x64-sample-cpu-2",
		]);
		expect(history.get("x64-sample-cpu-2")).toHaveLength(2);
		expect(history.get("x64-sample-cpu-2")?.[0]).toEqual(
			entryOf(sampleResult()),
		);
	});

	it("of nowhere is empty; a broken line is named", () => {
		expect(readHistory(join(folder(), "none")).size).toBe(0);
		const dir = folder();
		appendFileSync(appendRun(dir, sampleResult()), "{half");
		expect(() => readHistory(dir)).toThrow("x64-sample-cpu-2.ndjson, line 2");
	});

	it("makes file names of any CPU", () => {
		expect(classOf({ arch: "x64", cpu: "AMD EPYC™ 7/B", cores: 4 })).toBe(
			"x64-amd-epyc-7-b-4",
		);
		expect(classOf({ arch: "arm64", cpu: "", cores: 1 })).toBe(
			"arm64-unknown-1",
		);
	});
});

describe("an alert", () => {
	it.each<[string, number[], boolean]>([
		["nothing changes", [2, 2, 2, 2, 2, 2], false],
		["one run is slow", [2, 2, 2, 2, 2, 1.5], false],
		["one run before was slow", [2, 2, 2, 2, 1.5, 2], false],
		["two runs are slow", [2, 2, 2, 2, 1.5, 1.5], true],
		["two runs are fast", [2, 2, 2, 2, 3, 3], false],
		["a trifle, within the intervals", [2, 2, 2, 2, 1.995, 1.995], false],
		["what is usual lies far apart", [1.4, 2, 2.5, 1.5, 1.6, 1.6], false],
		["too little is known", [2, 2, 1, 1], false],
	])("%s: %j", (_, rates, expected) => {
		expect(alerting(...rates)).toBe(expected);
	});

	it("knows which way is worse, and says what, where and since when", () => {
		const costs = [10, 10, 10, 10, 14, 15].map((us, i) =>
			entryOf(sampleResult({ us: around(us) }, { commit: `c${i}` })),
		);
		const [alert, more] = alertsOf(costs);
		expect(more).toBeUndefined();
		expect(alert).toMatchObject({
			id: "capacity/capacity/wasieve-qos-1/cpu-µs-msg",
			class: "x64-sample-cpu-2",
			commits: ["c4", "c5"],
			medians: [14, 15],
		});
	});
});

describe("github-action-benchmark", () => {
	it("gets smaller and bigger apart, and nothing unstable", () => {
		const result = sampleResult({ rate: around(2e6, 0.6) });
		const smaller = actionJson([result], "less");
		expect(actionJson([result], "more")).toEqual([]);
		expect(actionJson([sampleResult()], "more")).toHaveLength(4);
		expect(smaller[0]).toEqual({
			name: "x64/capacity/capacity/wasieve-qos-1/cpu-µs-msg",
			unit: "µs",
			value: 12,
			range: expect.stringMatching(/^11\.\d+–12\.\d+$/),
			extra: "Capacity: wasieve, QoS 1, CPU µs/msg; Sample CPU",
		});
	});
});

describe("bench:history", () => {
	function run(...args: string[]) {
		const said: string[] = [];
		const code = historyVerb(args, (text) => said.push(text));
		return { code, text: said.join("\n") };
	}

	it("appends, tells alerts with exit code 1, and writes the action's files", () => {
		const dir = folder();
		const file = join(dir, "r.json");
		for (const rate of [2, 2, 2, 2, 1, 1]) {
			const result = sampleResult({ rate: around(rate * 1e6) });
			writeFileSync(file, JSON.stringify(result));
			expect(run("append", file, "--dir", dir).code).toBe(0);
			if (rate === 2) expect(run("alerts", "--dir", dir).code).toBe(0);
		}
		const { code, text } = run("alerts", "--dir", dir);
		expect(code).toBe(1);
		expect(text).toContain("in-module/in-the-module/overheat");
		const smaller = join(dir, "smaller");
		const files = ["--smaller", smaller, "--bigger", join(dir, "bigger")];
		expect(run("action", file, ...files).code).toBe(0);
		expect(JSON.parse(readFileSync(smaller, "utf8"))).toHaveLength(4);
	});

	it.each([[["append"]], [["action", "x.json"]], [["what"]], [["--wat"]]])(
		"ends with 2 on %j",
		(args) => expect(run(...args).code).toBe(2),
	);
});
