import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { liveLine, showLive } from "#host/cli/demo/live.js";
import { BROKEN, dealReadings } from "#host/cli/demo/readings.js";
import {
	imbalances,
	type PipelineAccount,
	summaryText,
	sumUp,
} from "#host/cli/demo/summary.js";
import { ROOT } from "../child.js";

const OFFICE = readFileSync(
	join(ROOT, "examples/office-climate.ndjson"),
	"utf8",
);

describe("dealReadings", () => {
	const dealt = dealReadings(OFFICE);
	const whole = dealt.filter(({ broken }) => !broken);

	it("deals every reading of the file, in its order, and the broken ones", () => {
		expect(whole.length).toBe(10_808);
		expect(dealt.length).toBe(10_808 + BROKEN.length);
	});

	it("changes nothing but the device id", () => {
		const back = whole.map(({ payload }) =>
			payload.toString().replace(/office-\d/, "office-1"),
		);
		expect(`${back.join("\n")}\n`).toBe(OFFICE);
	});

	it("gives each of five devices its share, on its own topic", () => {
		const shares = new Map<string, number>();
		for (const { topic, payload } of whole) {
			shares.set(topic, (shares.get(topic) ?? 0) + 1);
			expect(topic).toBe(
				`site/office/${JSON.parse(payload.toString()).device_id}/climate`,
			);
		}
		expect([...shares.values()].sort()).toEqual([2161, 2161, 2162, 2162, 2162]);
	});

	it("spreads the broken ones: none first, none last, none beside another", () => {
		const at = dealt.flatMap(({ broken }, i) => (broken ? [i] : []));
		expect(at.length).toBe(BROKEN.length);
		for (let k = 1; k < at.length; k++)
			expect((at[k] as number) - (at[k - 1] as number)).toBeGreaterThan(1000);
		expect(at[0]).toBeGreaterThan(1000);
		expect(at.at(-1)).toBeLessThan(dealt.length - 1000);
	});
});

const ACCOUNT: PipelineAccount = {
	name: "overheat",
	taken: 100,
	emitted: 10,
	dropped: 87,
	failed: 3,
	open: 0,
	droppedBy: { none: 87 },
	failedBy: { E_GUEST_REJECT: 2, E_READING_SIZE: 1 },
	outputs: 11,
	p50ms: 0.5,
	p99ms: 1.25,
};

const FACTS = {
	published: 100,
	broken: 3,
	seconds: 2,
	received: 11,
	quarantined: 3,
	pipelines: [ACCOUNT],
};

describe("the account", () => {
	it("balances when everything is where it should be", () => {
		expect(imbalances(FACTS)).toEqual([]);
		expect(sumUp(FACTS).balanced).toBe(true);
	});

	it.each([
		[
			"a reading not taken",
			{ published: 101 },
			"overheat: 101 published, 100 taken",
		],
		[
			"an output lost",
			{ received: 10 },
			"11 outputs were published, 10 came back from the broker",
		],
		[
			"a failure not kept",
			{ quarantined: 2 },
			"3 readings failed, 2 are in the quarantine",
		],
		[
			"a reading without an outcome",
			{ pipelines: [{ ...ACCOUNT, dropped: 86 }] },
			"overheat: 100 taken, 99 accounted for",
		],
		[
			"a reading still open",
			{ pipelines: [{ ...ACCOUNT, dropped: 86, open: 1 }] },
			"overheat: 100 taken, 99 accounted for",
		],
	])("does not balance with %s", (_, change, sentence) => {
		const facts = { ...FACTS, ...change };
		expect(imbalances(facts)).toEqual([sentence]);
		expect(sumUp(facts).balanced).toBe(false);
		expect(summaryText(sumUp(facts))).toContain(
			`NOT EVERY READING IS ACCOUNTED FOR:\n  ${sentence}\n`,
		);
	});

	it("is told as a table", () => {
		expect(summaryText(sumUp(FACTS)).split("\n")).toEqual([
			"100 readings published in 2.0 s (50/s), 3 of them broken on purpose",
			"",
			"pipeline  published  taken  emitted  dropped  failed  outputs  p50 ms  p99 ms",
			"overheat        100  = 100     = 10     + 87     + 3       11    0.50    1.25",
			"",
			"each pipeline takes all readings; the live line above adds up what became of them in all (x 1)",
			"",
			"dropped, why",
			"  overheat: none 87",
			"failed, why",
			"  overheat: E_GUEST_REJECT 2, E_READING_SIZE 1",
			"",
			"every reading is accounted for: published = taken = emitted + dropped + failed, in each pipeline;",
			"11 outputs came back from the broker, 3 failures are in the quarantine",
			"",
		]);
	});

	it("says why readings that cause no output by themselves are none emitted", () => {
		const minutes = { ...ACCOUNT, name: "minutes", emitted: 0, dropped: 97 };
		expect(summaryText(sumUp({ ...FACTS, pipelines: [minutes] }))).toContain(
			"\nminutes: its outputs are of many readings at once, so none counts as emitted\n",
		);
	});
});

describe("the live line", () => {
	const progress = {
		total: 1000,
		alerts: 7,
		pipelines: [ACCOUNT, { ...ACCOUNT, taken: 90, p99ms: 2 }],
	};

	it("shows rate, alerts, dropped and the worst p99 within 100 columns", () => {
		const line = liveLine(1.25, 2500, progress);
		expect(line).toBe(
			"  1.3 s     100/1,000 readings x 2   2,500/s  alerts 7  dropped 174  failed 6  p99 2.0 ms",
		);
		expect(line.length).toBeLessThanOrEqual(100);
	});

	it("rewrites itself on a terminal", () => {
		const shown = showOnce(true);
		expect(shown.startsWith("\r\u001b[K  0.0 s")).toBe(true);
		expect(shown.endsWith(" ms\n")).toBe(true);
	});

	it("is a plain line in a pipe", () => {
		expect(showOnce(false)).toMatch(/^ {2}0\.0 s {2}[ -~]+ ms\n$/);
	});

	function showOnce(isTTY: boolean): string {
		const out = new PassThrough({ encoding: "utf8" });
		showLive(out, isTTY, () => progress).stop();
		return out.read();
	}
});
