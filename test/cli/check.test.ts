import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, inPlace, ROOT, wasieve } from "./child.js";

const OVERHEAT = join(ROOT, "build/overheat.wasm");
/** A module of nothing. */
const EMPTY = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

function file(name: string, content: string | Buffer): string {
	const path = join(folder(), name);
	writeFileSync(path, content);
	return path;
}

describe("wasieve check MODULE", () => {
	it("says what a shipped filter is and may do", async () => {
		const ran = await wasieve(["check", "build/overheat.wasm"]);
		expect(ran).toMatchObject({ code: 0, stderr: "" });
		for (const word of [
			"fd_read",
			"fd_write",
			"environ_get",
			"pump",
			"_start",
			"LIMIT=85",
		])
			expect(ran.stdout).toContain(word);
	});

	it("--json says it to a machine", async () => {
		const ran = await wasieve(["check", "--json", OVERHEAT]);
		expect(ran.code).toBe(0);
		expect(JSON.parse(ran.stdout)).toMatchObject({
			ok: true,
			kind: "module",
			module: { kind: "sdk", inline: true },
		});
	});

	it("knows a module by its content, whatever its name", async () => {
		const ran = await wasieve(["check", "--json", file("gateway.yaml", EMPTY)]);
		expect(ran.code).toBe(3);
		expect(JSON.parse(ran.stdout)).toMatchObject({
			ok: false,
			errors: [{ code: "E_MODULE_EXPORT" }],
		});
	});

	it.each([
		["empty", Buffer.alloc(0), "E_MODULE_MAGIC"],
		["text", "pipelines: {}", "E_MODULE_MAGIC"],
		[
			"another version",
			Buffer.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]),
			"E_MODULE_MAGIC",
		],
		[
			"cut off",
			Buffer.concat([EMPTY, Buffer.from([1, 20, 1])]),
			"E_MODULE_MALFORMED",
		],
		["without _start", EMPTY, "E_MODULE_EXPORT"],
	])("refuses a module that is %s", async (_, content, code) => {
		const ran = await wasieve(["check", file("x.wasm", content)]);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		expect(ran.stderr).toMatch(new RegExp(`^error ${code}: .*\\n {2}hint: `));
		expect(ran.stderr).not.toMatch(/\n\s+at /);
	});
});

const BROKEN = `broker: mqtt://127.0.0.1:1883
pipelines:
  a:
    from: { topic: plant/+/press/#/x, qos: 1 }
    filter: { module: missing.wasm }
    to: { topic: "alerts/{1}", qos: 7 }
    onEror: drop
`;

describe("wasieve check CONFIG", () => {
	it("tells every mistake at once, with its line", async () => {
		const path = file("gateway.yaml", BROKEN);
		const ran = await wasieve(["check", path]);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		for (const [line, code] of [
			[4, "E_CONFIG_TOPIC"],
			[5, "E_CONFIG_MODULE"],
			[6, "E_CONFIG_VALUE"],
			[7, "E_CONFIG_KEY"],
		])
			expect(ran.stderr).toMatch(
				new RegExp(`^error ${code}: ${path}:${line}:\\d+ .*\\n {2}hint: `, "m"),
			);
		expect(ran.stderr).toContain("onError");
	});

	it("--json tells them to a machine", async () => {
		const ran = await wasieve([
			"check",
			file("gateway.yaml", BROKEN),
			"--json",
		]);
		expect(ran).toMatchObject({ code: 3, stderr: "" });
		const { ok, errors } = JSON.parse(ran.stdout);
		expect(ok).toBe(false);
		expect(errors.map(({ line }: { line: number }) => line).sort()).toEqual([
			4, 5, 6, 7,
		]);
		for (const error of errors)
			expect(error).toEqual({
				code: expect.stringMatching(/^E_CONFIG_/),
				message: expect.any(String),
				hint: expect.any(String),
				line: expect.any(Number),
				column: expect.any(Number),
				key: expect.stringMatching(/^pipelines\.a\./),
			});
	});

	it("looks into the modules that a config names", async () => {
		const dir = folder();
		writeFileSync(join(dir, "x.wasm"), "not a module");
		const config =
			"pipelines: { a: { from: stdin, filter: { module: x.wasm }, to: stdout } }\n";
		writeFileSync(join(dir, "gateway.yaml"), config);
		const ran = await wasieve(["check", "gateway.yaml"], { cwd: dir });
		expect(ran.code).toBe(3);
		expect(ran.stderr).toMatch(/^error E_CONFIG_MODULE: /);
	});

	it.each(["demo.yaml", "gateway.yaml", "office.yaml"])(
		"finds nothing wrong with examples/%s",
		async (name) => {
			const ran = await wasieve(["check", `examples/${name}`], {
				env: { MQTT_BROKER: "" },
			});
			expect(ran.code, ran.stderr).toBe(0);
			expect(ran.stdout).toMatch(
				/ is a config without mistakes\n {2}overheat: /,
			);
		},
	);

	it("finds nothing wrong with the gateway file of a new project", async () => {
		const cwd = folder();
		await wasieve(["new", "x"], { cwd });
		const ran = await wasieve(["check", "x/gateway.yaml"], { cwd });
		expect(ran.stderr.match(/^error (\S+)/gm)).toEqual([
			"error E_CONFIG_MODULE:",
		]); // not built yet
	});

	it.each([
		["an empty file", "", /^error E_CONFIG/],
		["binary rubbish", Buffer.from([0xff, 0, 0xfe, 7]), /^error E_CONFIG/],
		["unbalanced YAML", "a: [", /^error E_CONFIG_YAML/],
		["a list", "- a\n- b\n", /^error E_CONFIG/],
	])("refuses %s", async (_, content, message) => {
		const ran = await wasieve(["check", file("gateway.yaml", content)]);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		expect(ran.stderr).toMatch(message);
		expect(ran.stderr).not.toMatch(/\n\s+at /);
	});
});

