import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	readdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { finish, folder, MAIN, ROOT, wasieve } from "../cli/child.js";
import { FOLDERS, isThere } from "./engines.js";
import { fixture } from "./wat.js";

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const NODE = `${process.execPath} ${beside("node-runtime.mjs")} {module} {param}`;
const OVERHEAT = join(ROOT, "build/overheat.wasm");
const READING =
	'{"device_id":"press-1","temperature":91.2,"humidity":4,"timestamp":1}';
const ALERT =
	'{"device_id":"press-1","alert_type":"high_temperature","value":91.2,"timestamp":1}';
const OFFICE = readFileSync(join(ROOT, "examples/office-climate.ndjson"));

/** A fixture as a file. */
async function file(name: string): Promise<string> {
	const path = join(folder(), `${name.replace("/", "-")}.wasm`);
	writeFileSync(path, await fixture(name));
	return path;
}

interface Given {
	engine?: string;
	args?: string[];
	env?: Record<string, string>;
}

async function exec(
	module: string,
	input: string | Buffer,
	{ engine = NODE, args = [], env = {} }: Given = {},
) {
	const path = module.endsWith(".wasm") ? module : await file(module);
	const words = ["exec", path, "--engine", engine, ...args];
	const engines = { WASIEVE_ENGINES: FOLDERS.join(":"), ...env };
	return wasieve(words, { input, env: engines });
}

const real = ["wazero", "wasmtime"].filter(isThere);
if (real.length < 2)
	console.warn(`skipped: engines that are not there (${real} are)`);

describe.each([NODE, ...real])("%s", (engine) => {
	test("does as the embedded engine, and ends with the guest's exit code", async () => {
		const given = { engine, args: ["--param", "LIMIT=23"] };
		const other = await exec(OVERHEAT, OFFICE, given);
		const here = await exec(OVERHEAT, OFFICE, { ...given, engine: "embedded" });
		expect(here.stdout.length).toBeGreaterThan(1000);
		expect(other).toEqual(here);
		const left = await exec("contract", "e1\nx\ne2\n", { engine });
		expect(left).toMatchObject({ code: 3, stdout: "e1\ndoomed\n" });
	});

	test("tells a trap, and what was written before it is out", async () => {
		const { code, stdout, stderr } = await exec("contract", "e1\nt\n", {
			engine,
		});
		expect([code, stdout]).toEqual([134, "e1\ndoomed\n"]);
		expect(stderr).toMatch(/\nwasieve: E_GUEST_TRAP: .*unreachable.*\n$/);
	});
});

const COMMANDS: [string, string[]][] = [
	["wazero", ["run", "-env=LIMIT=23"]],
	["wasmtime", ["run", "--env", "LIMIT=23"]],
];
test.each(COMMANDS.filter(([name]) => isThere(name)))(
	"%s runs a filter with nothing of ours",
	async (name, args) => {
		const program = FOLDERS.map((dir) => join(dir, name)).find(existsSync);
		const ran = await finish([program ?? name, ...args, OVERHEAT], {}, OFFICE);
		const here = ["--param", "LIMIT=23"];
		expect(ran).toEqual(
			await exec(OVERHEAT, OFFICE, { engine: "embedded", args: here }),
		);
	},
);

test("an output leaves before the next reading is sent", async () => {
	const child = spawn(
		process.execPath,
		[MAIN, "exec", await file("upper"), "--engine", NODE],
		{ stdio: "pipe" },
	);
	onTestFinished(() => void child.kill("SIGKILL"));
	const lines = createInterface(child.stdout);
	for (const text of ["a", "b", "c"]) {
		child.stdin.write(`${text}\n`);
		expect(await once(lines, "line")).toEqual([text.toUpperCase()]);
	}
	child.stdin.end();
	expect(await once(child, "close")).toEqual([0, null]);
});

test("stdin to stdout, byte for byte, however long", async () => {
	const input = `${READING}{\n\x1e\x00ä\r\n${"x".repeat(300_000)}`;
	const ran = await exec("cat", input, { args: ["--output", "1KiB"] });
	expect(ran).toMatchObject({ code: 0, stdout: input, stderr: "" });
});

test.each([
	["l", "E_GUEST_TIME", ["--time", "300ms"]],
	["f", "E_GUEST_OUTPUT", ["--output", "64KiB"]],
])("ends at a limit: %s", async (line, error, args) => {
	const { code, stdout, stderr } = await exec("contract", `e1\n${line}\n`, {
		args,
	});
	expect(code).toBe(124);
	expect(stdout).toMatch(/^(e1\n)?(noise.*\n)*$/);
	expect(stderr).toMatch(new RegExp(`^wasieve: ${error}: .*--.*\n$`));
});

