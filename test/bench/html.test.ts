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
			{ rate: around(1.4e6), us: around(19, 0.6) },
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

	it("warns of noise and shows no number where there is none", () => {
		expect(page).toContain("Not quiet");
		expect(page).toMatch(/unstable, [\d.]+–[\d.]+/);
	});

	it("is a page without results or history as well", () => {
		expect(reportHtml([])).toContain("</html>");
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
		"--window-size=1200,2600",
	];

	function open(...more: string[]): string {
		const data = `--user-data-dir=${join(folder, "profile")}`;
		const url = `file://${join(folder, "report.html")}`;
		return execFileSync(browser ?? "", [...flags, data, ...more, url], {
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
			const boxes = [...document.querySelectorAll("svg.chart")].map((svg) => {
				const { width, height } = svg.getBoundingClientRect();
				const inner = svg.getBBox();
				const view = svg.viewBox.baseVal;
				return { kind: svg.classList[1], width, height,
					outside: inner.x < -1 || inner.y < -1 || inner.x + inner.width > view.width + 1 || inner.y + inner.height > view.height + 1 };
			});
			const fill = getComputedStyle(document.querySelector(".bar.s1")).fill;
			const wide = document.documentElement.scrollWidth > innerWidth;
			document.body.dataset.seen = JSON.stringify({ boxes, fill, wide });
		}</script>`;
		writeFileSync(
			join(folder, "report.html"),
			page.replace("</body>", `${probe}</body>`),
		);
		dom = open("--dump-dom");
	}, 90_000);

	afterAll(() => rmSync(folder, { recursive: true, force: true }));

	function seen() {
		const text = /data-seen="([^"]*)"/.exec(dom)?.[1] ?? "";
		return JSON.parse(text.replaceAll("&quot;", '"')) as {
			boxes: {
				kind: string;
				width: number;
				height: number;
				outside: boolean;
			}[];
			fill: string;
			wide: boolean;
		};
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
		open(`--screenshot=${png}`);
		expect(existsSync(png)).toBe(true);
		expect(readFileSync(png).length).toBeGreaterThan(30_000);
	}, 90_000);
});