describe("wasieve check", () => {
	it.each([
		["missing.yaml", "E_CONFIG_READ"],
		["missing.wasm", "E_MODULE_READ"],
		[".", "E_CONFIG_READ"],
	])("says that %s cannot be read", async (path, code) => {
		const ran = await wasieve(["check", path]);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		expect(ran.stderr).toMatch(
			new RegExp(`^error ${code}: .* \\((E[A-Z]+|a folder)\\)\\n {2}hint: `),
		);
	});

	it.each([[[]], [["a", "b"]]])("refuses %j", async (args) => {
		expect((await wasieve(["check", ...args])).code).toBe(2);
	});
});

it.each([
	["filter.ts", "run((r) => {});", "source code", "wasieve build"],
	["package.json", '{"name":"x"}', "JSON without pipelines", "gateway's file"],
	["image.tar", "", "an archive", "wasieve inspect"],
])(
	"wasieve check %s says what that is, in one error",
	async (name, text, what, hint) => {
		const cwd = folder();
		writeFileSync(join(cwd, name), text);
		const { code, stderr } = await wasieve(["check", name], { cwd });
		expect(code).toBe(3);
		expect(stderr).toMatch(/^error E_CONFIG_READ: .*\n {2}hint: .*\n$/);
		expect(stderr).toContain(`${name} is ${what}, `);
		expect(stderr).toContain(hint);
	},
);

