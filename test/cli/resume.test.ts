import {
	copyFileSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parseConfig, startGateway } from "wasieve";
import { compileFilter } from "#host/cli/compile.js";
import { refuseOther } from "#host/cli/module-file.js";
import { assemble, fixture } from "../engine/wat.js";
import { folder, ROOT } from "./child.js";

const OVERHEAT = join(ROOT, "build/overheat.wasm");
const HOT = '{"device_id":"p1","temperature":91.2,"humidity":40,"timestamp":5}';
const LOG = { debug() {}, info() {}, warn() {}, error() {} };

const BAD = `import { Reading, param, run } from "wasieve/assembly";
const LIMT = param<f64>("LIMT", 50);
run((r: Reading): void => {
  if (r.f64("temperature") > LIMT) unreachable();
});
`;

/** Reads a line, and traps. */
const BAD_FOREIGN = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 1024))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    unreachable))`;

let bad: Uint8Array;
let badForeign: Uint8Array;
let upper: Uint8Array;

beforeAll(async () => {
	const dir = mkdtempSync(join(tmpdir(), "wasieve-test-"));
	const file = join(dir, "bad.ts");
	writeFileSync(file, BAD);
	({ bytes: bad } = await compileFilter(file));
	rmSync(dir, { recursive: true });
	badForeign = await assemble(BAD_FOREIGN);
	upper = await fixture("upper");
});

/** A pipeline from stdin through filter.wasm to one.ndjson, and one beside it. */
async function gateway(first: Uint8Array, filter: string, threads = 1) {
	const dir = folder();
	const module = join(dir, "filter.wasm");
	writeFileSync(module, first);
	writeFileSync(join(dir, "in.ndjson"), "");
	const text = `threads: ${threads}
pipelines:
  one: { from: stdin, onError: stop, filter: ${filter}, to: { file: one.ndjson } }
  two: { from: { file: in.ndjson }, filter: { module: ${OVERHEAT} }, to: { file: two.ndjson } }
`;
	const config = parseConfig(text, join(dir, "gateway.yaml"), { env: {} });
	const stdin = new PassThrough();
	const running = await startGateway(config, { log: LOG, stdin });
	onTestFinished(async () => {
		await running.stop(1000);
	});
	await running.up;
	return { running, module, stdin, out: join(dir, "one.ndjson") };
}

type Running = Awaited<ReturnType<typeof gateway>>["running"];

async function state(running: Running) {
	return (await running.snapshots())[0];
}

async function stopped(running: Running) {
	await expect
		.poll(() => state(running))
		.toMatchObject({
			state: "stopped",
			reason: { code: "E_PIPELINE_ONERROR" },
			open: 1,
		});
}

describe("a resume takes the module that the file holds by then", () => {
	it.each([1, 2])("threads: %i", async (threads) => {
		const { running, module, stdin, out } = await gateway(
			bad,
			"{ module: filter.wasm }",
			threads,
		);
		stdin.write(`${HOT}\n`);
		await stopped(running);
		// The same once more, and it stops once more.
		expect(await running.resume("one")).toBe(true);
		await stopped(running);
		copyFileSync(OVERHEAT, module);
		expect(await running.resume("one")).toBe(true);
		await expect
			.poll(() => state(running))
			.toMatchObject({ state: "running", emitted: 1, failed: 0, open: 0 });
		expect(readFileSync(out, "utf8")).toContain('"value":91.2');
	});

	it("also where the module blocks on a thread of its own", async () => {
		const { running, module, stdin } = await gateway(
			badForeign,
			"{ module: filter.wasm }",
		);
		stdin.write(`${HOT}\n`);
		await stopped(running);
		writeFileSync(module, upper);
		expect(await running.resume("one")).toBe(true);
		await expect
			.poll(() => state(running))
			.toMatchObject({ state: "running", emitted: 1, open: 0 });
	});

	it("also where the old one works and was stopped on command", async () => {
		const { running, module, stdin, out } = await gateway(
			upper,
			"{ module: filter.wasm }",
		);
		stdin.write('{"a":1}\n');
		await expect.poll(() => state(running)).toMatchObject({ emitted: 1 });
		expect(await running.halt("one")).toBe(true);
		writeFileSync(module, await fixture("cat"));
		expect(await running.resume("one")).toBe(true);
		stdin.write('{"a":2}\n');
		await expect
			.poll(() => state(running))
			.toMatchObject({ state: "running", emitted: 2, open: 0, restarts: 0 });
		expect(readFileSync(out, "utf8")).toBe('{"A":1}\n{"a":2}\n');
	});

	it("but no other where an engine of its own has it", async () => {
		const file = join(folder(), "filter.wasm");
		writeFileSync(file, upper);
		expect(await refuseOther(file, upper)).toBe(false);
		writeFileSync(file, bad);
		await expect(refuseOther(file, upper)).rejects.toMatchObject({
			code: "E_PIPELINE_RESUME",
		});
	});

	it.each([1, 2])(
		"and stays stopped where that cannot be run (threads: %i)",
		async (threads) => {
			const { running, module, stdin } = await gateway(
				bad,
				"{ module: filter.wasm }",
				threads,
			);
			stdin.write(`${HOT}\n`);
			await stopped(running);
			writeFileSync(module, "no module");
			await expect(running.resume("one")).rejects.toMatchObject({
				code: "E_MODULE_MAGIC",
				message: expect.stringContaining(`${module}: `),
			});
			writeFileSync(module, upper);
			await expect(running.resume("one")).rejects.toMatchObject({
				code: "E_PIPELINE_RESUME",
				hint: expect.stringContaining("restart the gateway"),
			});
			await stopped(running);
			expect(await running.resume("two")).toBe(true);
		},
	);

	it("and has the parameters of the config", async () => {
		const { running, module, stdin } = await gateway(
			bad,
			"{ module: filter.wasm, params: { LIMT: 3 } }",
		);
		stdin.write(`${HOT}\n`);
		await stopped(running);
		copyFileSync(OVERHEAT, module);
		await expect(running.resume("one")).rejects.toMatchObject({
			code: "E_CONFIG_KEY",
			message: expect.stringContaining('no parameter "LIMT"'),
		});
	});
});
