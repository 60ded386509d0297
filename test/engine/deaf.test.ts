/** A filter that was built without run(), by a version that did not look. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadFilter } from "#host/engine/filter-module.js";
import { wasieve } from "../cli/child.js";
import { inline } from "./inline-engine.js";
import { Record } from "./record.js";
import { assemble } from "./wat.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-deaf-"));
afterAll(() => rmSync(folder, { recursive: true }));
const module = (start: string) =>
	assemble(`(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") ${start})
  (func (export "pump")))`);
const READS = `(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))
  (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))`;

const said = "ended without asking for input";

test("is told by hand, and keeps its exit code", async () => {
	const file = join(folder, "deaf.wasm");
	writeFileSync(file, await module(""));
	for (const more of [[], ["--time", "10s"]]) {
		const ran = await wasieve(["exec", file, ...more], { input: "{}\n" });
		expect(ran).toMatchObject({ code: 0, stdout: "" });
		expect(ran.stderr).toContain(`${said} (does it call run()?`);
	}
	writeFileSync(file, await module(READS));
	const reads = await wasieve(["exec", file], { input: "{}\n" });
	expect(reads).toMatchObject({ code: 0, stderr: "" });
});

test("cannot start in a gateway", async () => {
	const limits = { memory: 2 ** 24 };
	const deaf = inline(await loadFilter(await module(""), limits));
	await expect(deaf.start(new Record())).rejects.toMatchObject({
		code: "E_GUEST_START",
		message: expect.stringContaining(said),
	});
	const mute = inline(await loadFilter(await module(READS), limits));
	await expect(mute.start(new Record())).rejects.toMatchObject({
		message: expect.stringContaining("did not answer the hello"),
	});
});
