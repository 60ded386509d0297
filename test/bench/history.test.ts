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
import { alertsOf } from "../../bench/alerts.mjs";
import {
	actionJson,
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

	it("of nowhere is empty", () => {
		expect(readHistory(join(folder(), "none")).size).toBe(0);
	});

	it("leaves out what is no run of its machines, and says which line", () => {
		const dir = folder();
		const file = appendRun(dir, sampleResult());
		const good = entryOf(sampleResult());
		const cost = "capacity/capacity/wasieve-qos-1/cpu-µs-msg";
		const { meaning } = good.figures[cost] ?? {};
		for (const line of [
			"null",
			"{}",
			JSON.stringify({ ...good, class: "arm64-other-4" }),
			JSON.stringify({ ...good, schema: "wasieve-history/9" }),
			JSON.stringify({
				...good,
				figures: { x: { point: [1, null, 2], meaning } },
			}),
			JSON.stringify({ ...good, figures: { x: null } }),
			"{half",
		])
			appendFileSync(file, `${line}\n`);
		appendRun(dir, sampleResult());
		const told: string[] = [];
		const history = readHistory(dir, (text) => told.push(text));
		expect(history.get("x64-sample-cpu-2")).toEqual([good, good]);
		expect(told).toHaveLength(7);
		expect(told[6]).toContain("x64-sample-cpu-2.ndjson, line 8: left out");
	});

	it("goes on behind a line that a crash has cut off", () => {
		const dir = folder();
		const file = appendRun(dir, sampleResult());
		appendFileSync(file, '{"schema":"wasie');
		appendRun(dir, sampleResult());
		const told: string[] = [];
		const history = readHistory(dir, (text) => told.push(text));
		expect(history.get("x64-sample-cpu-2")).toHaveLength(2);
		expect(told).toHaveLength(1);
	});

	it("takes no quick runs", () => {
		const quick = sampleResult();
		quick.method.quick = true;
		expect(() => appendRun(folder(), quick)).toThrow("quick");
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

	it("is false once in 250 runs at most where single runs lie far apart", () => {
		let state = 11;
		const uniform = () => {
			state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
			return (state + 1) / (2 ** 31 + 1);
		};
		const one = runs(2)[0];
		const [id = "", figure] = Object.entries(one?.figures ?? {})[0] ?? [];
		if (!one || !figure) throw new Error("no figure");
		const run = () => {
			const far = Math.sqrt(-2 * Math.log(uniform()));
			const middle = 100 + 5 * far * Math.cos(2 * Math.PI * uniform());
			const point: [number, number, number] = [
				middle,
				middle - 0.2,
				middle + 0.2,
			];
			return { ...one, figures: { [id]: { ...figure, point } } };
		};
		for (const known of [3, 10]) {
			const found = Array.from({ length: 5000 }, () =>
				alertsOf(Array.from({ length: known + 2 }, run)),
			);
			const share = found.filter(({ length }) => length > 0).length / 5000;
			expect(share, `${known} runs before`).toBeLessThan(0.004);
		}
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
		// What another machine found weeks ago is no news.
		const other = join(dir, "other.json");
		const elsewhere = sampleResult({}, { arch: "arm64" });
		writeFileSync(other, JSON.stringify(elsewhere));
		expect(run("alerts", other, "--dir", dir).code).toBe(0);
		expect(run("alerts", other, file, "--dir", dir).code).toBe(1);
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
