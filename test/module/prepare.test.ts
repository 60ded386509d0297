import { describe, expect, test } from "vitest";
import { prepareModule } from "#host/module/prepare.js";
import { call, instantiate, LIMITS, metered, plain, wat } from "./parts.js";

describe("memory grows to the cap and no further", () => {
	const grow = `(memory 1) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0)))`;

	test.each([
		[grow, 255],
		[grow.replace("(memory 1)", "(memory 1 100)"), 99],
		[grow.replace("(memory 1)", "(memory 1 60000)"), 255],
	])("%s", (text, pages) => {
		const { bytes } = plain(wat(`(module ${text})`));
		expect(call(instantiate(bytes), "run", pages)).toBe(1);
		expect(call(instantiate(bytes), "run", pages + 1)).toBe(-1);
	});
});

test("tables grow to the cap, all together", () => {
	const text = `(module (table $t 10 funcref) (table $u 20 externref)
		(func (export "run") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
		(func (export "other") (param i32) (result i32) (table.grow $u (ref.null extern) (local.get 0))))`;
	const { bytes } = plain(wat(text));
	const each = (10_000 - 30) / 2;
	expect(call(instantiate(bytes), "run", each)).toBe(10);
	expect(call(instantiate(bytes), "run", each + 1)).toBe(-1);
	expect(call(instantiate(bytes), "other", each + 1)).toBe(-1);
});

describe("state", () => {
	test("mutable number globals get names, constants and vectors do not", () => {
		const text = `(module (global (mut i32) (i32.const 1)) (global i32 (i32.const 2)) (global (mut f64) (f64.const 3))
			(global (mut v128) (v128.const i64x2 0 0)) (global (mut i64) (i64.const 4)))`;
		const { bytes, state, fuel } = metered(wat(text));
		expect(state).toEqual(["\0g0", "\0g2", "\0g4"]);
		const { exports } = instantiate(bytes);
		const values = state.map(
			(name) => (exports[name] as WebAssembly.Global).value,
		);
		expect(values).toEqual([1, 3, 4n]);
		expect(state).not.toContain(fuel);
	});

	test("a module without any section has fuel all the same", () => {
		const { bytes, fuel, state } = metered(wat("(module)"));
		expect(state).toEqual([]);
		const tank = instantiate(bytes).exports[fuel as string];
		expect((tank as WebAssembly.Global).value).toBeGreaterThan(0);
	});

	test("sections that are missing go where they belong", () => {
		const text = `(module (memory 1) (func $f (nop)) (start $f) (data (i32.const 0) "x") (table 1 funcref) (elem (i32.const 0) $f))`;
		expect(metered(wat(text)).fuel).toBe("\0fuel");
	});

	test("an export that has our name moves ours", () => {
		const text = `(module (global (export "\\00fuel") (mut i32) (i32.const 7)) (func (export "\\00\\00x")))`;
		const { bytes, fuel, state } = metered(wat(text));
		expect(fuel).toBe("\0\0\0fuel");
		const { exports } = instantiate(bytes);
		expect((exports["\0fuel"] as WebAssembly.Global).value).toBe(7);
		expect((exports[state[0] as string] as WebAssembly.Global).value).toBe(7);
	});
});

describe("custom sections", () => {
	/** A module with one custom section. */
	const withSection = (name: string) => {
		const content = [name.length, ...Buffer.from(name), 1, 2, 3];
		const module = wat(`(module (func $f (loop (br_if 0 (i32.const 0)))))`);
		return Uint8Array.from([...module, 0, content.length, ...content]);
	};
	const names = (bytes: Uint8Array, name: string) =>
		WebAssembly.Module.customSections(
			new WebAssembly.Module(bytes as BufferSource),
			name,
		).length;

	test.each([
		["producers", 1],
		["signature", 1],
		[".debug_line", 0],
		["sourceMappingURL", 0],
		["metadata.code.branch_hint", 0],
	])("%s: %i left once code has moved", (name, left) => {
		const bytes = withSection(name);
		expect(names(metered(bytes).bytes, name)).toBe(left);
		expect(names(plain(bytes).bytes, name)).toBe(1);
	});
});

test("a function with as many locals as V8 takes is left without a meter", () => {
	const text = `(module (memory (export "memory") 1) (func (export "_start")) (func (export "pump") (local ${"i32 ".repeat(50_000)}) (loop (br_if 0 (i32.const 0)))))`;
	const { fuel, info } = prepareModule(wat(text), LIMITS, {
		fuel: true,
		exposeState: true,
	});
	expect(fuel).toBeUndefined();
	expect(info.notInlineBecause).toMatch(/too large/);
});
