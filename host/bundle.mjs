// What `wasieve` starts from: the compiled host and the packages it uses, in a few files. Finding, reading and compiling
// 300 files is most of a start. build/host stays beside it, for `import "wasieve"` and for the tests.
import {
	chmodSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeSchemaCheck } from "./schema-check.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BIN = join(ROOT, "build/bin");

/** What is started by its name: the program, and the threads that it starts. */
const ENTRIES = {
	main: "build/host/cli/main.js",
	thread: "build/host/cli/thread.js",
	worker: "build/host/engine/worker.js",
	"exec-worker": "build/host/engine/exec-worker.js",
};

/** Optional packages, which may be missing. */
const OPTIONAL = ["aedes", "assemblyscript"];

/** What MQTT.js brings for browsers and Node has: 200 KB less to compile. */
const IN_NODE = {
	"readable-stream": "node:stream",
	"worker-timers": "node:timers",
};

/** Packages in CommonJS require() what is in Node. */
const REQUIRE =
	'import{createRequire as _createRequire}from"node:module";const require=_createRequire(import.meta.url);';

writeSchemaCheck();
rmSync(BIN, { recursive: true, force: true });
mkdirSync(BIN, { recursive: true });
const { metafile, outputFiles } = await build({
	absWorkingDir: ROOT,
	entryPoints: ENTRIES,
	outdir: BIN,
	bundle: true,
	splitting: true,
	format: "esm",
	platform: "node",
	target: "node20",
	external: OPTIONAL,
	alias: IN_NODE,
	// Names stay, for stacks. The rest is for memory: V8 keeps the text of what it runs, and takes
	// two bytes for each character of a file with a single one beyond ASCII.
	minifyWhitespace: true,
	minifySyntax: true,
	charset: "ascii",
	legalComments: "none", // see licences()
	sourcemap: true,
	sourcesContent: false,
	banner: { js: REQUIRE },
	metafile: true,
	write: false,
});
for (const { path, text } of outputFiles)
	writeFileSync(path, usesRequire(text) ? text : text.replace(REQUIRE, ""));
chmodSync(join(BIN, "main.js"), 0o755);
writeFileSync(join(BIN, "licences.txt"), licences());

/**
 * The others do without the banner: it costs a third of a millisecond a file.
 *
 * @param {string} text
 */
function usesRequire(text) {
	return /\b__require[(.]|\brequire[(.]/.test(text.replace(REQUIRE, ""));
}

/** The licences of the packages whose code is in the bundle ask to be with it. */
function licences() {
	const texts = bundledPackages().map((name) => {
		const folder = join(ROOT, "node_modules", name);
		const { version, license } = JSON.parse(
			readFileSync(join(folder, "package.json"), "utf8"),
		);
		return `${name} ${version}, ${license}\n\n${licenceIn(folder)}`;
	});
	return texts.join("\n----\n\n");
}

/** @returns {string[]} */
function bundledPackages() {
	const names = Object.keys(metafile.inputs).map(
		(file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1],
	);
	return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** @param {string} folder */
function licenceIn(folder) {
	const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
	if (name === undefined) throw new Error(`${folder} has no licence`);
	return readFileSync(join(folder, name), "utf8");
}
