import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { finish, folder, MAIN, ROOT } from "./child.js";

/** Writes the address of every ES module that is loaded to stderr. */
const SPY = `
import { writeSync } from "node:fs";
export async function resolve(name, context, next) {
	const found = await next(name, context);
	writeSync(2, found.url + "\\n");
	return found;
}`;

/** The files that \`wasieve ARGS\` loads, as paths below the repository. */
async function loaded(args: string[]): Promise<string[]> {
	const dir = folder();
	writeFileSync(join(dir, "spy.mjs"), SPY);
	const register = `import { register } from "node:module"; register(${JSON.stringify(pathToFileURL(join(dir, "spy.mjs")))});`;
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
	const paths = ran.stderr
		.split("\n")
		.filter((line) => line.startsWith(root))
		.map((line) => line.slice(root.length));
	return [...new Set(paths)];
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
	const read = sources(await loaded(["exec", "build/overheat.wasm"]));
	expect(read).toContain("host/cli/exec.ts");
	expect(packagesIn(read)).toEqual([]);
	expect(
		read.filter((path) =>
			/host\/(mqtt|config\/(?!units|nearest)|observe|store|pipeline)\//.test(
				path,
			),
		),
	).toEqual([]);
});

it("--version loads next to nothing", async () => {
	const read = sources(await loaded(["--version"]));
	expect(read.sort()).toEqual([
		"host/cli/io.ts",
		"host/cli/main.ts",
		"host/cli/verbs.ts",
		"host/cli/version.ts",
	]);
});

it("run loads the bundle alone, and of it nothing that checks a schema, makes metrics or is for browsers", async () => {
	const files = await loaded(["run", "examples/office.yaml"]);
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
