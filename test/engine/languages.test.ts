import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { blockingEngine } from "#host/engine/blocking.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { MAIN, ROOT, wasieve } from "../cli/child.js";
import { feeder } from "./contract.js";
import { Record } from "./record.js";

const SOURCES = join(ROOT, "test/fixtures/foreign/seed");
const dir = mkdtempSync(join(tmpdir(), "wasieve-test-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** How the seed rule is compiled, and what tells that it cannot be here. */
const TOOLCHAINS = {
	Go: {
		missing: () => (works("go", "version") ? "" : "there is no go"),
		build: (out: string) =>
			compile("go", ["build", "-o", out, "."], {
				GOOS: "wasip1",
				GOARCH: "wasm",
			}),
	},
	Rust: {
		missing: () => (hasRustTarget() ? "" : "rustc has no wasm32-wasip1"),
		build: (out: string) =>
			compile(
				"rustc",
				["--target", "wasm32-wasip1", "-O", "-o", out, "seed.rs"],
				{},
			),
	},
	C: {
		missing: () =>
			process.env.WASI_SDK_PATH ? "" : "WASI_SDK_PATH names no wasi-sdk",
		build: (out: string) =>
			compile(
				join(process.env.WASI_SDK_PATH as string, "bin/clang"),
				["--target=wasm32-wasip1", "-O2", "-o", out, "seed.c"],
				{},
			),
	},
};

const INPUT = [
	'{"device_id":"a","temperature":91.5,"humidity":20,"timestamp":17}',
	'{"device_id":"b","temperature":20.5,"humidity":30,"timestamp":18}',
	'{"device_id":"c","temperature":86.5,"humidity":97,"timestamp":19}',
];
const ALERTS = [
	'{"device_id":"a","alert_type":"high_temperature","value":91.5,"timestamp":17}',
	'{"device_id":"c","alert_type":"high_temperature","value":86.5,"timestamp":19}',
	'{"device_id":"c","alert_type":"high_humidity","value":97,"timestamp":19}',
];

for (const [language, toolchain] of Object.entries(TOOLCHAINS)) {
	const missing = toolchain.missing();
	if (missing !== "") console.warn(`skipped, ${language}: ${missing}`);

	describe.skipIf(missing !== "")(`the seed rule in ${language}`, () => {
		const path = join(dir, `${language}.wasm`);

		test("compiles", () => {
			toolchain.build(path);
			expect(existsSync(path)).toBe(true);
		}, 120_000);

		test("runs in exec and streams, within the usual limits", async () => {
			const all = `${INPUT.join("\n")}\n`;
			const ended = await wasieve(["exec", path], { input: all });
			expect(ended).toMatchObject({
				code: 0,
				stdout: `${ALERTS.join("\n")}\n`,
				stderr: "",
			});
			const child = spawn(process.execPath, [MAIN, "exec", path]);
			onTestFinished(() => void child.kill("SIGKILL"));
			const lines = createInterface(child.stdout);
			for (let k = 0; k < 3; k++) {
				child.stdin.write(`${INPUT[0]}\n`);
				expect(await once(lines, "line")).toEqual([ALERTS[0]]);
			}
			child.stdin.end();
			expect((await once(child, "close"))[0]).toBe(0);
		});

		test("runs in the blocking engine, which knows when a reading is done", async () => {
			const module = await loadFilter(readFileSync(path), { memory: 2 ** 24 });
			const engine = blockingEngine({
				name: language,
				module,
				args: ["seed"],
				env: [],
				limits: { time: 5000, start: 20_000, output: 100_000 },
				realTime: false,
				unitBy: "topic",
				restart: { max: 3, backoff: { min: 1, max: 1 } },
				clock: () => 1_700_000_000_000,
			});
			onTestFinished(() => engine.close());
			const record = new Record();
			await engine.start(record);
			const feed = feeder(engine);
			for (const [k, reading] of INPUT.entries()) {
				feed(reading);
				await record.consumedAll(k + 1);
			}
			expect(record.outputs).toEqual(ALERTS);
			feed(...Array.from({ length: 1000 }, () => INPUT[0] as string));
			await engine.end();
			expect(record.outputs.length).toBe(1003);
			expect(record.restarts).toEqual([]);
			expect(record.failures).toEqual([]);
		}, 60_000);
	});
}

function works(command: string, ...args: string[]): boolean {
	return spawnSync(command, args).status === 0;
}

function hasRustTarget(): boolean {
	const args = ["--print", "target-libdir", "--target", "wasm32-wasip1"];
	const { status, stdout } = spawnSync("rustc", args, { encoding: "utf8" });
	return status === 0 && existsSync(stdout.trim());
}

function compile(
	command: string,
	args: string[],
	env: NodeJS.ProcessEnv,
): void {
	const { status, stderr } = spawnSync(command, args, {
		cwd: SOURCES,
		env: { ...process.env, ...env },
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(stderr);
}
