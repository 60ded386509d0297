import { describe, expect, test } from "vitest";
import { WasieveError } from "#host/errors.js";
import { section } from "#host/module/binary.js";
import { WASI } from "#host/module/imports.js";
import { describeModule, inspectModule } from "#host/module/inspect.js";
import { prepareModule } from "#host/module/prepare.js";
import { started } from "../hostile/sections.js";
import { LIMITS, shipped, wat } from "./parts.js";

/** The error a module is refused with. */
function refusal(bytes: Uint8Array, limits = LIMITS): WasieveError {
	try {
		inspectModule(bytes, limits);
	} catch (thrown) {
		if (thrown instanceof WasieveError) return thrown;
		throw thrown;
	}
	throw new Error("it was not refused");
}

/** Of a module that need not be a program. */
const infoOf = (bytes: Uint8Array) =>
	prepareModule(bytes, LIMITS, { fuel: true, exposeState: true }).info;

const importing = (module: string, name: string, what = "(func)") =>
	wat(`(module (import "${module}" "${name}" ${what}))`);

describe("parameters", () => {
	const saying = (json: string) =>
		infoOf(
			Buffer.concat([
				wat("(module)"),
				...section(0, [
					[14],
					Buffer.from("wasieve.params"),
					Buffer.from(json),
				]).map((piece) => Buffer.from(piece)),
			]),
		);

	test("are what the module says", () => {
		const params = { A: 1.5, B: true, C: "x", D: null };
		const info = saying(JSON.stringify(params));
		expect(info.params).toEqual(params);
		expect(describeModule(info)).toContain(
			'params   A=1.5, B=true, C="x", D\n',
		);
		expect(describeModule(saying("{}"))).toContain("params   none\n");
	});

	test.each([
		"",
		"[]",
		"null",
		'{"A":{}}',
		'{"A\\u001b[2J":1}',
		'{"A=B":1}',
		'{"":1}',
		'{"A":"\\u0000"}',
	])("are unknown when it says %s", (json) => {
		expect(saying(json).params).toBeUndefined();
	});

	test("have names that JavaScript knows", () => {
		const { params } = saying('{"__proto__":1,"constructor":2}');
		expect(Object.entries(params ?? {})).toEqual([
			["__proto__", 1],
			["constructor", 2],
		]);
	});
});

describe("files that are no module", () => {
	test.each([
		["nothing", [], "empty"],
		["text", [...Buffer.from("(module)")], "is no WebAssembly module"],
		["four bytes", [0, 0x61, 0x73, 0x6d], "ends within"],
		["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], "component"],
		["version 2", [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], "version"],
	])("%s", (_, bytes, says) => {
		const error = refusal(Uint8Array.from(bytes));
		expect(error).toMatchObject({ code: "E_MODULE_MAGIC" });
		expect(error.message).toContain(says);
		expect(error.hint).toBeTruthy();
	});

	test("a file beyond the size limit is not even looked at", () => {
		const error = refusal(new Uint8Array(100), {
			...LIMITS,
			size: 99,
		} as never);
		expect(error.code).toBe("E_MODULE_SIZE");
	});
});

describe("broken structure names the byte", () => {
	const module = (...rest: number[]) =>
		Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...rest]);
	test.each([
		["unknown section", module(99, 0), "unknown section 99 at byte 8"],
		["order", module(3, 1, 0, 1, 1, 0), "section 1 out of order at byte 11"],
		["twice", module(1, 1, 0, 1, 1, 0), "section 1 out of order"],
		["too long", module(1, 200, 1, 0), "longer than the file at byte 8"],
		["2³²−1", module(1, 0xff, 0xff, 0xff, 0xff, 0x0f), "longer than the file"],
		["a length of 33 bits", module(1, 0xff, 0xff, 0xff, 0xff, 0x1f), "32 bits"],
		["2³²−1 types", module(1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f), "do not fit"],
		["2³²−1 imports", module(2, 5, 0xff, 0xff, 0xff, 0xff, 0x0f), "do not fit"],
		[
			"2³²−1 functions",
			module(3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f),
			"does not validate",
		],
		["2³²−1 exports", module(7, 5, 0xff, 0xff, 0xff, 0xff, 0x0f), "do not fit"],
		[
			"a name of 2³²−1 bytes",
			module(2, 6, 1, 0xff, 0xff, 0xff, 0xff, 0x0f),
			"unexpected end",
		],
		["a name that is not UTF-8", module(2, 4, 1, 1, 0xff, 0), "not UTF-8"],
		[
			"functions without code",
			module(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0),
			"does not validate",
		],
	])("%s", (_, bytes, says) => {
		const error = refusal(bytes);
		expect(error.code).toBe("E_MODULE_MALFORMED");
		expect(error.message).toContain(says);
	});
});

