import { expect, test } from "vitest";
import wabt from "wabt";
import { loadOnce } from "#host/engine/load-once.js";
import { whereabouts } from "#host/engine/whereabouts.js";
import { LINES, readLines, withLines } from "#host/module/lines.js";

/** A module made elsewhere, with or without names. */
async function trapping(name: string, names = true) {
	const { parseWat } = await wabt();
	const parsed = parseWat(
		"test.wat",
		`(module (memory (export "memory") 1)
		  (func $${name} (loop $again (br_if $again (i32.const 0))) unreachable)
		  (func (export "_start") (call $${name})))`,
	);
	const { buffer } = parsed.toBinary({ write_debug_names: names });
	parsed.destroy();
	return buffer;
}

function trap(bytes: Uint8Array) {
	const { wasm } = loadOnce(bytes, 2 ** 24);
	const { exports } = new WebAssembly.Instance(wasm);
	let thrown: unknown;
	try {
		(exports._start as () => void)();
	} catch (error) {
		thrown = error;
	}
	expect(thrown).toBeInstanceOf(WebAssembly.RuntimeError);
	return whereabouts(thrown, wasm);
}

test("a module made elsewhere has its functions' names told", async () => {
	expect(trap(await trapping("boom"))).toEqual({ name: "boom" });
	expect(trap(await trapping("boom", false))).toEqual({});
});

test("a name of any length and kind is told in bounds, or not at all", async () => {
	expect(trap(await trapping("x".repeat(500))).name).toBe("x".repeat(200));
	const long = trap(await trapping("x".repeat(100_000)));
	expect(long.name?.length ?? 0).toBeLessThanOrEqual(200);
});

const LINED = {
	files: ["a.ts", "b.ts"],
	marks: [
		{ at: 5, file: 1, line: 1, column: 300 },
		{ at: 70_000, file: 0, line: 0, column: 0 },
		{ at: 70_001, file: 2, line: 99_999, column: 1 },
	],
};

test("the section with the lines reads as it was written", async () => {
	const bytes = await trapping("boom");
	const module = new WebAssembly.Module(
		withLines(bytes, LINED) as BufferSource,
	);
	const [content] = WebAssembly.Module.customSections(module, LINES);
	expect(readLines(new Uint8Array(content as ArrayBuffer))).toEqual(LINED);
});

test("lines that make no sense are left out, and the module runs", async () => {
	const bytes = await trapping("boom");
	const whole = withLines(bytes, LINED);
	const section = whole.subarray(bytes.length + 2 + LINES.length + 1);
	section.fill(0xff);
	expect(trap(whole)).toEqual({ name: "boom" });
	const marks = Array.from({ length: 300_000 }, () => LINED.marks[0] as never);
	expect(trap(withLines(bytes, { ...LINED, marks }))).toEqual({ name: "boom" });
});
