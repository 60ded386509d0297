import { existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { finish, folder, inPlace, MAIN, ROOT, wasieve } from "./child.js";

/** `wasieve ARGS` in a shell, which redirects as `how` says. */
function shell(args: string, how: string, env: object = {}) {
	return finish(
		["sh", "-c", `'${process.execPath}' '${MAIN}' ${args} ${how}`],
		{
			cwd: ROOT,
			env: { ...process.env, ...env },
		},
	);
}

const hasFull = existsSync("/dev/full");
if (!hasFull) console.warn("skipped: there is no /dev/full here");

describe.skipIf(!hasFull)("an answer that is lost is no success", () => {
	it.each([
		"check build/overheat.wasm --json",
		"--help",
		"--version",
		"exec --help",
		"doctor --json",
	])("%s on a full disk", async (args) => {
		const ran = await shell(args, "> /dev/full");
		expect(ran.code).toBe(1);
		expect(ran.stderr).toMatch(/^error E_FILE_WRITE: standard output .*ENOSPC/);
	});
});

const hasProc = existsSync("/proc/self");
if (!hasProc) console.warn("skipped: there is no /proc here");

describe.skipIf(!hasProc)("where no folder can be made", () => {
	it.each([
		["new", "/proc/wasieve-x"],
		["new", "/proc/wasieve-x/y"],
		["pack", "build/overheat.wasm", "-t", "x:1", "-o", "/proc/wasieve-x/y.tar"],
		["build", "assembly/filters/overheat.ts", "-o", "/proc/wasieve-x/y.wasm"],
	])("%s %s %s %s %s ends", async (...args) => {
		const env = { WASIEVE_STORE: folder() };
		const ran = await wasieve(args.filter(Boolean), { env });
		expect(ran.code).toBe(1);
		expect(ran.stderr).toMatch(/^error E_FILE_WRITE: \/proc\/wasieve-x/);
	});

	it("build into what cannot be looked at ends", async () => {
		const dir = folder();
		symlinkSync("ring", join(dir, "ring"));
		const ran = await wasieve([
			...["build", "assembly/filters/overheat.ts"],
			...["-o", join(dir, "ring/x.wasm")],
		]);
		expect(ran.code).toBe(1);
		expect(ran.stderr).toMatch(/^error E_FILE_WRITE: .*ELOOP/);
	});

	it("run with a file there says so", async () => {
		const dir = folder();
		const file = "/proc/wasieve-x/y.ndjson";
		writeFileSync(
			join(dir, "gateway.yaml"),
			`pipelines: { a: { from: stdin, filter: { module: ${ROOT}build/overheat.wasm }, to: { file: ${file} } } }\n`,
		);
		const ran = await wasieve(["run", join(dir, "gateway.yaml")]);
		expect(ran.code).toBe(1);
		expect(ran.stderr).toContain("E_FILE_WRITE");
	});
});

test("a demo that nobody watches leaves nothing behind", async () => {
	const TMPDIR = folder();
	const ran = await shell("demo --rate 0", "| true", { TMPDIR });
	expect(ran.stderr).toBe("");
	expect(readdirSync(TMPDIR)).toEqual([]);
});

describe("values that look like options", () => {
	it.each([
		[["check", "x", "--memory", "-1"], "--memory", "--memory=-1"],
		[["demo", "--rate", "-5"], "--rate", "--rate=-5"],
		[["exec", "x", "--param", "-A=1"], "--param", "--param=-A=1"],
	])("%j", async (args, option, how) => {
		const { code, stderr } = await inPlace(args, folder());
		expect(code).toBe(2);
		expect(stderr).toContain(
			`${option} needs a value; one that begins with a dash is written ${how}`,
		);
	});
});

test("new says how to go into a folder with a space in its name", async () => {
	const { stdout } = await inPlace(["new", "it's mine"], folder());
	expect(stdout).toContain(`next: cd 'it'\\''s mine' && npm install`);
});

test("an engine without a name is a mistake on the command line", async () => {
	const args = ["exec", join(ROOT, "build/overheat.wasm"), "--engine", " "];
	const { code, stderr } = await inPlace(args, folder());
	expect(code).toBe(2);
	expect(stderr).toContain("E_USAGE");
});

describe("a folder that somebody removed", () => {
	const inside = (args: string) =>
		finish(
			[
				"sh",
				"-c",
				`mkdir lost && cd lost && rmdir ../lost && exec '${process.execPath}' '${MAIN}' ${args}`,
			],
			{ cwd: folder() },
		);

	it("is no reason not to tell the version", async () => {
		expect(await inside("--version")).toMatchObject({ code: 0, stderr: "" });
	});

	it("is named", async () => {
		const ran = await inside("check x.yaml");
		expect(ran.code).toBe(1);
		expect(ran.stderr).toBe(
			"error E_FILE_READ: the current folder is not there any more\n  hint: cd to a folder that is\n",
		);
	});
});
