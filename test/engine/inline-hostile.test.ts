import { beforeAll, describe, expect, test } from "vitest";
import { type FilterModule, loadFilter } from "#host/engine/filter-module.js";
import { batchOf } from "../pipeline/parts.js";
import { inline } from "./inline-engine.js";
import { Record } from "./record.js";
import { assemble } from "./wat.js";

/**
 * A module that says hello and consumes readings; one that begins with
 *   s  floods stderr with line ends, 64 KiB a call
 *   l  floods stderr with a line that never ends
 *   o  writes one byte at a time, never a line end
 *   r  rejects the first reading over and over, in one write
 */
const MODULE = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 32)
  (data (i32.const 32) "\\1eh1\\n")
  (data (i32.const 48) "\\1ec1\\n")
  (data (i32.const 64) "\\1er0 x\\n")
  (func $say (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $take (result i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4096))
    (i32.eqz (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $drain (loop $more (br_if $more (call $take))))
  (func (export "_start")
    (call $say (i32.const 1) (i32.const 32) (i32.const 4))
    (call $drain))
  (func (export "pump")
    (local $kind i32)
    (if (i32.eqz (call $take)) (then return))
    (local.set $kind (i32.load8_u (i32.const 1024)))
    (memory.fill (i32.const 65536) (i32.const 10) (i32.const 65536))
    (memory.fill (i32.const 131072) (i32.const 120) (i32.const 65536))
    (if (i32.eq (local.get $kind) (i32.const 115))
      (then (loop $s (call $say (i32.const 2) (i32.const 65536) (i32.const 65536)) (br $s))))
    (if (i32.eq (local.get $kind) (i32.const 108))
      (then (loop $l (call $say (i32.const 2) (i32.const 131072) (i32.const 65536)) (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 111))
      (then (loop $o (call $say (i32.const 1) (i32.const 131072) (i32.const 1)) (br $o))))
    (if (i32.eq (local.get $kind) (i32.const 114))
      (then
        (memory.copy (i32.const 200000) (i32.const 64) (i32.const 6))
        (memory.copy (i32.const 200006) (i32.const 200000) (i32.const 600000))
        (local.set $kind (i32.const 200006))
        (loop $copy
          (memory.copy (local.get $kind) (i32.const 64) (i32.const 6))
          (local.set $kind (i32.add (local.get $kind) (i32.const 6)))
          (br_if $copy (i32.lt_u (local.get $kind) (i32.const 500000))))
        (call $say (i32.const 1) (i32.const 200000) (i32.const 300000))))
    (call $say (i32.const 1) (i32.const 48) (i32.const 4))
    (call $drain)))`;

/** ms of CPU. A flood costs tens of milliseconds of fuel; one that escapes it, tens of seconds. */
const SOON = 4000;

let module: FilterModule;

beforeAll(async () => {
	module = await loadFilter(await assemble(MODULE), { memory: 2 ** 24 });
});

describe("a flood ends in a limit before it holds up the thread", () => {
	test.each([
		["s", "E_GUEST_FUEL"],
		["l", "E_GUEST_FUEL"],
		["o", "E_GUEST_"],
		["r", "E_GUEST_PROTOCOL"],
	])("%s: %s", async (payload, code) => {
		const engine = inline(module, {
			limits: { fuel: 10_000_000, output: 1 << 20, reading: 1 << 16 },
		});
		const record = new Record();
		await engine.start(record);
		const began = process.cpuUsage();
		engine.feed(batchOf(["t", payload]));
		const { user, system } = process.cpuUsage(began);
		expect((user + system) / 1000).toBeLessThan(SOON);
		expect(record.failures).toHaveLength(1);
		expect(record.failures[0]?.code).toContain(code);
		expect(record.logs.length).toBeLessThanOrEqual(record.mostLogs);
		engine.feed(batchOf(["t", "fine"]));
		expect(record.consumedNumbers).toHaveLength(2);
		expect(record.breaches).toEqual([]);
		await engine.close();
	});
});