describe("what a config names", () => {
	/** A config of one pipeline beside a module. */
	function outside(
		parts: {
			from?: string;
			engine?: string;
			to?: string;
			top?: string;
			module?: string;
		} = {},
	): { cwd: string; check: (...args: string[]) => ReturnType<typeof inPlace> } {
		const {
			from = "stdin",
			engine = "embedded",
			to = "stdout",
			top = "",
			module = OVERHEAT,
		} = parts;
		const cwd = folder();
		writeFileSync(
			join(cwd, "gateway.yaml"),
			`${top}
pipelines:
  a:
    from: ${from}
    filter:
      module: ${module}
      engine: ${engine}
    to: ${to}
`,
		);
		const env = { PATH: join(cwd, "bin"), HOME: cwd };
		return {
			cwd,
			check: (...args) => inPlace(["check", "gateway.yaml", ...args], cwd, env),
		};
	}

	function program(cwd: string, name: string, script: string): void {
		mkdirSync(join(cwd, "bin"), { recursive: true });
		writeFileSync(join(cwd, "bin", name), `#!/bin/sh\n${script}\n`, {
			mode: 0o755,
		});
	}

	it("all that is wrong with it is told at once, with line and key", async () => {
		const { cwd, check } = outside({
			top: "quarantine: { dir: gateway.yaml/q }",
			from: "{ file: [gateway.yaml, gone.ndjson, .] }",
			engine: "wazero",
			to: "{ file: gateway.yaml/out }",
		});
		const { code, stderr, stdout } = await check();
		expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
		const told = stderr
			.replaceAll(`${cwd}/`, "")
			.replaceAll(cwd, "CWD")
			.match(/^error .*$/gm);
		expect(told).toEqual([
			"error E_FILE_WRITE: gateway.yaml:1:20 quarantine.dir: gateway.yaml is not a folder",
			"error E_FILE_READ: gateway.yaml:4:34 pipelines.a.from.file[1]: the file gone.ndjson cannot be read (ENOENT)",
			"error E_FILE_READ: gateway.yaml:4:47 pipelines.a.from.file[2]: the file CWD cannot be read (EISDIR)",
			"error E_ENGINE_MISSING: gateway.yaml:7:15 pipelines.a.filter.engine: the engine wazero is not on PATH",
			"error E_FILE_WRITE: gateway.yaml:8:17 pipelines.a.to.file: gateway.yaml is not a folder",
		]);
		const { errors } = JSON.parse((await check("--json")).stdout);
		expect(errors).toHaveLength(5);
		expect(errors[3]).toMatchObject({
			code: "E_ENGINE_MISSING",
			line: 7,
			key: "pipelines.a.filter.engine",
			hint: expect.stringContaining("go install"),
		});
	});

	it("an engine that is too old, or asked in vain", async () => {
		const old = outside({ engine: "wasmtime" });
		program(old.cwd, "wasmtime", "echo wasmtime 9.0.1");
		expect((await old.check()).stderr).toMatch(
			/^error E_ENGINE_VERSION: .*:7:15 .*wasmtime is version 9\.0\.1; \S+ is the oldest/,
		);
		const mute = outside({ engine: "wasmtime" });
		program(mute.cwd, "wasmtime", "exit 0");
		expect((await mute.check()).stderr).toMatch(
			/^error E_ENGINE_VERSION: .* says "" when/,
		);
	});

	it("an engine with known flaws is usable", async () => {
		const { cwd, check } = outside({ engine: "wasmtime" });
		program(cwd, "wasmtime", "echo wasmtime 41.0.0");
		const ran = await check();
		expect(ran.code).toBe(0);
		expect(ran.stdout).toContain("is a config without mistakes");
		expect(ran.stderr).toMatch(
			/^warning E_ENGINE_VERSION: .*gateway\.yaml:7:15 pipelines\.a\.filter\.engine: wasmtime 41\.0\.0 works, and is known for this: .*\(\w+-[\w-]+\).*\n {2}hint: install a newer version\n$/,
		);
		const { ok, warnings } = JSON.parse((await check("--json")).stdout);
		expect(ok).toBe(true);
		expect(warnings).toEqual([
			{
				code: "E_ENGINE_VERSION",
				message: expect.any(String),
				hint: expect.any(String),
				line: 7,
				column: 15,
				key: "pipelines.a.filter.engine",
			},
		]);
	});

	it("a container's engine is looked for and not asked", async () => {
		const { cwd, check } = outside({ engine: "{ docker: plant/a }" });
		expect((await check()).stderr).toMatch(/^error E_ENGINE_MISSING: .*:7:15 /);
		program(cwd, "docker", "exec sleep 60");
		expect(await check()).toMatchObject({ code: 0, stderr: "" });
	});

	it("an image that is not here yet is a warning, and is not pulled", async () => {
		const { cwd, check } = outside({
			module: "oci://127.0.0.1:1/line/overheat:1.2",
		});
		const ran = await check();
		expect(ran.code).toBe(0);
		expect(ran.stderr).toMatch(
			/^warning E_IMAGE_MISSING: .*gateway\.yaml:6:15 pipelines\.a\.filter\.module: the image is not in .*images yet: .*\n {2}hint: wasieve pull oci:\S+ --store \S+images pulls it now\n$/,
		);
		expect(readdirSync(cwd)).toEqual(["gateway.yaml"]);
		const wrong = await outside({ module: "oci://127.0.0.1:1/UP:1.2" }).check();
		expect(wrong.code).toBe(3);
		expect(wrong.stderr.match(/^(error|warning) \w+/gm)).toEqual([
			"error E_CONFIG_MODULE",
		]);
	});

	it("warnings are told beside errors too", async () => {
		const { check } = outside({
			module: "oci://127.0.0.1:1/line/overheat:1.2",
			from: "{ file: gone }",
		});
		const { ok, errors, warnings } = JSON.parse((await check("--json")).stdout);
		expect(ok).toBe(false);
		expect([errors.length, warnings.length]).toEqual([1, 1]);
	});

	it.skipIf(process.platform !== "linux")(
		"a file in /proc cannot be made, by root either",
		async () => {
			const { check } = outside({ to: "{ file: /proc/x/y }" });
			const { code, stderr } = await check();
			expect(code).toBe(3);
			expect(stderr).toMatch(
				/^error E_FILE_WRITE: .*:\d+ pipelines.a.to.file: /,
			);
		},
	);

	it("nothing is made", async () => {
		const { cwd, check } = outside({ to: "{ file: out/a/b.ndjson }" });
		expect(await check()).toMatchObject({ code: 0, stderr: "" });
		expect(readdirSync(cwd)).toEqual(["gateway.yaml"]);
	});
});
