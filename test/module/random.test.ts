import fc from "fast-check";
import { expect, test } from "vitest";
import { call, instantiate, metered, plain, runMetered, wat } from "./parts.js";

/*
 * Small structured programs: three functions over one memory and one table, in which anything
 * may loop, branch out of blocks, call anything and touch memory. Loops have a budget in a global,
 * so that the program ends without a meter too.
 */

const NUMBERS = fc.constantFrom(
	0,
	1,
	2,
	3,
	7,
	64,
	1000,
	65_532,
	-1,
	-2147483648,
);
/** Within the memory's first page: a program that traps at once tests nothing. */
const near = (at: string) => `(i32.and (i32.const 0xffc0) ${at})`;
const LOCAL = fc.integer({ min: 0, max: 2 });
const FUNCTION = fc.integer({ min: 0, max: 2 });

const { expression, statement } = fc.letrec<{
	expression: string;
	statement: string;
	statements: string;
}>((tie) => {
	const e = tie("expression");
	const s = tie("statements");
	return {
		expression: fc.oneof(
			{ maxDepth: 4, depthSize: "large", withCrossShrink: true },
			NUMBERS.map((n) => `(i32.const ${n})`),
			LOCAL.map((k) => `(local.get ${k})`),
			fc
				.tuple(
					fc.constantFrom("add", "sub", "mul", "xor", "shr_u", "lt_s", "and"),
					e,
					e,
				)
				.map(([op, a, b]) => `(i32.${op} ${a} ${b})`),
			e.map((at) => `(i32.load ${near(at)})`),
			e.map((n) => `(memory.grow (i32.and (i32.const 1) ${n}))`),
			fc
				.tuple(e, e, e)
				.map(([c, a, b]) => `(if (result i32) ${c} (then ${a}) (else ${b}))`),
			fc
				.tuple(e, e)
				.map(([a, b]) => `(block (result i32 i32) ${a} ${b}) (i32.xor)`),
			fc.tuple(FUNCTION, e).map(([f, a]) => `(call $f${f} ${a})`),
			fc
				.tuple(e, e)
				.map(
					([i, a]) =>
						`(call_indirect (type $t) ${a} (i32.rem_u ${i} (i32.const 3)))`,
				),
		),
		statement: fc.oneof(
			{ maxDepth: 5, depthSize: "large", withCrossShrink: true },
			fc.tuple(LOCAL, e).map(([k, a]) => `(local.set ${k} ${a})`),
			fc.tuple(e, e).map(([at, a]) => `(i32.store ${near(at)} ${a})`),
			fc
				.tuple(e, e, e)
				.map(
					([a, b, n]) =>
						`(memory.copy ${near(a)} ${near(b)} (i32.and (i32.const 255) ${n}))`,
				),
			fc
				.tuple(e, e, e)
				.map(
					([a, b, n]) =>
						`(memory.fill ${near(a)} ${b} (i32.and (i32.const 1023) ${n}))`,
				),
			fc.tuple(e, s, s).map(([c, a, b]) => `(if ${c} (then ${a}) (else ${b}))`),
			fc.tuple(s, e, s).map(([a, c, b]) => `(block ${a} (br_if 0 ${c}) ${b})`),
			fc.tuple(s, e).map(([a, c]) => `(loop ${STEP} ${a} (br_if 0 ${c}))`),
			fc
				.tuple(s, e, s)
				.map(
					([a, i, b]) =>
						`(loop ${STEP} (block (block ${a} (br_table 0 2 1 ${i})) ${b}))`,
				),
			fc
				.tuple(e, s, e)
				.map(
					([n, a, c]) =>
						`${n} (loop (param i32) ${STEP} (local.set 0) ${a} (local.get 0) (br_if 0 ${c}) (drop))`,
				),
			e.map((a) => `(return ${a})`),
			fc.tuple(FUNCTION, e).map(([f, a]) => `(return_call $f${f} ${a})`),
		),
		statements: fc
			.array(tie("statement"), { maxLength: 3, minLength: 1 })
			.map((list) => list.join(" ")),
	};
});

const BUDGET = 2000;

/** One step of the budget, of more than 8 instructions; at its end all functions return. */
const STEP = `(if (i32.eqz (global.get $budget)) (then (return (local.get 2))))
	(global.set $budget (i32.sub (global.get $budget) (i32.const 1)))`;

const body = fc
	.tuple(fc.array(statement, { minLength: 2, maxLength: 5 }), expression)
	.map(([list, result]) => `${STEP} ${list.join(" ")} ${result}`);

const program = fc.tuple(body, body, body).map(
	(bodies) => `(module (type $t (func (param i32) (result i32)))
	(memory (export "memory") 1 4) (table 4 funcref) (elem (i32.const 0) $f0 $f1 $f2)
	(global $budget (export "budget") (mut i32) (i32.const ${BUDGET}))
	${bodies.map((b, k) => `(func $f${k} (param i32) (result i32) (local i32 i32) ${b})`).join("\n")}
	(func (export "run") (param i32) (result i32) (call $f0 (local.get 0))))`,
);

/** What an instance is after a run: memory and budget. */
function stateOf({ exports }: WebAssembly.Instance): unknown[] {
	const { buffer } = exports.memory as WebAssembly.Memory;
	const { value } = exports.budget as WebAssembly.Global;
	return [Buffer.from(buffer).toString("latin1"), value];
}

const ENOUGH = 2 ** 31 - 1;

test("a metered program does what the plain one does, and pays for every step", () => {
	let busy = 0;
	fc.assert(
		fc.property(program, NUMBERS, (text, argument) => {
			const bytes = wat(text);
			const instance = instantiate(plain(bytes).bytes);
			const result = call(instance, "run", argument);
			const run = runMetered(metered(bytes), ENOUGH, "run", argument);
			expect(run.result).toEqual(result);
			expect(run.left).toBeGreaterThanOrEqual(0);
			const [, left] = stateOf(run.instance);
			if (left === 0) busy++;
			// A unit pays for 16 instructions, and a free function that the host calls for none.
			expect(run.burnt).toBeGreaterThanOrEqual(
				(BUDGET - (left as number)) / 2 - 64,
			);
			expect(stateOf(run.instance)).toEqual(stateOf(instance));
		}),
		{ numRuns: 150 },
	);
	// The generator is worth something only while most programs work.
	expect(busy).toBeGreaterThan(75);
});

test("a tank that does not suffice ends at the same place each time", () => {
	fc.assert(
		fc.property(program, NUMBERS, fc.nat(3000), (text, argument, tank) => {
			const module = metered(wat(text));
			const a = runMetered(module, tank, "run", argument);
			const b = runMetered(module, tank, "run", argument);
			expect([a.result, a.left]).toEqual([b.result, b.left]);
			expect(stateOf(a.instance)).toEqual(stateOf(b.instance));
			const { burnt } = runMetered(module, ENOUGH, "run", argument);
			expect(a.left < 0).toBe(burnt > tank);
		}),
		{ numRuns: 150 },
	);
});
