import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { BROKEN, dealReadings } from "#host/cli/demo/readings.js";
import type { DemoSummary, PipelineAccount } from "#host/cli/demo/summary.js";
import { folder, MAIN, ROOT, wasieve } from "./child.js";

const PUBLISHED = dealReadings(
	readFileSync(join(ROOT, "examples/office-climate.ndjson"), "utf8"),
);

describe("wasieve demo", () => {
	it("accounts for every reading, as a machine reads it", async () => {
		const ran = await wasieve(["demo", "--rate", "8000", "--json"]);
		expect(ran.code, ran.stderr).toBe(0);
		expect(ran.stderr).toBe("");
		const summary: DemoSummary = JSON.parse(ran.stdout);
		expect(summary).toMatchObject({
			published: PUBLISHED.length,
			broken: BROKEN.length,
			balanced: true,
		});
		for (const each of summary.pipelines) {
			expect(each.taken, each.name).toBe(PUBLISHED.length);
			expect(each.emitted + each.dropped + each.failed, each.name).toBe(
				PUBLISHED.length,
			);
			expect(total(each.droppedBy), each.name).toBe(each.dropped);
			expect(total(each.failedBy), each.name).toBe(each.failed);
			expect(each.failed, each.name).toBeGreaterThanOrEqual(4);
			expect(each.failed, each.name).toBeLessThanOrEqual(BROKEN.length);
		}
		expect(summary.received).toBe(
			total(summary.pipelines.map(({ outputs }) => outputs)),
		);
		expect(summary.quarantined).toBe(
			total(summary.pipelines.map(({ failed }) => failed)),
		);
		expect(pipeline(summary, "overheat").emitted).toBe(hot());
		expect(pipeline(summary, "stuffy").emitted).toBeGreaterThan(0);
	});

	it("shows plain lines in a pipe: progress, alerts, the table, what to try next", async () => {
		const { code, stdout, stderr } = await wasieve(["demo", "--rate", "5000"]);
		expect(code, stderr).toBe(0);
		for (const control of ["\r", "\u001b"])
			expect(stdout).not.toContain(control);
		expect(stdout).toMatch(
			/^ +\d+\.\d s .* readings x 4 +[\d,]+\/s {2}alerts [\d,]+ {2}dropped [\d,]+ {2}failed \d+ {2}p99 [\d.]+ ms$/m,
		);
		expect(stdout).toMatch(
			/^ {2}out\/alerts\/office-\d\/overheat {2}\{"device_id":"office-\d","alert_type":"high_temperature","value":2[34]/m,
		);
		expect(stdout).toMatch(/^overheat +10,814 +(= 10,814) .*\+/m);
		expect(stdout).toContain("every reading is accounted for");
		expect(stdout).toMatch(/wasieve new /);
	});

	it("leaves nothing behind when it is interrupted", async () => {
		const tmp = folder();
		const child = spawn(process.execPath, [MAIN, "demo", "--rate", "100"], {
			cwd: ROOT,
			env: { ...process.env, TMPDIR: tmp },
			stdio: ["ignore", "pipe", "inherit"],
		});
		onTestFinished(() => {
			child.kill("SIGKILL");
		});
		await once(child.stdout, "data");
		expect(readdirSync(tmp).length).toBe(1);
		child.kill("SIGINT");
		child.stdout.resume();
		const [code] = await once(child, "close");
		expect(code).toBe(1);
		expect(readdirSync(tmp)).toEqual([]);
	});

	it.each([["--rate", "fast"], ["--rate", "-1"], ["--rate", ""], ["extra"]])(
		"refuses %s %s",
		async (...args) => {
			expect(await wasieve(["demo", ...args])).toMatchObject({
				code: 2,
				stdout: "",
			});
		},
	);
});

function pipeline(summary: DemoSummary, name: string): PipelineAccount {
	return summary.pipelines.find(
		(each) => each.name === name,
	) as PipelineAccount;
}

/** Readings above 23 degrees, counted without wasieve. */
function hot(): number {
	return PUBLISHED.filter(
		({ broken, payload }) =>
			!broken && JSON.parse(payload.toString()).temperature > 23,
	).length;
}

function total(
	counts: readonly number[] | Readonly<Record<string, number>>,
): number {
	return Object.values(counts).reduce((sum, n) => sum + n, 0);
}