describe("imports", () => {
	const WASI1 = "wasi_snapshot_preview1";

	test.each([...WASI])(
		"%s is known with its type",
		(name, { signature, status }) => {
			const [parameters = "", results = ""] = signature.split(":");
			const types = (letters: string) =>
				[...letters].map((l) => (l === "I" ? "i64" : "i32")).join(" ");
			const type = `(func (param ${types(parameters)}) (result ${types(results)}))`;
			const info = infoOf(importing(WASI1, name, type));
			expect(info.imports).toEqual([
				{ module: WASI1, name, kind: "function", status },
			]);
			const other = refusal(importing(WASI1, name, "(func (param f32))"));
			expect(other.message).toContain(`${name}" has the type (f:)`);
		},
	);

	test("the list is preview 1, whole", () => {
		expect(WASI.size).toBe(46);
	});

	test.each([
		"constructor",
		"__proto__",
		"toString",
		"hasOwnProperty",
		"valueOf",
		"fd_read ",
		"FD_READ",
		"fd_read\\00",
		"",
	])("%j is no function of WASI", (name) => {
		const error = refusal(importing(WASI1, name));
		expect(error.code).toBe("E_MODULE_IMPORT");
		expect(error.message).toContain("no function of WASI");
	});

	test.each(["env", "wasi_unstable", "__proto__", "constructor", ""])(
		"nothing comes from module %j",
		(module) => {
			const error = refusal(importing(module, "fd_read"));
			expect(error.code).toBe("E_MODULE_IMPORT");
			expect(error.message).toContain(JSON.stringify(module));
			expect(error.hint).toContain("wasm32-wasip1");
		},
	);

	test.each([
		["memory", "(memory 1)"],
		["table", "(table 1 funcref)"],
		["global", "(global i32)"],
	])("a %s is no function", (kind, what) => {
		const error = refusal(importing(WASI1, "fd_read", what));
		expect(error).toMatchObject({ code: "E_MODULE_IMPORT" });
		expect(error.message).toContain(`is a ${kind}`);
	});

	test("all refused imports are named at once", () => {
		const text = `(module (import "a" "x" (func)) (import "b" "y" (func)))`;
		const { message } = refusal(wat(text));
		expect(message).toContain('"a" "x"');
		expect(message).toContain('"b" "y"');
	});
});

describe("memory and tables", () => {
	const memory = (text: string) => wat(`(module (memory ${text}))`);

	test.each([
		["4 GiB", "65536", "65536 pages"],
		["one page too many", "257", "257 pages"],
		["64-bit", "i64 1", "64-bit"],
		["shared", "1 2 shared", "shared"],
	])("%s is refused", (_, text, says) => {
		const error = refusal(memory(text));
		expect(error.code).toBe("E_MODULE_MEMORY");
		expect(error.message).toContain(says);
	});

	test("two memories are refused", () => {
		const two = Uint8Array.from([
			0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 2, 0, 1, 0, 1,
		]);
		expect(refusal(two).message).toContain("2 memories");
	});

	test("the smaller of the module's maximum and the limit is the cap", () => {
		expect(infoOf(memory("1 4")).memory).toEqual({
			min: 1,
			max: 4,
			bytes: 65_536,
			cap: 4 * 65_536,
		});
		expect(infoOf(memory("1 60000")).memory?.cap).toBe(2 ** 24);
	});

	test.each([
		["a giant table", "(table 10001 funcref)"],
		["giants together", "(table 6000 funcref) (table 6000 externref)"],
		["a hundred and one tables", "(table 0 funcref)".repeat(101)],
	])("%s is refused", (_, text) => {
		expect(refusal(wat(`(module ${text})`)).code).toBe("E_MODULE_TABLE");
	});
});

test("a library is no program", () => {
	const error = refusal(wat(`(module (func (export "_initialize")))`));
	expect(error.code).toBe("E_MODULE_EXPORT");
});

test("_start with parameters is no program", () => {
	const error = refusal(wat(`(module (func (export "_start") (param i32)))`));
	expect(error.code).toBe("E_MODULE_EXPORT");
	expect(error.message).toContain("parameters");
});

test("names of any length are told in short", () => {
	const error = refusal(importing("env", "x".repeat(10_000)));
	expect(error.code).toBe("E_MODULE_IMPORT");
	expect(error.message.length).toBeLessThan(400);
});

test("loops nested so deeply that compiling them takes for ever are refused", () => {
	const nested = (depth: number) =>
		started(
			Array.from({ length: depth }, () => [0x03, 0x40]).flat(),
			[0x0c, 0],
			Array.from({ length: depth }, () => 0x0b),
		);
	expect(infoOf(nested(256)).kind).toBe("foreign");
	const error = refusal(nested(257));
	expect(error.code).toBe("E_MODULE_MALFORMED");
	expect(error.message).toMatch(/256 loops/);
});

describe("what it says", () => {
	test.each(shipped())(
		"$name runs inline on the least imports",
		({ bytes }) => {
			const info = infoOf(bytes);
			expect(info).toMatchObject({
				kind: "sdk",
				inline: true,
				hasStart: false,
			});
			expect(info.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
			const text = describeModule(info);
			expect(text).toContain("engine   inline");
			expect(text).toContain("fd_read");
		},
	);

	test("a module of another toolchain gets a worker", () => {
		const info = infoOf(
			wat(`(module (memory (export "memory") 1) (func (export "_start")))`),
		);
		expect(info).toMatchObject({ kind: "foreign", inline: false });
		expect(describeModule(info)).toContain("engine   worker");
	});

	test("a pump with parameters is no pump", () => {
		const text = `(module (memory (export "memory") 1) (func (export "_start")) (func (export "pump") (param i32)))`;
		expect(infoOf(wat(text)).kind).toBe("foreign");
	});

	test("names that would steer a terminal are quoted", () => {
		const info = infoOf(wat(`(module (func (export "\\1b[2J")))`));
		expect(describeModule(info)).toContain('"\\u001b[2J"');
	});
});
