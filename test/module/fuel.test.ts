import { describe, expect, test } from "vitest";
import { inspectModule } from "#host/module/inspect.js";
import { prepareModule } from "#host/module/prepare.js";
import { CLASSES } from "./classes.js";
import {
	call,
	instantiate,
	LIMITS,
	metered,
	plain,
	runMetered,
	wat,
} from "./parts.js";

const TANK = 1_000_000;

/** Work without end, each by another way of going round. */
const ENDLESS: Record<string, string> = {
	br: '(func (export "run") (loop br 0))',
	br_if: '(func (export "run") (loop (br_if 0 (i32.const 1))))',
	br_table: '(func (export "run") (loop (br_table 0 0 0 (i32.const 2))))',
	"br_table through blocks":
		'(func (export "run") (loop (block (block (br_table 2 2 (i32.const 0))))))',
	"a loop with parameters":
		'(func (export "run") (loop (param i32 i64) (br 0)) )',
	"a loop around a loop": '(func (export "run") (loop (loop (br 1))))',
	recursion:
		'(func $f (export "run") (result i32) (i32.add (call $f) (call $f)))',
	return_call: '(func $f (export "run") (return_call $f))',
	"return_call of another":
		'(func $f (export "run") (return_call $g)) (func $g (return_call $f))',
	return_call_indirect:
		'(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (export "run") (return_call_indirect (type $t) (i32.const 0)))',
	"memory.fill":
		'(memory 256) (func (export "run") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br 0)))',
	"memory.copy":
		'(memory 256) (func (export "run") (loop (memory.copy (i32.const 0) (i32.const 1) (i32.const 16777215)) (br 0)))',
	"table.fill":
		'(table 9999 funcref) (func (export "run") (loop (table.fill 0 (i32.const 0) (ref.null func) (i32.const 9999)) (br 0)))',
	"memory.grow by nothing":
		'(memory 1) (func (export "run") (loop (drop (memory.grow (i32.const 0))) (br 0)))',
};
ENDLESS["a loop with parameters"] =
	'(func (export "run") (i32.const 1) (i64.const 2) (loop (param i32 i64) (result i32 i64) (br 0)) (drop) (drop))';

describe("work without end", () => {
	test.each(Object.entries(ENDLESS))(
		"%s ends with an empty tank",
		(_, text) => {
			const module = metered(wat(`(module ${text})`));
			const first = runMetered(module, TANK);
			expect(first.result).toMatch(/trap/);
			// Plain recursion may meet the stack's end first; everything else must burn the tank.
			if (first.result !== "trap: stack") expect(first.left).toBeLessThan(0);
			const again = runMetered(module, TANK);
			if (first.result !== "trap: stack") expect(again.left).toBe(first.left);
		},
	);

	test("calls that double at each level pay", () => {
		const levels = Array.from(
			{ length: 40 },
			(_, k) => `(func $f${k + 1} (call $f${k}) (call $f${k}))`,
		);
		const text = `(module (func $f0) ${levels.join("")} (func (export "run") (call $f40)))`;
		const run = runMetered(metered(wat(text)), TANK);
		expect(run.left).toBeLessThan(0);
	});

	test("a tree of calls through a table pays", () => {
		const text = `(module (type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $f)
			(func $f (param i32) (if (local.get 0) (then
				(call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
				(call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
			(func (export "run") (call $f (i32.const 60))))`;
		expect(runMetered(metered(wat(text)), TANK).left).toBeLessThan(0);
	});

	test("a short loop in a function called over and over pays for all iterations", () => {
		const text = `(module
			(func $short (local i32) (loop (br_if 0 (i32.lt_u
				(local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))))
			(func (export "run") (loop (call $short) (br 0))))`;
		const { result, burnt } = runMetered(metered(wat(text)), TANK);
		expect(result).toMatch(/unreachable/);
		expect(burnt).toBeGreaterThan(TANK);
	});

	test("a start section has a tank of its own", () => {
		const text = "(module (func $f (loop (br 0))) (start $f))";
		expect(() => instantiate(metered(wat(text)).bytes)).toThrow(/unreachable/);
	});
});

