import { PassThrough } from "node:stream";
import { describe, expect, it, test } from "vitest";
import { EXIT, type Io } from "#host/cli/io.js";
import { oneOperand, parseOptions } from "#host/cli/options.js";
import { errorJson, exitCode, report } from "#host/cli/report.js";
import { CODES, type Code, WasieveError } from "#host/errors.js";

function told(
	thrown: unknown,
	env: Io["env"] = {},
): { code: number; text: string } {
	const stderr = new PassThrough({ encoding: "utf8" });
	const code = report(thrown, { stderr, env } as unknown as Io);
	return { code, text: stderr.read() };
}

describe("report", () => {
	it("prints code, message and hint", () => {
		const error = new WasieveError("E_MODULE_MAGIC", "x.wasm is a PNG", {
			hint: "compile it",
		});
		expect(told(error)).toEqual({
			code: EXIT.INVALID,
			text: "error E_MODULE_MAGIC: x.wasm is a PNG\n  hint: compile it\n",
		});
	});

	it("prints every error that one stands for", () => {
		const errors = ["a", "b"].map(
			(key) => new WasieveError("E_CONFIG_KEY", key),
		);
		const error = new WasieveError("E_CONFIG", "2 errors", {
			cause: new AggregateError(errors),
		});
		expect(told(error)).toEqual({
			code: EXIT.INVALID,
			text: "error E_CONFIG_KEY: a\nerror E_CONFIG_KEY: b\n",
		});
	});

	it("keeps a defect's stack to itself unless asked", () => {
		const quiet = told(new TypeError("x is not a function"));
		expect(quiet.code).toBe(EXIT.FAILED);
		expect(quiet.text).toMatch(
			/^error E_INTERNAL: x is not a function\n {2}hint: .*WASIEVE_DEBUG=1/,
		);
		expect(quiet.text).not.toContain("    at ");
		expect(told(new TypeError("x"), { WASIEVE_DEBUG: "1" }).text).toContain(
			"    at ",
		);
	});

	it("gives each code one of the documented exit codes", () => {
		const codes = Object.keys(CODES) as Code[];
		expect(new Set(codes.map(exitCode))).toEqual(new Set([1, 2, 3]));
		expect(codes.filter((code) => exitCode(code) === 2)).toEqual(["E_USAGE"]);
	});

	it("leaves a missing hint out of the JSON", () => {
		expect(errorJson(new WasieveError("E_USAGE", "m"))).toEqual({
			code: "E_USAGE",
			message: "m",
		});
	});
});

describe("parseOptions", () => {
	const OPTIONS = {
		json: { type: "boolean" },
		rate: { type: "string" },
	} as const;

	it("takes options before, between and behind operands", () => {
		const { values, positionals } = parseOptions(
			"demo",
			["a", "--rate=5", "b", "--json"],
			OPTIONS,
		);
		expect({ ...values }).toEqual({ rate: "5", json: true });
		expect(positionals).toEqual(["a", "b"]);
	});

	it.each([
		[["--jsno"], "unknown option --jsno, did you mean --json?"],
		[["--rat=5"], "unknown option --rat, did you mean --rate?"],
		[["--elephant"], "unknown option --elephant"],
		[["-x"], "unknown option -x"],
		[["--rate"], /^Option '--rate <value>' argument missing$/],
		[["--json=yes"], /^Option '--json' does not take an argument$/],
	])("refuses %j", (args, message) => {
		expect(() => parseOptions("demo", args, OPTIONS)).toThrow(
			expect.objectContaining({
				code: "E_USAGE",
				message:
					typeof message === "string"
						? message
						: expect.stringMatching(message),
				hint: "wasieve demo --help lists what it takes",
			}),
		);
	});

	it("wants exactly one operand", () => {
		expect(oneOperand("new", "DIR", ["a"])).toBe("a");
		expect(() => oneOperand("new", "DIR", [])).toThrow("DIR is missing");
		expect(() => oneOperand("new", "DIR", ["a", "b"])).toThrow(
			"'b' is one operand too many",
		);
	});
});

test("what an engine or a broker said does nothing to a terminal", () => {
	const { text } = told(
		new WasieveError("E_ENGINE_START", "it said \u001b[2J\u009b1m\r\u0007", {
			hint: "two\nlines\tare fine",
		}),
	);
	expect(text).toBe(
		"error E_ENGINE_START: it said ?[2J?1m??\n  hint: two\nlines\tare fine\n",
	);
});
