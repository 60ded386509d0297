/** What TypeScript has and a filter has not: the table of docs/sdk.md, compiled; and what `wasieve build` says. */
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { ROOT } from "../cli/child.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-language-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rows = tableOf(
	readFileSync(join(ROOT, "docs/sdk.md"), "utf8"),
	"## What TypeScript has and a filter has not",
);

/** The statements (they end in `;`) of both columns. */
function tableOf(text: string, heading: string): [string[], string[]][] {
	const [section = ""] = text.split(`${heading}\n`)[1]?.split("\n## ") ?? [];
	const lines = section.split("\n").filter((line) => line.startsWith("| `"));
	return lines.map((line) => {
		const [, theirs = "", ours = ""] = line.split(/(?<!\\)\|/);
		return [codeIn(theirs), codeIn(ours)];
	});
}

function codeIn(cell: string): string[] {
	const found = cell.replaceAll("\\|", "|").matchAll(/`([^`]+[;}])`/g);
	return [...found].map(([, code]) => code as string);
}

function filter(work: string): string {
	const file = join(folder, "filter.ts");
	writeFileSync(
		file,
		`import { Reading, drop, emit, log, now, pass, reject, run } from "wasieve/assembly";
const list: string[] = ["a"];
const counts = new Map<string, f64>();
class P { a: f64 = 0; }
run((r: Reading): void => {
${work}
});
`,
	);
	return file;
}

test("the table is read", () => {
	expect(rows.length).toBeGreaterThan(15);
	expect(rows.every(([theirs]) => theirs.length > 0)).toBe(true);
});

test.each(rows.flatMap(([theirs]) => theirs))("no filter: %s", async (code) => {
	await expect(compileFilter(filter(code))).rejects.toMatchObject({
		code: "E_BUILD",
		message: expect.stringMatching(/filter\.ts:6:\d+: /),
	});
});

test("what stands beside it is a filter", async () => {
	const blocks = rows.flatMap(([, ours]) =>
		ours
			.filter((code) => !code.startsWith("class"))
			.map((code) => `{ ${code} }`),
	);
	const { bytes } = await compileFilter(filter(blocks.join("\n")));
	expect(bytes.length).toBeGreaterThan(0);
});

describe("what to use instead is told", () => {
	test.each([
		["Date.now();", ":6:1: Date.now: a filter has no clock: now() is "],
		["console.log('x');", ":6:1: console.log: a filter has no console: log("],
		["log(Math.random().toString());", ":6:5: Math.random: a filter has no r"],
	])("%s", async (code, told) => {
		await expect(compileFilter(filter(code))).rejects.toMatchObject({
			code: "E_BUILD",
			message: expect.stringContaining(told),
		});
	});

	test("an import of the package, and where the guide lies", async () => {
		const file = filter("pass(r);");
		const text = readFileSync(file, "utf8").replace(
			"wasieve/assembly",
			"wasieve",
		);
		writeFileSync(file, text);
		const error = await compileFilter(file).catch((thrown) => thrown);
		expect(error.message).toContain(
			'did you mean "wasieve/assembly"? (AS6054)',
		);
		const [path = ""] = /^\S+/.exec(error.hint) ?? [];
		expect(path).toMatch(/docs\/sdk\.md$/);
		expect(existsSync(path)).toBe(true);
	});

	test("of an import of his own the author is told as of any module", async () => {
		const file = filter("foo();");
		const text = readFileSync(file, "utf8");
		writeFileSync(
			file,
			`${text}@external("env", "foo") declare function foo(): void;\n`,
		);
		await expect(compileFilter(file)).rejects.toMatchObject({
			code: "E_MODULE_IMPORT",
		});
	});
});
