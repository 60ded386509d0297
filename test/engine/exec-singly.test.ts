/** `wasieve exec` of filters made with the SDK: what a reading made is out, whatever becomes of the next one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { ROOT, wasieve } from "../cli/child.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-singly-"));
afterAll(() => rmSync(folder, { recursive: true }));

const out = join(folder, "quotient.wasm");

beforeAll(async () => {
	const file = join(folder, "quotient.ts");
	writeFileSync(
		file,
		`import { Reading, emit, run } from "wasieve/assembly";
run((r: Reading): void => {
  const n = r.i64("n");
  while (n < 0) {}
  emit().i64("q", 100 / n).end();
});
`,
	);
	await compileFilter(file, { out });
});

const exec = (input: string, ...options: string[]) =>
	wasieve(["exec", out, ...options], { input });

const readings = (...n: number[]) =>
	n.map((each) => `{"n":${each}}\n`).join("");

describe.each([
	["", []],
	["with --time", ["--time", "1s"]],
	["with --topic", ["--topic", "x"]],
])("exec %s", (_, options) => {
	test("lets out what was made before a trap", async () => {
		const { code, stdout } = await exec(readings(1, 2, 0, 3), ...options);
		expect([code, stdout]).toEqual([134, '{"q":100}\n{"q":50}\n']);
	});

	test("lets out what was made before fuel ran out", async () => {
		const ran = await exec(readings(1, 2, -1, 3), ...options, "--fuel", "1M");
		expect([ran.code, ran.stdout]).toEqual([124, '{"q":100}\n{"q":50}\n']);
	});

	test("says the same of many readings, in their order", async () => {
		const numbers = Array.from({ length: 20_000 }, (_, i) => i + 1);
		const { code, stdout, stderr } = await exec(
			readings(...numbers),
			...options,
		);
		expect([code, stderr]).toEqual([0, ""]);
		expect(stdout).toBe(
			numbers.map((n) => `{"q":${Math.floor(100 / n)}}\n`).join(""),
		);
	});
});

test("the reading that ended it is told, and the last line needs no end", async () => {
	const trapped = await exec(readings(1, 2, 0, 3));
	expect(trapped.stderr).toContain("divide by zero in reading 3 (");
	const looped = await exec(readings(4, -1), "--fuel", "1M");
	expect(looped.stderr).toContain("its fuel in reading 2 (");
	const whole = await exec(`${readings(1)}{"n":5}`);
	expect(whole).toMatchObject({ code: 0, stdout: '{"q":100}\n{"q":20}\n' });
});

test("rejections and outputs keep their numbers", async () => {
	const ran = await exec(`${readings(1)}no\n${readings(2)}`);
	expect(ran.stdout).toBe('{"q":100}\n{"q":50}\n');
	expect(ran.stderr).toMatch(/^reading 2 rejected: .*\n$/);
});

describe("an argument, where a filter takes none", () => {
	test.each([[[]], [["--topic", "x"]], [["--engine", "cat {module}"]]])(
		"is refused with %j",
		async (options) => {
			const overheat = join(ROOT, "build/overheat.wasm");
			const args = ["exec", overheat, "in.ndjson", ...options];
			const ran = await wasieve(args);
			expect(ran).toMatchObject({ code: 2, stdout: "" });
			expect(ran.stderr).toBe(
				`error E_USAGE: ${overheat} takes no arguments, and got 'in.ndjson'\n  hint: readings come on stdin: wasieve exec ${overheat} < in.ndjson\n`,
			);
		},
	);
});
