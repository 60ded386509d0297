import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
	afterAll,
	beforeAll,
	describe,
	expect,
	onTestFinished,
	test,
} from "vitest";
import { folder, MAIN, type Ran, ROOT, wasieve } from "../cli/child.js";
import { assemble, fixture, fixtures } from "./wat.js";

const READING =
	'{"device_id":"press-1","temperature":91.2,"timestamp":1700000000000}\n';

/** A fixture as a file. */
async function file(name: string): Promise<string> {
	const path = join(folder(), `${name.replace("/", "-")}.wasm`);
	writeFileSync(path, await fixture(name));
	return path;
}

async function exec(name: string, args: string[] = [], input = "") {
	return wasieve(["exec", await file(name), ...args], { input });
}

describe("parameters", () => {
	test("that the module says it has not are told, and it runs", async () => {
		const module = join(ROOT, "build/overheat.wasm");
		const input = '{"temperature":99,"humidity":1}\n';
		const ran = await wasieve(["exec", module, "--param", "LIMTI=9"], {
			input,
		});
		expect(ran.code).toBe(0);
		expect(ran.stdout).toContain('"value":99');
		expect(ran.stderr).toBe(
			'wasieve: --param LIMTI: the filter has no parameter "LIMTI", did you mean "LIMIT"? (it has LIMIT)\n',
		);
	});
});

describe("what goes in and out", () => {
	test("stdin to stdout, byte for byte", async () => {
		const input = `${READING}{\n\x1e\x00ä\r\n${"x".repeat(300_000)}`;
		const { stdout, code, stderr } = await exec("cat", [], input);
		expect(stdout).toBe(input);
		expect([code, stderr]).toEqual([0, ""]);
	});

	test("an output leaves before the next reading is sent", async () => {
		const child = run(await file("upper"));
		const lines = createInterface(child.stdout);
		for (const text of ["a", "b", "c"]) {
			child.stdin.write(`${text}\n`);
			expect(await once(lines, "line")).toEqual([text.toUpperCase()]);
		}
		child.stdin.end();
		expect(await once(child, "close")).toEqual([0, null]);
	});

	test("arguments, parameters, and the same random numbers in each run", async () => {
		const args = ["one", "--param", "LIMIT=85", "--param", "A=b=c", "--", "-x"];
		const first = await exec("environment", args);
		expect(first.stdout.split("\n").slice(0, 5)).toEqual([
			"environment.wasm",
			"one",
			"-x",
			"LIMIT=85",
			"A=b=c",
		]);
		expect((await exec("environment", args)).stdout).toBe(first.stdout);
		const real = await exec("environment", ["--real-time", ...args]);
		expect(real.stdout.split("\n")[4]).toBe("A=b=c");
		expect(real.stdout).not.toBe(first.stdout);
	});

	test("a program that imports all of preview 1 gets an answer to every call", async () => {
		const { stdout, code } = await exec("runtimes", [], "a\nb\n");
		const answers = stdout.trimEnd().split("\n");
		const errnos = Object.fromEntries(answers.map((line) => line.split(" ")));
		expect(code).toBe(0);
		expect(answers.length).toBe(44);
		expect(errnos).toMatchObject({
			args_get: "00",
			clock_time_get: "00",
			fd_fdstat_get: "00",
			poll_oneoff: "00",
			random_get: "00",
			fd_prestat_get: "08",
			fd_readdir: "08",
			path_open: "76",
			sock_accept: "08",
			sock_send: "57",
			proc_raise: "52",
		});
	});

	test("an hour's sleep takes none unless time is real", async () => {
		expect((await exec("sleeper", [], "a\n")).stdout).toBe("60\n");
		const real = await exec(
			"sleeper",
			["--real-time", "--time", "200ms"],
			"a\n",
		);
		expect([real.code, real.stdout]).toEqual([124, ""]);
		expect(real.stderr).toMatch(/^wasieve: E_GUEST_TIME: .*\n$/);
	});

	test("nobody reads its output any more: it ends, quietly", async () => {
		const child = run(await file("hostile/flood-stdout"), ["--output", "1GiB"]);
		let said = "";
		child.stderr.on("data", (bytes) => {
			said += bytes;
		});
		await once(child.stdout, "data");
		child.stdout.destroy();
		expect(await once(child, "close")).toEqual([141, null]);
		expect(said).toBe("");
	});

	test("a stdin that somebody made non-blocking is waited for", async () => {
		// The first node makes the pipe non-blocking and dies before it can put that right.
		const spoil =
			'process.stdin.resume(); process.kill(process.pid, "SIGKILL")';
		const child = spawn(
			"/bin/sh",
			[
				"-c",
				'"$0" -e "$1"; exec "$0" "$2" exec "$3"',
				process.execPath,
				spoil,
			].concat(MAIN, await file("upper")),
			{ stdio: "pipe" },
		);
		onTestFinished(() => void child.kill("SIGKILL"));
		const lines = createInterface(child.stdout);
		const ready = once(lines, "line");
		child.stdin.write("a\n");
		expect(await ready).toEqual(["A"]);
		child.stdin.write("b\n");
		expect(await once(lines, "line")).toEqual(["B"]);
		child.stdin.end();
		expect((await once(child, "close"))[0]).toBe(0);
	});
});

