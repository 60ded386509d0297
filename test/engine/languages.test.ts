import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
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

interface Toolchain {
	/** The first of these commands that can compile for WASI does. */
	commands: readonly (readonly string[])[];
	/** A program that needs the language's start-up code and library. */
	probe: { file: string; text: string };
	source: string;
	env?: NodeJS.ProcessEnv;
	/** What to install. */
	wanted: string;
}

/** How the seed rule is compiled. Debian's compilers call the target by its old name. */
const TOOLCHAINS: { readonly [language: string]: Toolchain } = {
	Go: {
		commands: [["go", "build", "-o"]],
		probe: { file: "main.go", text: "package main\nfunc main() {}\n" },
		source: "seed.go",
		env: { GOOS: "wasip1", GOARCH: "wasm" },
		wanted: "golang",
	},
	Rust: {
		commands: [
			["rustc", "--target=wasm32-wasip1", "-O", "-o"],
			["/usr/bin/rustc", "--target=wasm32-wasi", "-O", "-o"],
		],
		probe: { file: "main.rs", text: "fn main() {}\n" },
		source: "seed.rs",
		wanted: "rustc libstd-rust-dev-wasm32",
	},
	C: {
		commands: [
			[`${process.env.WASI_SDK_PATH}/bin/clang`, "--target=wasm32-wasip1"],
			["clang", "--target=wasm32-wasi"],
		].map((command) => [...command, "-O2", "-o"]),
		probe: { file: "main.c", text: "int main(void) { return 0; }\n" },
		source: "seed.c",
		wanted: "clang lld wasi-libc libclang-rt-14-dev-wasm32",
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
	const compile = compilerOf(toolchain);
	if (compile === undefined) {
		console.warn(`skipped, ${language}: apt-get install ${toolchain.wanted}`);
	}

	describe.skipIf(!compile)(`the seed rule in ${language}`, () => {
		const path = join(dir, `${language}.wasm`);

		test("compiles", () => {
			expect(compile?.(path, join(SOURCES, toolchain.source))).toBe("");
			expect(existsSync(path)).toBe(true);
		});

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
		});
	});
}

/** Compiles `source` to `out`; returns what went wrong. Undefined when nothing here can. */
function compilerOf({ commands, probe, env }: Toolchain) {
	const source = join(dir, probe.file);
	writeFileSync(source, probe.text);
	const command = commands.find(
		(each) => run(each, join(dir, "probe.wasm"), source, env) === "",
	);
	if (command === undefined) return undefined;
	return (out: string, from: string) => run(command, out, from, env);
}

function run(
	[program = "", ...args]: readonly string[],
	out: string,
	source: string,
	env: NodeJS.ProcessEnv = {},
): string {
	const { status, stderr, error } = spawnSync(program, [...args, out, source], {
		env: { ...process.env, ...env },
		encoding: "utf8",
	});
	return status === 0 ? "" : (error?.message ?? stderr);
}
