import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { finish, folder, MAIN, ROOT } from "./child.js";

/** Writes the address of every ES module that is loaded to stderr. */
const SPY = `
import { writeSync } from "node:fs";
export async function resolve(name, context, next) {
	const found = await next(name, context);
	writeSync(2, found.url + "\\n");
	return found;
}`;

/** The modules that \`wasieve ARGS\` loads, as paths below the repository. */
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

it("exec loads no package and nothing of the gateway: it has to start fast", async () => {
	const modules = await loaded(["exec", "build/overheat.wasm"]);
	expect(modules).toContain("build/host/cli/exec.js");
	expect(modules.filter((path) => path.startsWith("node_modules/"))).toEqual(
		[],
	);
	expect(
		modules.filter((path) =>
			/host\/(mqtt|config\/(?!units|nearest)|observe|store|pipeline)\//.test(
				path,
			),
		),
	).toEqual([]);
});

it("--version loads next to nothing", async () => {
	const modules = await loaded(["--version"]);
	expect(modules.filter((path) => path.startsWith("build/")).sort()).toEqual([
		"build/host/cli/io.js",
		"build/host/cli/main.js",
		"build/host/cli/verbs.js",
		"build/host/cli/version.js",
	]);
});
