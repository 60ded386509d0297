// What is stored and shipped: modules, images, the installed gateway.
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { scratchFolder } from "../children.mjs";
import { shippedFilters } from "../filters.mjs";
import { ROOT } from "../subjects.mjs";
import { exactly, figure, notRun } from "../table.mjs";

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function size(plan) {
	plan.say("size");
	const modules = (await shippedFilters()).flatMap(({ name, scalar, simd }) => [
		[name, ...sizesOf(scalar)],
		[`${name}, SIMD`, ...sizesOf(simd)],
	]);
	const installed = productionFolders().map((folder) => bytesBelow(folder));
	const own = bytesBelow(join(ROOT, "build"));
	return [
		{
			title: "Modules",
			columns: ["", "bytes", "gzip bytes"],
			rows: modules,
		},
		images(plan),
		{
			title: "Installed gateway",
			note: "Files of build/ and of the production dependencies, optional ones left out.",
			columns: ["", "bytes"],
			// Neither way is better: a gate on these would stop every feature.
			rows: [
				["wasieve alone", exactly(own, "bytes", "neither")],
				[
					"with its dependencies",
					exactly(
						installed.reduce((sum, bytes) => sum + bytes, own),
						"bytes",
						"neither",
					),
				],
			],
		},
	];
}

/**
 * Packed as a user packs them; a standalone one brings a static runtime for one architecture.
 *
 * @param {import("../run.mjs").Plan} plan
 * @returns {import("../table.mjs").Section}
 */
function images({ built: { cli, module }, say }) {
	const rows = [];
	const absent = [];
	for (const [name, flags] of /** @type {const} */ ([
		["wasi/wasm", []],
		["wasi/wasm, module as layer", ["--wasm-layer"]],
		["standalone, amd64", ["--standalone", "--arch", "amd64"]],
		["standalone, arm64", ["--standalone", "--arch", "arm64"]],
	]))
		try {
			say(`size, image ${name}`);
			const bytes = packed(cli, module, flags);
			// The standalone ones depend on the Go that compiles their runtime.
			const exact = flags.includes(/** @type {never} */ ("--standalone"))
				? figure([bytes], 0)
				: exactly(bytes, "bytes");
			rows.push([name, exact]);
		} catch (error) {
			absent.push({ name, why: reasonOf(error) });
		}
	return {
		title: "Images of overheat",
		note: `As archives that \`docker load\` takes, nothing compressed.${notRun(absent)}`,
		columns: ["", "bytes"],
		rows,
	};
}

/** @type {(cli: string, module: string, flags: readonly string[]) => number} */
function packed(cli, module, flags) {
	const store = join(scratchFolder(), "store");
	const args = ["pack", module, "-t", "localhost/bench:1", "--store", store];
	const text = execFileSync(
		process.execPath,
		[cli, ...args, ...flags, "--json"],
		{ encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
	);
	return JSON.parse(text).bytes;
}

/** @param {unknown} error */
function reasonOf(error) {
	const { stderr, message } = /** @type {any} */ (error);
	return String(stderr || message).split("\n")[0] ?? "";
}

/** @param {Uint8Array} module */
function sizesOf(module) {
	const zipped = gzipSync(module, { level: 9 }).length;
	return [exactly(module.length, "bytes"), exactly(zipped, "bytes")];
}

/** @returns {string[]} folders of node_modules that `npm install --omit=dev --omit=optional` makes */
function productionFolders() {
	const lock = join(ROOT, "package-lock.json");
	const { packages } = JSON.parse(readFileSync(lock, "utf8"));
	return Object.entries(packages)
		.filter(([path, each]) => {
			const extra = each.dev || each.optional || each.devOptional;
			return path !== "" && !extra;
		})
		.map(([path]) => join(ROOT, path));
}

/**
 * @param {string} folder
 * @returns {number} bytes of its files, without packages inside, which have an entry of their own
 */
function bytesBelow(folder) {
	return readdirSync(folder, { withFileTypes: true }).reduce((sum, each) => {
		const path = join(folder, each.name);
		if (each.isDirectory())
			return each.name === "node_modules" ? sum : sum + bytesBelow(path);
		return sum + lstatSync(path).size;
	}, 0);
}