describe("how it ends", () => {
	test("with the guest's exit code", async () => {
		for (const code of [0, 1, 9]) {
			const ended = await exec("exit", [], `${code}`);
			expect(ended).toMatchObject({ code, stdout: "", stderr: "" });
		}
		expect((await exec("hostile/exit-large")).code).toBe(255);
		expect((await exec("hostile/start-exit")).code).toBe(7);
	});

	test("what was written before a trap is out", async () => {
		const { code, stdout, stderr } = await exec("contract", [], "e1\nt\n");
		expect([code, stdout]).toEqual([134, "e1\ndoomed\n"]);
		expect(stderr).toMatch(/^wasieve: E_GUEST_TRAP: .*unreachable.*\n$/);
	});

	test("an endless loop ends on the same unit of fuel, or when its time is up", async () => {
		const fuel = await exec("contract", ["--fuel", "1M"], "e1\nl\n");
		expect([fuel.code, fuel.stdout]).toEqual([124, "e1\n"]);
		expect(fuel.stderr).toMatch(/^wasieve: E_GUEST_FUEL: .*--fuel.*\n$/);
		const time = ["--fuel", "2G", "--time", "500ms"];
		const late = await exec("contract", time, "e1\nl\n");
		expect([late.code, late.stdout]).toEqual([124, "e1\n"]);
		expect(late.stderr).toMatch(/^wasieve: E_GUEST_TIME: .*--time.*\n$/);
	});

	test("a chunk of many lines brings fuel for each of them", async () => {
		// 1.3 M units a line, as calls through a table cost 64 each; 3,000 lines are twice a full tank.
		const costly = await assemble(`(module
			(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 2)
			(table funcref (elem $nop))
			(data (i32.const 0) "\\10\\00\\00\\00\\00\\00\\01\\00")
			(func $nop)
			(func (export "_start") (local $left i32)
				(loop $next
					(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
					(if (i32.eqz (i32.load (i32.const 8))) (then (return)))
					(local.set $left (i32.mul (i32.const 10000) (i32.load (i32.const 8))))
					(loop $work
						(call_indirect (i32.const 0))
						(br_if $work (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
					(br $next))))`);
		const path = join(folder(), "costly.wasm");
		writeFileSync(path, costly);
		const run = (fuel: string) =>
			wasieve(["exec", path, "--fuel", fuel], { input: "\n".repeat(3000) });
		expect(await run("1500k")).toMatchObject({ code: 0, stderr: "" });
		expect(await run("100k")).toMatchObject({ code: 124 });
	});

	test("a flood ends at the limit of output; what is copied is no flood", async () => {
		const flood = await exec("contract", ["--output", "64KiB"], "e1\nf\n");
		expect(flood.code).toBe(124);
		expect(flood.stdout.length).toBeLessThan(140_000);
		expect(flood.stderr).toMatch(/^wasieve: E_GUEST_OUTPUT: .*--output.*\n$/);
		const copied = `${"x".repeat(200_000)}\n`;
		const copy = await exec("cat", ["--output", "1KiB"], copied);
		expect(copy).toMatchObject({ code: 0, stdout: copied });
	});

	test("time is not counted while it waits for input", async () => {
		const child = run(await file("upper"), ["--time", "500ms"]);
		const lines = createInterface(child.stdout);
		for (const text of ["a", "b"]) {
			child.stdin.write(`${text}\n`);
			expect(await once(lines, "line")).toEqual([text.toUpperCase()]);
			// More than the limit passes, by the clock of another process.
			await once(spawn("sleep", ["0.7"]), "close");
		}
		child.stdin.end();
		expect((await once(child, "close"))[0]).toBe(0);
	});

	test("a module that cannot be metered runs under a time limit", async () => {
		const fine = await exec("unmeterable", [], READING);
		expect(fine).toMatchObject({ code: 0, stdout: READING, stderr: "" });
		const loops = await exec("unmeterable", ["--time", "100ms"], "l\n");
		expect(loops.code).toBe(124);
		expect(loops.stderr).toMatch(/E_GUEST_TIME/);
	});

	test("--memory is what it may have", async () => {
		const pages = async (memory: string) =>
			(await exec("hostile/memory-grow", ["--memory", memory])).stdout;
		expect(await pages("1MiB")).toBe("0016\n");
		expect(await pages("16MiB")).toBe("0256\n");
		expect((await exec("cat", ["--memory", "64KiB"])).stderr).toMatch(
			/^wasieve: E_MODULE_MEMORY: .*--memory.*\n$/,
		);
	});

	test("refused: no file, not a module, cut short, an import", async () => {
		const dir = folder();
		const bytes = await fixture("cat");
		writeFileSync(join(dir, "empty.wasm"), "");
		writeFileSync(join(dir, "text.wasm"), "hello");
		writeFileSync(join(dir, "short.wasm"), bytes.subarray(0, 150));
		const expected = {
			"none.wasm": "E_MODULE_READ",
			"empty.wasm": "E_MODULE_MAGIC",
			"text.wasm": "E_MODULE_MAGIC",
			"short.wasm": "E_MODULE_MALFORMED",
		};
		for (const [name, error] of Object.entries(expected)) {
			const ended = await wasieve(["exec", join(dir, name)]);
			expect([name, ended.code]).toEqual([name, 125]);
			expect(ended.stderr).toMatch(new RegExp(`^wasieve: ${error}: .*\n$`));
		}
		expect((await exec("hostile/import-proto")).code).toBe(125);
	});

	test.each([
		[["exec"], /MODULE is missing/],
		[["exec", "a.wasm", "--memory", "lots"], /--memory 'lots' is not a size/],
		[["exec", "a.wasm", "--time", "0"], /more than 0/],
		[["exec", "a.wasm", "--param", "LIMIT"], /not of the form K=V/],
		[["exec", "a.wasm", "--fule", "1"], /did you mean --fuel/],
	])("wrong command line: %s", async (args, why) => {
		const { code, stderr } = await wasieve(args);
		expect(code).toBe(2);
		expect(stderr).toMatch(why);
	});
});

