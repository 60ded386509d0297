/** What a built module is: its imports, exports, size and memory; and what the compiler says. */
import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { buildVerb } from "#host/cli/build.js";
import { compileFilter } from "#host/cli/compile.js";
import type { Io } from "#host/cli/io.js";
import { flat } from "./flat.js";
import { data, fixture, Guest, HELLO, run, shipped, tracked } from "./guest.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasieve-sdk-"));
afterAll(() => rmSync(folder, { recursive: true }));

const WASI = [
	"environ_get",
	"environ_sizes_get",
	"fd_read",
	"fd_write",
	"proc_exit",
].map((name) => `wasi_snapshot_preview1.${name}`);

const HOT = '{"temperature":99,"humidity":1,"device_id":"a","timestamp":1}\n';
const ALERT =
	'{"device_id":"a","alert_type":"high_temperature","value":99,"timestamp":1}\n';

function write(name: string, text: string): string {
	writeFileSync(join(folder, name), text);
	return join(folder, name);
}

describe("a module", () => {
	test.each(["overheat", "stuffy", "deadband", "rename", "every-minute"])(
		"%s imports stdin, stdout, environment and exit only",
		async (name) => {
			const module = await shipped(name);
			const imports = WebAssembly.Module.imports(module);
			expect(WASI).toEqual(
				expect.arrayContaining(
					imports.map((each) => `${each.module}.${each.name}`),
				),
			);
			expect(
				WebAssembly.Module.exports(module)
					.map((each) => `${each.kind} ${each.name}`)
					.sort(),
			).toEqual(["function _start", "function pump", "memory memory"]);
		},
	);

	test("has a maximum of 16 MiB, or what it is told", async () => {
		const pages = async (maximumMemory?: number) => {
			const options = maximumMemory ? { maximumMemory } : {};
			const instance = new WebAssembly.Instance(
				await fixture("accept", options),
				{
					wasi_snapshot_preview1: Object.fromEntries(
						WASI.map((name) => [name.split(".")[1], () => 0]),
					),
				},
			);
			const memory = instance.exports.memory as WebAssembly.Memory;
			const grown = memory.buffer.byteLength / 65536;
			expect(() => memory.grow((maximumMemory ?? 256) - grown + 1)).toThrow();
			return grown + memory.grow((maximumMemory ?? 256) - grown);
		};
		expect(await pages()).toBeGreaterThan(0);
		expect(await pages(20)).toBeGreaterThan(0);
	});

	test("touches four pages of 4 KiB while readings are few and short", async () => {
		const guest = tracked(await shipped("overheat"), { env: { LIMIT: "85" } });
		guest.give(HOT.repeat(10)).pump();
		expect(data(guest.out())).toBe(ALERT.repeat(10));
		const memory = Buffer.from(guest.memory.buffer);
		const touched = Array.from({ length: memory.length / 4096 }, (_, page) =>
			memory.subarray(page * 4096, (page + 1) * 4096),
		).filter((page) => page.some((byte) => byte !== 0));
		expect(touched).toHaveLength(4);
	});

	test("with SIMD or for debugging does the same", async () => {
		for (const options of [{ simd: true }, { debug: true }]) {
			const module = await shipped("overheat", options);
			const input = `${HOT.repeat(3)}{"device_id":"a"}\n`;
			const { out, err } = run(module, input);
			expect(out).toBe(ALERT.repeat(3));
			expect(err).toContain("reading 4 rejected: temperature: missing");
		}
	});
});

describe("wasieve build", () => {
	const build = async (...argv: string[]) => {
		let out = "";
		const io = {
			cwd: folder,
			stdout: { write: (text: string) => (out += text) },
		};
		return {
			code: await buildVerb.run(argv, io as unknown as Io),
			out: () => out,
		};
	};

	test("prints size and imports; the seed rule has less than 6,000", async () => {
		const { code, out } = await build(
			`${root}assembly/filters/overheat.ts`,
			"-o",
			"built/",
			"--json",
		);
		expect(code).toBe(0);
		const [told] = JSON.parse(out());
		const bytes = readFileSync(join(folder, "built", "overheat.wasm"));
		expect(told).toMatchObject({ name: "overheat", bytes: bytes.length });
		expect([...told.imports].sort()).toEqual(WASI);
		expect(bytes.length).toBeLessThanOrEqual(6000);
	});

	test("refuses to write two filters to one file, and nothing to do", async () => {
		await expect(build("a/x.ts", "b/x.ts")).rejects.toMatchObject({
			code: "E_USAGE",
			message: expect.stringContaining("x.wasm"),
		});
		await expect(build("-o", "x.wasm")).rejects.toMatchObject({
			code: "E_USAGE",
		});
		await expect(build("x.ts", "--simt")).rejects.toMatchObject({
			code: "E_USAGE",
			message: expect.stringContaining("--simd"),
		});
	});
});

