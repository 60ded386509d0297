/** What `wasieve build` reads out of a source: parameters, fields, whether paths lead inside; and what it does with it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compileFilter } from "#host/cli/compile.js";
import { inspectModule } from "#host/module/inspect.js";
import { run } from "./guest.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-asked-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
	writeFileSync(join(folder, name), text);
	return join(folder, name);
}

const filter = (work: string, more = "", names = "") =>
	write(
		"filter.ts",
		`import { Reading, alert, drop, emit, param, pass, run${names} } from "wasieve/assembly";
${more}
run((r: Reading): void => {
${work}
});
`,
	);

const READINGS = write(
	"in.ndjson",
	`{"device_id":"a","temperature":20,"motor":{"temp":1,"axes":[{"x":1},2]},"rate.hz":5}
not JSON
{"device_id":"a","humidity":40}
`,
);

describe("parameters", () => {
	test("stand in the module with their defaults", async () => {
		const { bytes } = await compileFilter(
			filter(
				"if (r.f64('x') > limit && on) pass(r);",
				`const limit = param("LIMIT", -85.5);
const on = param("ON", true);
const n = param<i64>("N", 1_000);
const text = param("TEXT", "a\\"b");
const far = param("FAR", limit * 2);`,
			),
		);
		expect(inspectModule(bytes).params).toEqual({
			LIMIT: -85.5,
			ON: true,
			N: 1000,
			TEXT: 'a"b',
			FAR: null,
		});
	});

	test("of a filter that goes by the name of a file of the language's library", async () => {
		const file = write(
			"number.ts",
			`import { param, pass, Reading, run } from "wasieve/assembly";
const path = param("PATH", "x");
run((r: Reading): void => { if (r.has(path)) pass(r); });
`,
		);
		const { bytes } = await compileFilter(file);
		expect(inspectModule(bytes).params).toEqual({ PATH: "x" });
		const module = new WebAssembly.Module(bytes as BufferSource);
		const nested = '{"x":{"y":1}}\n';
		expect(run(module, nested, { env: { PATH: "x.y" } }).out).toBe(nested);
	});

	test.each([
		["its name is made at run time", 'const a = param("A" + "B", 1.0);', ""],
		["it goes by another name", 'const a = p("A", 1.0);', ", param as p"],
	])("are not told when %s", async (_, more, names) => {
		const { bytes } = await compileFilter(filter("pass(r);", more, names));
		expect(inspectModule(bytes).params).toBeUndefined();
	});
});

describe("fields that no reading has", () => {
	const refused = (work: string, more?: string) =>
		compileFilter(filter(work, more), { readings: READINGS });

	test("are all named with their place, and what was meant", async () => {
		await expect(
			refused(`  if (r.f64("temprature") > 1) alert(r, "hot", "humidty");
  if (r.has("motor.tmp")) emit().copy("x", r, "motor.axes[2]");`),
		).rejects.toMatchObject({
			code: "E_BUILD_FIELD",
			message: expect.stringMatching(
				/filter\.ts:4:13: no reading in .*in\.ndjson has a field "temprature", did you mean "temperature"\?\n.*:4:\d+: .*"humidty", did you mean "humidity"\?\n.*:5:13: .*"motor.tmp", did you mean "motor.temp"\?\n.*:5:\d+: .*"motor.axes\[2\]"/,
			),
		});
	});

	test("are none when each is somewhere, whatever the way to it", async () => {
		const { fields } = await refused(
			`  if (r.has("rate.hz") && r.f64("motor.axes[0].x") > 1) alert(r, "a.b", "motor.axes[1]");
  if (seen.has("open")) drop("no");
  each(r);`,
			`const seen = new Set<string>();
function each(reading: Reading): void { if (reading.has("humidity")) pass(reading); }`,
		);
		expect(fields.map(({ path }) => path)).toEqual([
			"humidity",
			"rate.hz",
			"motor.axes[0].x",
			"motor.axes[1]",
		]);
	});
});

describe("a filter without paths into something", () => {
	const line = '{"motor":{"temp":99},"motor.x":5,"a":[7]}\n';
	const outOf = async (work: string, more = "", names = "") => {
		const { bytes } = await compileFilter(filter(work, more, names));
		const { out } = run(new WebAssembly.Module(bytes as BufferSource), line);
		return { out, size: bytes.length };
	};

	test("lacks the code for them; any path that is not plainly a name brings it back", async () => {
		const { size } = await outOf('if (r.has("motor")) pass(r);');
		for (const [work, more, names] of [
			['if (r.has("motor.temp")) pass(r);'],
			['if (r.has("a[0]")) pass(r);'],
			['if (r.has("a" + PATH)) pass(r);', 'const PATH = "[0]";'],
			["if (r.has(PATH)) pass(r);", 'const PATH = "motor.temp";'],
			['if (r.has("")) pass(r);'],
		] as string[][]) {
			const found = await outOf(work as string, more, names);
			expect(found.out, work).toBe(line);
			expect(found.size).toBeGreaterThan(size);
		}
	});

	test("a function of the SDK under another name is not trusted", async () => {
		const alerted = (value: string) =>
			`{"device_id":null,"alert_type":"t","value":${value},"timestamp":null}\n`;
		const renamed = await outOf(
			'tell(r, "t", "motor.temp");',
			"",
			", alert as tell",
		);
		expect(renamed.out).toBe(alerted("99"));
		write("mine.ts", 'export { alert as say } from "wasieve/assembly";\n');
		const exported = await outOf(
			'say(r, "t", "a[0]");',
			'import { say } from "./mine";',
		);
		expect(exported.out).toBe(alerted("7"));
		const spaced = await outOf(
			'w.alert(r, "t", "motor.temp");',
			'import * as w from "wasieve/assembly";',
		);
		expect(spaced.out).toBe(alerted("99"));
	});
});

test("a module that would be refused is not built", async () => {
	const file = filter(
		"if (r.f64('x') > clock()) pass(r);",
		`// @ts-ignore: decorator
@external("env", "now")
declare function clock(): f64;`,
	);
	const out = join(folder, "refused.wasm");
	await expect(compileFilter(file, { out })).rejects.toMatchObject({
		code: "E_MODULE_IMPORT",
		message: expect.stringContaining('"env" "now"'),
		hint: expect.stringContaining("wasi_snapshot_preview1"),
	});
	expect(() => readFileSync(out)).toThrow("ENOENT");
});

describe("a module made for debugging", () => {
	const lastWords = async (work: string, more?: string) => {
		const { bytes } = await compileFilter(filter(work, more), { debug: true });
		const said: string[] = [];
		const memory = () => instance.exports.memory as WebAssembly.Memory;
		let input = Buffer.from('{"x":7}\n');
		const view = () => new DataView(memory().buffer);
		const wasi = {
			fd_read(_fd: number, iov: number, _n: number, done: number) {
				Buffer.from(memory().buffer).set(input, view().getUint32(iov, true));
				view().setUint32(done, input.length, true);
				input = Buffer.alloc(0);
				return 0;
			},
			fd_write(_fd: number, iov: number, _n: number, done: number) {
				const at = view().getUint32(iov, true);
				const size = view().getUint32(iov + 4, true);
				said.push(Buffer.from(memory().buffer.slice(at, at + size)).toString());
				view().setUint32(done, size, true);
				return 0;
			},
			proc_exit() {},
		};
		const instance = new WebAssembly.Instance(
			new WebAssembly.Module(bytes as BufferSource),
			{ wasi_snapshot_preview1: wasi },
		);
		expect(instance.exports._start).toThrow(WebAssembly.RuntimeError);
		return said.join("");
	};

	test("names the author's line, also for what the library finds", async () => {
		expect(
			await lastWords(
				"  const i = <i32>r.i64('x');\n  if (list[i] > 1) pass(r);",
				"const list = [1.0, 2.0];",
			),
		).toMatch(
			/^filter\.ts:5:3: Index out of range \(~lib\/array\.ts:\d+:\d+\)\n$/,
		);
		expect(await lastWords("  assert(r.i64('x') < 5, 'too large');")).toBe(
			"filter.ts:4:3: too large\n",
		);
	});
});
