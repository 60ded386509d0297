import { describe, expect, test } from "vitest";
import { WasieveError } from "#host/errors.js";
import { prepareModule } from "#host/module/prepare.js";
import { bytes, leb, section, started } from "../hostile/sections.js";
import { CLASSES } from "./classes.js";
import { LIMITS, shipped, wat } from "./parts.js";

/** Either a documented refusal, or a module that the engine accepts. */
function judge(bytes: Uint8Array): "refused" | "accepted" {
	try {
		const prepared = prepareModule(bytes, LIMITS, {
			fuel: true,
			exposeState: true,
		});
		if (!WebAssembly.validate(prepared.bytes as BufferSource)) {
			throw new Error("rewritten to something invalid");
		}
		// What V8 takes before, it takes metered: the meter gives up only on what it says it does not know.
		if (prepared.info.notInlineBecause?.includes("too large")) {
			throw new Error("metered to something invalid");
		}
		return "accepted";
	} catch (thrown) {
		if (thrown instanceof WasieveError && thrown.code.startsWith("E_MODULE_")) {
			return "refused";
		}
		throw thrown;
	}
}

const overheat = shipped().find(({ name }) => name === "overheat.wasm")?.bytes;

test("a real module cut off at every byte is refused, or still valid", () => {
	const module = overheat as Uint8Array;
	for (let end = 0; end < module.length; end++) {
		const cut = module.subarray(0, end);
		const verdict = judge(cut);
		expect(verdict).toBe(
			WebAssembly.validate(cut as BufferSource) ? "accepted" : "refused",
		);
	}
});

test.each(CLASSES)(
	"$name: any byte changed to anything is judged",
	({ text }) => {
		const module = wat(`(module ${text})`);
		for (let at = 0; at < module.length; at++) {
			const original = module[at] as number;
			for (const byte of [0, 0x0b, 0x7f, 0x80, 0xff, original ^ 1]) {
				module[at] = byte;
				if (!WebAssembly.validate(module as BufferSource)) {
					expect(judge(module)).toBe("refused");
				} else judge(module);
			}
			module[at] = original;
		}
	},
);

describe("what would make the host swell is refused, though the file is small", () => {
	const HEAD = bytes(
		[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
		section(1, bytes(1, 0x60, 0, 0)),
	);
	const START = section(7, bytes(1, 6, Buffer.from("_start"), 0, 0));
	const many = (count: number, each: readonly number[]) =>
		bytes(leb(count), Buffer.alloc(count * each.length, Buffer.from(each)));
	const functions = (count: number, code: readonly number[]) =>
		bytes(
			HEAD,
			section(3, many(count, [0])),
			section(5, bytes(1, 0, 1)),
			START,
			section(10, many(count, [...leb(code.length + 2), 0, ...code, 0x0b])),
		);
	const LOOP = [0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b];
	/** Behind `unreachable`, operands of any kind are there. */
	const back = (count: number) => [
		...[0x03, 0x40, 0],
		...new Array(count).fill([0x0d, 0]).flat(),
		0x0b,
	];
	const fills = (count: number) => [
		0,
		...new Array(count).fill([0xfc, 0x0b, 0]).flat(),
	];
	const globals = (count: number) =>
		bytes(
			HEAD,
			section(3, bytes(1, 0)),
			section(6, many(count, [0x7f, 1, 0x41, 0, 0x0b])),
			START,
			section(10, bytes(1, 2, 0, 0x0b)),
		);
	const nested = (depth: number) =>
		started(
			new Array(depth).fill([0x02, 0x40]).flat(),
			new Array(depth).fill(0x0b),
		);

	test.each([
		["functions", functions(100_001, []), functions(50_000, [])],
		[
			"loops",
			functions(
				20_001,
				[0, 1, 2, 3, 4].flatMap(() => LOOP),
			),
			functions(9000, LOOP),
		],
		["jumps", functions(2, back(200_001)), functions(2, back(20_000))],
		["bulk operations", functions(2, fills(200_001)), functions(2, fills(2e4))],
		["globals", globals(10_001), globals(10_000)],
		["blocks", nested(20_001), nested(5000)],
		[
			"sections",
			bytes(functions(1, []), Buffer.alloc(8000, bytes(0, 2, 1, 0x61))),
			functions(1, []),
		],
	])("%s", (_, tooMany, enough) => {
		const prepare = (module: Uint8Array) =>
			prepareModule(module, LIMITS, { fuel: true, exposeState: true });
		expect(() => prepare(tooMany)).toThrow(
			expect.objectContaining({ code: "E_MODULE_SIZE" }),
		);
		expect(judge(enough)).toBe("accepted");
	});
});

test("a real module with each byte changed once is judged", () => {
	const module = Uint8Array.from(overheat as Uint8Array);
	for (let at = 0; at < module.length; at += 11) {
		const original = module[at] as number;
		module[at] = (original * 7 + at) & 0xff;
		judge(module);
		module[at] = original;
	}
});

/** A module with one function of this code. */
function moduleOf(code: Uint8Array): Uint8Array {
	const leb = (n: number) => [
		(n & 0x7f) | 0x80,
		((n >> 7) & 0x7f) | 0x80,
		n >> 14,
	];
	const size = code.length + 2;
	return Uint8Array.from([
		...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
		...[10, ...leb(size + 4), 1, ...leb(size), 0],
		...code,
		0x0b,
	]);
}

/** `count` times the same bytes. */
const repeat = (count: number, ...bytes: number[]) =>
	Array.from({ length: count }, () => bytes).flat();

// A weighing that copies what inner loops call outwards would take minutes.
test.each([
	// loop, call 0 … br 0, end
	[
		"in one another",
		"refused",
		[...repeat(40_000, 3, 0x40, 0x10, 0), ...repeat(40_000, 0x0c, 0, 0x0b)],
	],
	[
		"after one another",
		"accepted",
		repeat(40_000, 3, 0x40, 0x41, 0, 0x0d, 0, 0x0b),
	],
])("forty thousand loops %s are %s", (_, verdict, code) => {
	expect(judge(moduleOf(Uint8Array.from(code)))).toBe(verdict);
});
