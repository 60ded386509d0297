import { execFileSync, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dotChart } from "../../bench/charts.mjs";
import { entryOf } from "../../bench/history.mjs";
import { reportHtml } from "../../bench/report.mjs";
import { around, sampleResult } from "./samples.js";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];
const browser = BROWSERS.find(
	(name) => spawnSync(name, ["--version"]).status === 0,
);
if (!browser)
	console.warn("bench: no chromium is installed, the report is not rendered");

/** Twelve runs, the last two slower. */
function history() {
	const runs = Array.from({ length: 12 }, (_, i) => {
		const middle = i < 10 ? 2e6 + ((i * 7) % 5) * 1e4 : 1.5e6;
		const result = sampleResult(
			{ rate: around(middle) },
			{ commit: `run${i}`, date: `2026-01-${10 + i} 12:00` },
		);
		return entryOf(result);
	});
	return new Map([[runs[0]?.class ?? "", runs]]);
}

const page = reportHtml(
	[
		sampleResult(),
		sampleResult(
			{ rate: around(3.44e6, 0.6), us: around(19, 0.6) },
			{ arch: "arm64", cpu: 'Sample <ARM> & "co"', busy: 0.5 },
		),
	],
	history(),
);

describe("the report", () => {
	it("loads nothing from anywhere", () => {
		expect(page.match(/https?:\/\/[^"]+/g)).toEqual(
			page.match(/http:\/\/www\.w3\.org\/2000\/svg/g),
		);
		expect(page).not.toMatch(/<script|<link|@import|url\(/);
	});

	it("escapes what machines are called", () => {
		expect(page).toContain("Sample &lt;ARM&gt; &amp; &quot;co&quot;");
		expect(page).not.toContain("<ARM>");
	});

	it("begins with what readers look for, of each machine", () => {
		const tile = /<div class="tile">.*?readings a second in the module/s;
		expect(page).toContain('<section class="tiles">');
		expect(page).toMatch(/the module, the seed rule/);
		expect(page).not.toMatch(tile); // The sample has no SIMD filter.
	});

	it("warns of noise and shows no number where there is none", () => {
		expect(page).toContain("Not quiet");
		expect(page).toMatch(/unstable, [\d.]+–[\d.]+/);
	});

	it("counts one round as one", () => {
		const once = sampleResult();
		once.method.rounds = 1;
		expect(reportHtml([once])).toContain("UTC, 1 round<");
		expect(page).toContain("UTC, 9 rounds<");
	});

	it("is a page without results or history as well", () => {
		expect(reportHtml([])).toContain("</html>");
	});
});

describe("dots of size and speed", () => {
	/** Filters of nearly the same size and speed. */
	const crowd = [
		["overheat", 5954, 6.526e6],
		["overheat, SIMD", 7104, 10.371e6],
		["stuffy", 11937, 2.088e6],
		["stuffy, SIMD", 13513, 3.439e6],
		["deadband", 12231, 2.387e6],
		["deadband, SIMD", 13799, 3.712e6],
		["rename", 11743, 2.646e6],
		["rename, SIMD", 13200, 3.958e6],
		["every-minute", 16234, 2.727e6],
		["every-minute, SIMD", 18890, 3.753e6],
	] as const;
	const drawn = dotChart(
		"T",
		[
			...crowd.map(([label, x, y]) => ({
				name: label,
				label,
				series: 0,
				x,
				y,
			})),
			// The same on a slower machine.
			...crowd.map(([name, x, y]) => ({
				name,
				label: "",
				series: 1,
				x,
				y: y * 0.9,
			})),
		],
		{ x: "bytes", y: "1/s" },
	);
	const places = [
		...drawn.matchAll(
			/cx="([\d.]+)" cy="([\d.]+)"[^g]*?<text class="value" x="([\d.]+)" y="([\d.]+)"( text-anchor="end")?>([^<]*)/g,
		),
	].map(([, cx, cy, x, y, end, label = ""]) => {
		const width = label.length * 6.6;
		const left = Number(x) - (end ? width : 0);
		const box = [left, left + width, Number(y) - 11, Number(y) + 3] as const;
		return { label, dot: [Number(cx), Number(cy)] as const, box };
	});

	it("have each a label", () => {
		expect(places.map(({ label }) => label)).toEqual(
			crowd.map(([label]) => label),
		);
	});

	it("are all drawn", () => {
		expect(drawn.match(/<circle class="dot s0"/g)).toHaveLength(crowd.length);
		expect(drawn.match(/<circle class="dot s1"/g)).toHaveLength(crowd.length);
	});

	it("have labels that lie on no dot and on no other label", () => {
		for (const { label, box } of places)
			for (const other of places) {
				const [x, y] = other.dot;
				const [left, right, top, bottom] = box;
				const onDot =
					x + 5 > left && x - 5 < right && y + 5 > top && y - 5 < bottom;
				expect(onDot, `${label} on the dot of ${other.label}`).toBe(false);
				if (other.label === label) continue;
				const [from, to, above, below] = other.box;
				const met = from < right && left < to && above < bottom && top < below;
				expect(met, `${label} on ${other.label}`).toBe(false);
			}
	});
});

describe.skipIf(!browser)("the report in a browser", () => {
	let folder = "";
	let dom = "";
	const flags = [
		"--headless",
		"--no-sandbox",
		"--disable-gpu",
		"--disable-dev-shm-usage",
		"--hide-scrollbars",
	];

	function open(width: number, ...more: string[]): string {
		const data = `--user-data-dir=${join(folder, "profile")}`;
		const size = `--window-size=${width},2600`;
		const url = `file://${join(folder, "report.html")}`;
		return execFileSync(browser ?? "", [...flags, data, size, ...more, url], {
			encoding: "utf8",
			timeout: 60_000,
			stdio: ["ignore", "pipe", "ignore"],
			maxBuffer: 2 ** 26,
		});
	}

	beforeAll(() => {
		folder = mkdtempSync(join(tmpdir(), "wasieve-report-"));
		// What the page has become is told by a script that only this test adds.
		const probe = `<script>onload = () => {
			const outside = (chart) => {
				if (!chart.viewBox) return chart.scrollWidth > chart.clientWidth + 1;
				const { x, y, width, height } = chart.getBBox();
				const view = chart.viewBox.baseVal;
				return x < -1 || y < -1 || x + width > view.width + 1 || y + height > view.height + 1;
			};
			const boxes = [...document.querySelectorAll(".chart")].map((chart) => {
				const { width, height } = chart.getBoundingClientRect();
				return { kind: chart.classList[1], width, height, outside: outside(chart) };
			});
			const fill = getComputedStyle(document.querySelector(".bar.s1")).backgroundColor;
			const wide = document.documentElement.scrollWidth > innerWidth;
			const columns = getComputedStyle(document.querySelector(".row")).gridTemplateColumns.split(" ").length;
			document.body.dataset.seen = JSON.stringify({ boxes, fill, wide, columns });
		}</script>`;
		writeFileSync(
			join(folder, "report.html"),
			page.replace("</body>", `${probe}</body>`),
		);
		dom = open(1200, "--dump-dom");
	});

	afterAll(() => rmSync(folder, { recursive: true, force: true }));

	interface Seen {
		boxes: { kind: string; width: number; height: number; outside: boolean }[];
		fill: string;
		wide: boolean;
		columns: number;
	}

	function seen(text = dom): Seen {
		const told = /data-seen="([^"]*)"/.exec(text)?.[1] ?? "";
		return JSON.parse(told.replaceAll("&quot;", '"'));
	}

	it("has every chart, drawn and within its frame", () => {
		const { boxes } = seen();
		const kinds = boxes.map(({ kind }) => kind);
		expect(kinds.filter((kind) => kind === "bars")).toHaveLength(5);
		expect(kinds.filter((kind) => kind === "dots")).toHaveLength(1);
		expect(kinds.filter((kind) => kind === "lines")).toHaveLength(8);
		for (const box of boxes) {
			expect(box.width).toBeGreaterThan(200);
			expect(box.height).toBeGreaterThan(20);
			expect(box.outside, box.kind).toBe(false);
		}
	});

	it("puts labels above bars on a phone, and is no wider than that", () => {
		expect(seen().columns).toBe(3);
		const phone = seen(open(500, "--dump-dom"));
		expect(phone.columns).toBe(2);
		expect(phone.wide).toBe(false);
		for (const box of phone.boxes) expect(box.outside, box.kind).toBe(false);
	});

	it("is styled, and no wider than the window", () => {
		expect(seen().fill).toBe("rgb(213, 94, 0)");
		expect(seen().wide).toBe(false);
	});

	it("shows the alerts of the history", () => {
		expect(dom).toMatch(/alert: in-module\/.*run10, run11/);
		expect(dom).toContain('class="alert"');
	});

	it("can be photographed", () => {
		const png = join(folder, "report.png");
		open(1200, `--screenshot=${png}`);
		expect(existsSync(png)).toBe(true);
		expect(readFileSync(png).length).toBeGreaterThan(30_000);
	});
});
