import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { countInstructions } from "#host/module/count.js";
import { ROOT } from "../house/sources.js";
import { instantiate, LIMITS, wat } from "./parts.js";

/** What the exports return, called in this order on one instance, and the count behind each. */
function run(text: string, ...args: number[]) {
	const counted = countInstructions(wat(`(module ${text})`), LIMITS);
	if (counted === undefined) throw new Error("cannot be counted");
	const { exports } = instantiate(counted.bytes);
	const counter = exports[counted.counter] as WebAssembly.Global;
	const before = Number(counter.value);
	const result = (exports.run as (...args: number[]) => unknown)(...args);
	return { result, count: Number(counter.value) - before };
}

const FACTORIAL = `(func (export "run") (param $n i32) (result i32) (local $f i32)
	(local.set $f (i32.const 1))
	(block $done
		(loop $more
			(br_if $done (i32.eqz (local.get $n)))
			(local.set $f (i32.mul (local.get $f) (local.get $n)))
			(local.set $n (i32.sub (local.get $n) (i32.const 1)))
			(br $more)))
	(local.get $f))`;

describe("the instruction counter", () => {
	test.each<[string, string, number[], unknown, number]>([
		["a straight line", '(func (export "run") nop nop nop)', [], undefined, 3],
		["nothing", '(func (export "run"))', [], undefined, 0],
		// 2 to begin, 12 a pass (3 + 4 + 4 + 1), 3 for the last look, 1 for the result.
		["a loop of 5", FACTORIAL, [5], 120, 2 + 5 * 12 + 3 + 1],
		["a loop of none", FACTORIAL, [0], 1, 2 + 3 + 1],
		[
			"both ways of an if: then",
			'(func (export "run") (param i32) (result i32) (if (result i32) (local.get 0) (then i32.const 7) (else nop nop i32.const 8)))',
			[1],
			7,
			3,
		],
		[
			"both ways of an if: else",
			'(func (export "run") (param i32) (result i32) (if (result i32) (local.get 0) (then i32.const 7) (else nop nop i32.const 8)))',
			[0],
			8,
			5,
		],
		[
			"an if without else",
			'(func (export "run") (param i32) (if (local.get 0) (then nop nop nop)) nop)',
			[0],
			undefined,
			3,
		],
		[
			"calls, with the stack in use around them",
			'(func $f (result i32) i32.const 3 i32.const 4 i32.add) (func (export "run") (result i32) (i32.mul (call $f) (call $f)))',
			[],
			49,
			2 + 1 + 3 + 3,
		],
		[
			"what a branch jumps over is not counted",
			'(func (export "run") (block (br 0) nop nop nop) nop)',
			[],
			undefined,
			2,
		],
		[
			"return, with an operand below",
			'(func (export "run") (param i32) (result i32) (block (br_if 0 (local.get 0)) (return (i32.const 1))) (i32.const 2))',
			[0],
			1,
			4,
		],
		[
			"a table of branches",
			'(func (export "run") (param i32) (result i32) (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 10))) nop (return (i32.const 11))) nop nop (i32.const 12))',
			[1],
			11,
			2 + 3,
		],
		[
			"calls through a table, and bulk instructions as one",
			'(type $t (func)) (memory 1) (table 1 funcref) (elem (i32.const 0) $f) (func $f nop) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (call_indirect (type $t) (i32.const 0)))',
			[],
			undefined,
			4 + 2 + 1,
		],
		[
			"a loop with values",
			'(func (export "run") (result i32) (i32.const 3) (loop (param i32) (result i32) (i32.const 1) (i32.sub) (br_if 0 (i32.const 0))))',
			[],
			2,
			1 + 4,
		],
		[
			"vectors",
			'(func (export "run") (result i32) (i32x4.extract_lane 2 (i32x4.splat (i32.const 6))))',
			[],
			6,
			3,
		],
	])("%s", (_, text, args, result, count) => {
		expect(run(text, ...args)).toEqual({ result, count });
	});

	test("counts a stretch longer than a LEB128 byte", () => {
		for (const length of [63, 64, 127, 128, 8191, 8192, 20_000]) {
			const text = `(func (export "run") ${"nop ".repeat(length)})`;
			expect(run(text).count).toBe(length);
		}
	});

	test("leaves alone what it cannot follow", () => {
		const throws = wat('(module (tag $t) (func (export "run") (throw $t)))');
		expect(countInstructions(throws, LIMITS)).toBeUndefined();
	});

	test("takes every filter shipped", () => {
		for (const name of ["overheat", "stuffy", "deadband", "rename"]) {
			const bytes = readFileSync(join(ROOT, `build/${name}.wasm`));
			const counted = countInstructions(bytes, LIMITS);
			expect(WebAssembly.validate(counted?.bytes as BufferSource), name).toBe(
				true,
			);
		}
	});
});