test("a limit of weeks is none that a timer runs out of at once", async () => {
	const ran = await exec(OVERHEAT, `${READING}\n`, { args: ["--time", "24d"] });
	expect(ran).toMatchObject({ code: 0, stderr: "" });
});

test("a command gets parameters as they are written", async () => {
	const echo = `${process.execPath} -p process.argv[1] {param} {module}`;
	const args = ["--param", "A=$&$$"];
	const { stdout } = await exec("cat", "", { engine: echo, args });
	expect(stdout).toBe("A=$&$$\n");
});

test("a parameter that the filter has not is told", async () => {
	const args = ["--param", "limit=5"];
	const { stderr } = await exec(OVERHEAT, `${READING}\n`, { args });
	expect(stderr).toBe(
		'wasieve: --param limit: the filter has no parameter "limit", did you mean "LIMIT"? (it has LIMIT)\n',
	);
});

test("--memory is what it may have", async () => {
	const { stdout } = await exec("hostile/memory-grow", "", {
		args: ["--memory", "1MiB"],
	});
	expect(stdout).toBe("0016\n");
});

test("nobody reads its output any more: it ends, quietly, and leaves nothing", async () => {
	const tmp = folder();
	const child = spawn(
		process.execPath,
		[MAIN, "exec", await file("cat"), "--engine", NODE],
		{ stdio: "pipe", env: { ...process.env, TMPDIR: tmp } },
	);
	let said = "";
	child.stderr.on("data", (bytes) => {
		said += bytes;
	});
	child.stdin.on("error", () => {});
	child.stdin.write("a\n");
	await once(child.stdout, "data");
	child.stdout.destroy();
	child.stdin.write("b\n");
	expect(await once(child, "close")).toEqual([141, null]);
	expect(said).toBe("");
	expect(readdirSync(tmp)).toEqual([]);
});

test("no place for the module's file: that is said", async () => {
	const env = { TMPDIR: join(folder(), "gone") };
	const ran = await exec(OVERHEAT, "", { env });
	expect(ran.code).toBe(1);
	expect(ran.stderr).toMatch(/^error E_FILE_WRITE: .*gone: ENOENT/);
});

test("a signal ends it at once, though it waits for input", async () => {
	const tmp = folder();
	const child = spawn(
		process.execPath,
		[MAIN, "exec", await file("cat"), "--engine", NODE],
		{ stdio: "pipe", env: { ...process.env, TMPDIR: tmp } },
	);
	child.stdin.write("a\n");
	await once(child.stdout, "data");
	child.kill("SIGINT");
	expect(await once(child, "close")).toEqual([130, null]);
	expect(readdirSync(tmp)).toEqual([]);
});

test("what an engine says on stdout about a trap is no output", async () => {
	const dir = folder();
	const body = `if [ "$1" = --version ]; then echo iwasm 2.4.5; exit; fi
for module; do :; done
'${process.execPath}' '${beside("node-runtime.mjs")}' "$module" 2>/dev/null && exit
echo 'Exception: unreachable'; exit 1`;
	writeFileSync(join(dir, "iwasm"), `#!/bin/sh\n${body}\n`);
	chmodSync(join(dir, "iwasm"), 0o755);
	const env = { WASIEVE_ENGINES: dir };
	const { code, stdout, stderr } = await exec("contract", "e1\nt\n", {
		engine: "iwasm",
		env,
	});
	expect([code, stdout]).toEqual([134, "e1\ndoomed\n"]);
	expect(stderr).toMatch(/^wasieve: E_GUEST_TRAP: .*Exception: unreachable/);
});

test.each([
	["", [], 2, /--engine has no name/],
	["no-such-engine {module}", [], 125, /^wasieve: E_ENGINE_MISSING: .*\n$/],
	["toString", [], 125, /^wasieve: E_ENGINE_MISSING: .*\n$/],
	["wazero", ["--fuel", "1M"], 2, /--fuel is for the embedded engine/],
	["embedded", ["--network", "host"], 2, /--network is for containers/],
	["wazero", ["--network", "host"], 2, /--network is for containers/],
	["docker", ["--network", "mine"], 2, /'mine' is not none, host or/],
	["docker-wasm", [], 2, /needs --network container:NAME/],
])("engine %s %j: exit code %i", async (engine, args, code, why) => {
	const ran = await exec(OVERHEAT, "", { engine, args });
	expect(ran.code).toBe(code);
	expect(ran.stderr).toMatch(why);
});

