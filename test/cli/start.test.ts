import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { finish, folder, MAIN, ROOT } from "./child.js";

/** Writes the address of every ES module that is loaded to stderr, and at the end what of Node itself. */
const SPY = `
import { writeSync } from "node:fs";
export async function resolve(name, context, next) {
	const found = await next(name, context);
	writeSync(2, found.url + "\\n");
	return found;
}`;

/** The files that \`wasieve ARGS\` loads, as paths below the repository. */
async function loaded(args: string[]) {
	const dir = folder();
	writeFileSync(join(dir, "spy.mjs"), SPY);
	const register = `import { register } from "node:module"; register(${JSON.stringify(pathToFileURL(join(dir, "spy.mjs")))}); process.on("exit", () => process._rawDebug(process.moduleLoadList.join("\\n")));`;
	const command = [
		process.execPath,
		"--import",
		`data:text/javascript,${encodeURIComponent(register)}`,
		MAIN,
		...args,
	];
	const ran = await finish(
		command,
		{ cwd: ROOT },
		'{"temperature":99,"timestamp":1,"device_id":"a"}\n',
	);
	expect(ran.code, ran.stderr).toBe(0);
	const root = pathToFileURL(ROOT).href;
	const lines = [...new Set(ran.stderr.split("\n"))];
	const behind = (start: string) =>
		lines
			.filter((line) => line.startsWith(start))
			.map((line) => line.slice(start.length));
	return { files: behind(root), builtins: behind("NativeModule ") };
}

/** What was bundled into these files, as paths below the repository. */
function sources(files: string[]): string[] {
	const found = files.flatMap((file) => {
		const map = JSON.parse(readFileSync(join(ROOT, `${file}.map`), "utf8"));
		return (map.sources as string[]).map((source) =>
			relative(ROOT, join(ROOT, dirname(file), source)),
		);
	});
	return [...new Set(found)];
}

const packagesIn = (paths: string[]) => [
	...new Set(
		paths.flatMap(
			(path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
		),
	),
];

it("exec loads no package and nothing of the gateway: it has to start fast", async () => {
	const { files, builtins } = await loaded(["exec", "build/overheat.wasm"]);
	const read = sources(files);
	expect(read).toContain("host/cli/exec.ts");
	expect(packagesIn(read)).toEqual([]);
	expect(builtins).toContain("fs");
	for (const name of ["crypto", "http", "child_process"])
		expect(builtins).not.toContain(name);
	expect(
		read.filter((path) =>
			/host\/(mqtt|config\/(?!units|nearest)|observe|store\/(?!whole)|pipeline)\//.test(
				path,
			),
		),
	).toEqual([]);
});

it("--version loads next to nothing", async () => {
	const read = sources((await loaded(["--version"])).files);
	expect(read.sort()).toEqual([
		"host/cli/io.ts",
		"host/cli/main.ts",
		"host/cli/verbs.ts",
		"host/cli/version.ts",
		"host/errors.ts",
	]);
});

it("run loads the bundle alone, and nothing that compiles a schema, makes metrics, speaks TLS or is for browsers", async () => {
	const { files, builtins } = await loaded(["run", "examples/office.yaml"]);
	for (const name of ["crypto", "tls", "https"])
		expect(builtins).not.toContain(name);
	expect(files.filter((path) => !path.startsWith("build/bin/"))).toEqual([]);
	const packages = packagesIn(sources(files));
	expect(packages).toEqual(expect.arrayContaining(["mqtt", "pino", "yaml"]));
	for (const name of ["ajv", "prom-client", "readable-stream", "worker-timers"])
		expect(packages).not.toContain(name);
});

describe("the bundle", () => {
	const bin = join(ROOT, "build/bin");
	const files = readdirSync(bin).filter((name) => name.endsWith(".js"));

	it("comes with the licence of every package in it", () => {
		const licences = readFileSync(join(bin, "licences.txt"), "utf8");
		const packages = packagesIn(sources(files.map((f) => `build/bin/${f}`)));
		expect(packages).toContain("mqtt");
		for (const name of packages)
			expect(licences).toMatch(new RegExp(`^${name} \\d`, "m"));
	});

	it("is ASCII: one other character would double what a file takes in memory", () => {
		for (const file of files)
			expect(readFileSync(join(bin, file), "utf8")).toMatch(/^[\0-\x7f]*$/);
	});

	it("is what package.json names", () => {
		const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
		const { bin } = JSON.parse(read("package.json"));
		expect(join(ROOT, bin.wasieve)).toBe(MAIN);
		expect(read(bin.wasieve)).toMatch(/^#!\/usr\/bin\/env node\n/);
		expect(statSync(MAIN).mode & 0o111).toBe(0o111);
	});
});