describe("the compiler", () => {
	test("names file, line and column, and says it all at once", async () => {
		const file = write(
			"wrong.ts",
			'import { nothing } from "wasieve/assembly";\n\nlet a: i32 = "x";\n',
		);
		await expect(compileFilter(file)).rejects.toMatchObject({
			code: "E_BUILD",
			message: expect.stringMatching(
				/wrong\.ts:1:10: .*nothing.*\n.*wrong\.ts:3:14: .*i32/,
			),
		});
	});

	test("refuses a filter that takes no reading, whatever else it calls", async () => {
		const file = write(
			"idle.ts",
			'import { param, Reading } from "wasieve/assembly";\nexport const limit = param("LIMIT", 1.0);\nexport function work(r: Reading): void {}\n',
		);
		await expect(compileFilter(file)).rejects.toMatchObject({
			code: "E_BUILD_RUN",
			message: expect.stringContaining("run()"),
		});
		const other = write(
			"go.ts",
			'import { pass, Reading, run as go } from "wasieve/assembly";\ngo((r: Reading): void => pass(r));\n',
		);
		expect((await compileFilter(other)).name).toBe("go");
	});

	test("refuses a filter that calls run() twice, but not one that chooses", async () => {
		const twice = write(
			"twice.ts",
			'import { pass, Reading, run } from "wasieve/assembly";\nrun((r: Reading): void => pass(r));\nrun((r: Reading): void => {});\n',
		);
		await expect(compileFilter(twice)).rejects.toMatchObject({
			code: "E_BUILD_RUN",
			message: expect.stringContaining("more than once"),
		});
		const chosen = write(
			"chosen.ts",
			'import { param, pass, Reading, run } from "wasieve/assembly";\nif (param("ALL", true)) run((r: Reading): void => pass(r));\nelse run((r: Reading): void => {});\n',
		);
		expect((await compileFilter(chosen)).name).toBe("chosen");
	});

	test("a file that is not there, a folder that cannot be", async () => {
		await expect(compileFilter(join(folder, "none.ts"))).rejects.toMatchObject({
			code: "E_FILE_READ",
		});
		const out = join(write("file", ""), "x.wasm");
		await expect(
			compileFilter(`${root}assembly/filters/overheat.ts`, { out }),
		).rejects.toMatchObject({ code: "E_FILE_WRITE" });
	});

	test("files beside the filter can be imported, and a source map written", async () => {
		write("limit.ts", "export const LIMIT: f64 = 50;\n");
		const file = write(
			"two.ts",
			`import { Reading, alert, run } from "wasieve/assembly";
import { LIMIT } from "./limit";
run((r: Reading): void => {
  if (r.f64("temperature") > LIMIT) alert(r, "high_temperature", "temperature");
});\n`,
		);
		const out = join(folder, "deep", "two.wasm");
		await compileFilter(file, { out, debug: true });
		expect(run(new WebAssembly.Module(readFileSync(out)), HOT).out).toBe(ALERT);
		expect(
			JSON.parse(readFileSync(`${out}.map`, "utf8")).sources.length,
		).toBeGreaterThan(3);
		// A map of another module would lie; another's file is left alone.
		await compileFilter(file, { out });
		expect(existsSync(`${out}.map`)).toBe(false);
		writeFileSync(`${out}.map`, "{}");
		await compileFilter(file, { out });
		expect(readFileSync(`${out}.map`, "utf8")).toBe("{}");
	});
});

describe("plain asc", () => {
	const asc = (...options: string[]) => {
		const command = [
			`${root}node_modules/assemblyscript/bin/asc.js`,
			"filter.ts",
			"-o",
			"out.wasm",
			...options,
		];
		const ran = spawnSync(process.execPath, command, { cwd: folder });
		// No warning either: they would be about our files.
		expect([ran.status, String(ran.stderr)]).toEqual([0, ""]);
		return new WebAssembly.Module(readFileSync(join(folder, "out.wasm")));
	};
	mkdirSync(join(folder, "node_modules"));
	symlinkSync(root, join(folder, "node_modules", "wasieve"));
	const source = readFileSync(`${root}assembly/filters/overheat.ts`, "utf8");
	/** As docs/sdk.md says. */
	const OPTIONS = [
		"--exportStart",
		"_start",
		"--use",
		"abort=wasieve_abort",
		"--maximumMemory",
		"256",
		"-O3",
		"--noAssert",
	];

	test("makes a WASI command of the same source", () => {
		write("filter.ts", source);
		const module = asc(...OPTIONS);
		const names = WebAssembly.Module.imports(module).map(
			(each) => `${each.module}.${each.name}`,
		);
		expect(WASI).toEqual(expect.arrayContaining(names));
		expect(run(module, HOT).out).toBe(ALERT);
		expect(run(module, HOT, { env: { LIMIT: "99" } }).out).toBe("");
	});

	test("with the package's asconfig.json needs no options", () => {
		write("filter.ts", source);
		write(
			"asconfig.json",
			'{ "extends": "./node_modules/wasieve/asconfig.json" }',
		);
		expect(run(asc(), HOT).out).toBe(ALERT);
		rmSync(join(folder, "asconfig.json"));
	});

	test("with a line that exports pump makes one for the embedded engine", async () => {
		const file = write(
			"filter.ts",
			`${source}export { pump } from "wasieve/assembly";\n`,
		);
		const guest = new Guest(asc(...OPTIONS)).give(HELLO).start();
		guest.out();
		expect(guest.give(HOT).pump().out()).toContain(ALERT);
		const { bytes } = await compileFilter(file);
		expect(run(new WebAssembly.Module(bytes as BufferSource), HOT).out).toBe(
			ALERT,
		);
	});
});

describe("memory", () => {
	test("stays flat under strings, 24 MB of readings", async () => {
		await flat(await fixture("strings"), 24);
	});

	test("does not grow at all without them", async () => {
		const guest = new Guest(await fixture("accept"))
			.give(HOT.repeat(100000))
			.endInput();
		const before = guest.memory.buffer.byteLength;
		guest.start();
		expect(guest.out()).toBe(HOT.repeat(100000));
		expect(guest.memory.buffer.byteLength).toBe(before);
	});
});