describe("in containers (a docker and a ctr that behave as measured)", () => {
	/** A docker and a ctr that behave as measured. */
	function fake() {
		const dir = folder();
		const runs = `FAKE_DOCKER='${dir}' exec '${process.execPath}' '${beside("fake-docker.mjs")}'`;
		for (const [name, words] of [
			["docker", ""],
			["ctr", "ctr"],
		]) {
			writeFileSync(
				join(dir, name as string),
				`#!/bin/sh\n${runs} ${words} "$@"\n`,
			);
			chmodSync(join(dir, name as string), 0o755);
		}
		const calls = () => readFileSync(join(dir, "calls"), "utf8");
		return { dir, calls, env: { WASIEVE_ENGINES: dir } };
	}

	test.each([
		["docker-wasm", ["--network", "container:pause"]],
		["ctr", []],
	])(
		"%s ends a filter in band, in an image made of it",
		async (engine, args) => {
			const { dir, calls, env } = fake();
			const input = `${READING}\n{\n${READING}\n`;
			const param = ["--param", "LIMIT=90"];
			const given = { engine, env, args: [...args, ...param] };
			const ran = await exec(OVERHEAT, input, given);
			expect(ran).toMatchObject({ code: 0, stdout: `${ALERT}\n${ALERT}\n` });
			expect(ran.stderr).toMatch(/^reading 2 rejected: not JSON/);
			expect(calls()).toMatch(/wasieve\/wasi:[0-9a-f]{64}/);
			expect(readdirSync(dir).filter((name) => name.endsWith(".pid"))).toEqual(
				[],
			);
		},
	);

	test("an image for Linux cannot be made without Go, and that is said", async () => {
		const { dir, env } = fake();
		const without = { ...env, PATH: dir, WASIEVE_STORE: join(dir, "store") };
		const ran = await exec(OVERHEAT, "", { engine: "docker", env: without });
		expect(ran.code).toBe(125);
		expect(ran.stderr).toMatch(/^wasieve: E_STANDALONE: .*Go 1\.25.*\n$/);
	});

	/** Where `go` builds what is no wazero at all, which the fake does not mind. */
	function withGo() {
		const { dir, env } = fake();
		const go = join(dir, "go");
		writeFileSync(
			go,
			"#!/bin/sh\n[ -e $0.ran ] || echo wazero >wazero\n: >$0.ran\n",
		);
		chmodSync(go, 0o755);
		return { ...env, PATH: dir, TMPDIR: dir };
	}

	test("the runtime of an image for Linux is built once and kept", async () => {
		const env = { ...withGo(), WASIEVE_STORE: join(folder(), "new/store") };
		for (const module of [OVERHEAT, join(ROOT, "build/stuffy.wasm")]) {
			const given = { engine: "docker", env };
			const ran = await exec(module, `${READING}\n`, given);
			expect(ran).toMatchObject({ code: 0 });
		}
		const kept = readdirSync(join(env.WASIEVE_STORE, "runtimes"));
		expect(kept).toEqual([expect.stringMatching(/^wazero-[\d.]+-\w+$/)]);
		expect(readdirSync(env.TMPDIR).join()).not.toContain("wasieve-");
	});

	test("where it cannot be kept, that is said", async () => {
		const env = { ...withGo(), WASIEVE_STORE: "/proc/wasieve-x" };
		const ran = await exec(OVERHEAT, "", { engine: "docker", env });
		expect(ran.code).toBe(1);
		expect(ran.stderr).toMatch(/^error E_FILE_WRITE: \/proc\/wasieve-x/);
	});

	test("a signal ends the container, which would outlive its client", async () => {
		const { dir, env, calls } = fake();
		const args = ["--engine", "docker-wasm", "--network", "host"];
		const child = spawn(process.execPath, [MAIN, "exec", OVERHEAT, ...args], {
			stdio: "pipe",
			env: { ...process.env, ...env, TMPDIR: dir },
		});
		child.stdin.write(`${READING}\n`);
		await once(child.stdout, "data");
		child.kill("SIGTERM");
		expect(await once(child, "close")).toEqual([143, null]);
		expect(calls()).toMatch(/^kill wasieve-/m);
		const left = readdirSync(dir).filter((name) => /pid$|^wasieve-/.test(name));
		expect(left).toEqual([]);
	});

	test("a signal ends the making of an image as well", async () => {
		const { dir, env } = fake();
		const loads = "load) kill -TERM $PPID; exec sleep 100";
		writeFileSync(
			join(dir, "docker"),
			`#!/bin/sh\ncase $1 in version) echo 29.7.2;; image) exit 1;; ${loads};; esac\n`,
		);
		const args = ["--network", "host"];
		const given = { engine: "docker-wasm", args, env: { ...env, TMPDIR: dir } };
		const ran = await exec(OVERHEAT, "", given);
		expect(ran).toMatchObject({ code: 143, stderr: "" });
		expect(readdirSync(dir).join()).not.toContain("wasieve-");
	});

	test("a module made elsewhere is refused: nothing would end it", async () => {
		const given = { engine: "ctr", env: fake().env };
		const { code, stderr } = await exec("cat", "a\n", given);
		expect(code).toBe(125);
		expect(stderr).toMatch(/^wasieve: E_MODULE_EXPORT: ctr .*made elsewhere/);
	});
});
