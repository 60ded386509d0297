import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { specFrom } from "#host/cli/own-spec.js";
import { folder, ROOT, wasieve } from "./child.js";

const FILES = [
	"README.md",
	"package.json",
	"tsconfig.json",
	".gitignore",
	"src/filter.ts",
	"test/filter.test.mjs",
	"test/in.ndjson",
	"test/out.ndjson",
	"gateway.yaml",
];

describe("wasieve new", () => {
	it("makes a project that asks npm for this checkout", async () => {
		const cwd = folder();
		const ran = await wasieve(["new", "too-hot"], { cwd });
		expect(ran).toMatchObject({ code: 0, stderr: "" });
		expect(ran.stdout).toBe(
			`made too-hot (${FILES.join(", ")})\nnext: cd too-hot && npm install && npm test\n`,
		);
		expect(filesIn(join(cwd, "too-hot"))).toEqual([...FILES].sort());
		const { name, devDependencies } = packageOf(join(cwd, "too-hot"));
		expect(name).toBe("too-hot");
		expect(
			resolve(cwd, "too-hot", devDependencies.wasieve.replace("file:", "")),
		).toBe(resolve(ROOT));
	});

	it("--wasieve names the package, --json tells a machine", async () => {
		const cwd = folder();
		const ran = await wasieve(["new", "a", "--json", "--wasieve", "1.2.3"], {
			cwd,
		});
		expect(JSON.parse(ran.stdout)).toEqual({
			dir: join(cwd, "a"),
			files: FILES,
		});
		expect(packageOf(join(cwd, "a")).devDependencies.wasieve).toBe("1.2.3");
	});

	it.each([
		["Press Monitor 2", "press-monitor-2"],
		["__proto__", "proto"],
		["日本", "filter"],
		["x$(id)`'\"", "x-id"],
	])("makes a package name of '%s'", async (dir, name) => {
		const cwd = folder();
		expect((await wasieve(["new", dir], { cwd })).code).toBe(0);
		const made = packageOf(join(cwd, dir));
		expect(made.name).toBe(name);
		expect(made.scripts.build).toContain(`-o build/${name}.wasm`);
	});

	it("takes an empty folder that is there", async () => {
		const cwd = folder();
		mkdirSync(join(cwd, "empty"));
		expect((await wasieve(["new", "empty"], { cwd })).code).toBe(0);
	});

	it("touches nothing in a folder that is in use", async () => {
		const cwd = folder();
		writeFileSync(join(cwd, "README.md"), "mine");
		const ran = await wasieve(["new", "."], { cwd });
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(
			/^error E_NEW_EXISTS: .* is there and not empty\n {2}hint: /,
		);
		expect(readdirSync(cwd)).toEqual(["README.md"]);
		expect(readFileSync(join(cwd, "README.md"), "utf8")).toBe("mine");
	});

	it("says why it cannot write", async () => {
		const cwd = folder();
		writeFileSync(join(cwd, "file"), "");
		for (const dir of ["file", "file/below"]) {
			const ran = await wasieve(["new", dir], { cwd });
			expect(ran).toMatchObject({ code: 1, stdout: "" });
			expect(ran.stderr).toMatch(
				/^error E_FILE_WRITE: .*ENOTDIR\)\n {2}hint: /,
			);
		}
	});

	it.each([[[]], [["a", "b"]], [["a", "--wasieve"]]])(
		"refuses %j",
		async (args) => {
			const ran = await wasieve(["new", ...args], { cwd: folder() });
			expect(ran.code).toBe(2);
			expect(ran.stderr).toMatch(/^error E_USAGE: /);
		},
	);
});

function filesIn(dir: string): string[] {
	return readdirSync(dir, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
		.sort();
}

function packageOf(dir: string) {
	return JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
}

describe("what npm is asked for", () => {
	const installed = (packages: object) => {
		const place = folder();
		const root = join(place, "node_modules", "wasieve");
		mkdirSync(root, { recursive: true });
		writeFileSync(
			join(place, "node_modules", ".package-lock.json"),
			JSON.stringify({ packages }),
		);
		const spec = () => specFrom(root, "1.2.3", join(place, "new", "too-hot"));
		return { place, spec };
	};
	const from = (resolved: string) =>
		installed({ "node_modules/wasieve": { resolved } });

	it("is the tarball that was installed, or what is left of it", () => {
		const { place, spec } = from("file:packed/wasieve-1.2.3.tgz");
		expect(spec()).toBe("file:../../node_modules/wasieve");
		mkdirSync(join(place, "packed"));
		writeFileSync(join(place, "packed", "wasieve-1.2.3.tgz"), "");
		expect(spec()).toBe("file:../../packed/wasieve-1.2.3.tgz");
	});

	it("is the version of one from a registry, or of another installer", () => {
		const { spec } = from("https://registry.example/wasieve-1.2.3.tgz");
		expect(spec()).toBe("^1.2.3");
		expect(installed({}).spec()).toBe("^1.2.3");
	});
});