describe("every hostile module", () => {
	const names = fixtures("hostile");
	const ends = new Map<string, Ran>();
	const dir = mkdtempSync(join(tmpdir(), "wasieve-test-"));

	afterAll(() => rmSync(dir, { recursive: true, force: true }));

	beforeAll(async () => {
		// Two at a time: each is a process of its own.
		const left = [...names];
		const next = async (): Promise<void> => {
			const name = left.pop();
			if (name === undefined) return;
			const path = join(dir, `${name.replace("/", "-")}.wasm`);
			writeFileSync(path, await fixture(name));
			const limits = ["--fuel", "100k", "--output", "10KiB"];
			ends.set(
				name,
				await wasieve(["exec", path, ...limits], { input: "a\n" }),
			);
			return next();
		};
		await Promise.all([next(), next()]);
	});

	test.each(names)(
		"%s ends with a documented code and at most one line",
		(name) => {
			const { code, signal, stderr } = ends.get(name) as Ran;
			expect(signal).toBeNull();
			if (name.endsWith("flood-stderr")) {
				expect(code).toBe(124);
				return;
			}
			expect(stderr).toMatch(/^(wasieve: E_[A-Z_]+: .*\n)?$/);
			expect(stderr === "").toBe(![124, 125, 134].includes(code as number));
		},
	);
});

function run(path: string, args: string[] = []) {
	const child = spawn(process.execPath, [MAIN, "exec", path, ...args], {
		stdio: "pipe",
	});
	onTestFinished(() => void child.kill("SIGKILL"));
	return child;
}