describe("how much", () => {
	const loop = (body: string) =>
		`(module (memory 1) (func (export "run") (param i32) (local i32) (loop ${body}
			(br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))))`;

	test("work is paid in advance: at least a unit an iteration, at most the prepaid part more", () => {
		const module = metered(wat(loop("")));
		for (const n of [1, 63, 64, 65, 1000, 100_000]) {
			const { burnt } = runMetered(module, TANK, "run", n);
			expect(burnt).toBeGreaterThanOrEqual(n);
			expect(burnt).toBeLessThanOrEqual(n + 130);
		}
	});

	test("a long body costs by its length", () => {
		const nops = "(i32.store (i32.const 0) (i32.const 1))".repeat(1000);
		const short = runMetered(metered(wat(loop(""))), TANK, "run", 100);
		const long = runMetered(metered(wat(loop(nops))), TANK, "run", 100);
		expect(long.burnt).toBeGreaterThan(short.burnt * 100);
	});

	test("a straight function is paid for by its caller and has no charge of its own", () => {
		const leaf = `(func $leaf (export "leaf") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))`;
		const module = metered(
			wat(
				`(module ${leaf} (func (export "run") (result i32) (call $leaf (i32.const 1))))`,
			),
		);
		expect(runMetered(module, 0, "leaf", 1)).toMatchObject({
			result: 2,
			burnt: 0,
		});
	});

	test("bulk operations cost by their length, without overflow", () => {
		const text = `(module (memory 1) (func (export "run") (param i32)
			(memory.fill (i32.const 0) (i32.const 0) (local.get 0))))`;
		const module = metered(wat(text));
		const small = runMetered(module, TANK, "run", 16);
		const large = runMetered(module, TANK, "run", 65_536);
		expect(large.burnt - small.burnt).toBe(65_536 / 16 - 1);
		const huge = runMetered(module, TANK, "run", -1);
		expect(huge.result).toMatch(/out of bounds/);
		expect(huge.left).toBeGreaterThan(0);
	});
});

describe("the same with and without fuel", () => {
	test.each(CLASSES)("$name", ({ text, args }) => {
		const bytes = wat(`(module ${text})`);
		const module = metered(bytes);
		for (const each of args) {
			const without = call(instantiate(plain(bytes).bytes), "run", ...each);
			const run = runMetered(module, TANK, "run", ...each);
			expect(run.left).toBeGreaterThanOrEqual(0);
			expect(run.result).toEqual(without);
		}
	});

	test.each(CLASSES)(
		"$name traps on the same unit each time",
		({ text, args }) => {
			const module = metered(wat(`(module ${text})`));
			const need = runMetered(module, TANK, "run", ...(args[0] ?? [])).burnt;
			for (const tank of [0, need >> 1, need - 1, need]) {
				const a = runMetered(module, tank, "run", ...(args[0] ?? []));
				const b = runMetered(module, tank, "run", ...(args[0] ?? []));
				expect(a.burnt).toBe(b.burnt);
				expect(a.result).toEqual(b.result);
				expect(a.left < 0).toBe(tank < need);
			}
		},
	);
});

describe("what the meter does not know", () => {
	const sdk = `(memory (export "memory") 1) (func (export "_start")) `;
	test.each([
		[
			"exceptions",
			`(tag $t) (func (export "pump") (try (do (throw $t)) (catch $t)))`,
		],
		[
			"threads",
			`(func (export "pump") (drop (i32.atomic.load (i32.const 0))))`,
		],
	])("%s: not inline, not metered, with the reason", (name, text) => {
		const bytes = wat(`(module ${sdk} ${text})`);
		const { fuel, info } = prepareModule(bytes, LIMITS, {
			fuel: true,
			exposeState: true,
		});
		expect(fuel).toBeUndefined();
		expect(info).toMatchObject({ kind: "sdk", inline: false });
		expect(info.notInlineBecause).toContain(name);
	});

	test.each([
		[
			"table.set",
			`(table 2 funcref) (func (export "pump") (table.set 0 (i32.const 0) (ref.null func)))`,
		],
		["data.drop", `(data "x") (func (export "pump") (data.drop 0))`],
		["global", `(global (mut funcref) (ref.null func)) (func (export "pump"))`],
	])(
		"%s: state that no checkpoint copies keeps it from running inline",
		(name, text) => {
			const info = inspectModule(wat(`(module ${sdk} ${text})`), LIMITS);
			expect(info.inline).toBe(false);
			expect(info.notInlineBecause).toContain(name);
		},
	);
});
