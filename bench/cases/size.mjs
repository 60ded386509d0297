// What is stored and shipped: modules, images, the installed gateway.
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { scratchFolder } from "../children.mjs";
import { shippedFilters } from "../filters.mjs";
import { notRun, reasonOf } from "../reasons.mjs";
import { ROOT } from "../subjects.mjs";
import { exactly, figure } from "../table.mjs";

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
	return [
		{
			title: "Modules",
			columns: ["", "bytes", "gzip bytes"],
			rows: modules,
		},
		images(plan),
		installed(plan),
	];
}

/** @type {readonly (readonly [name: string, flags: readonly string[]])[]} */
const IMAGES = [
	["wasi/wasm", []],
	["wasi/wasm, module as layer", ["--wasm-layer"]],
	["standalone, amd64", ["--standalone", "--arch", "amd64"]],
	["standalone, arm64", ["--standalone", "--arch", "arm64"]],
];

/**
 * Packed as a user packs them; a standalone one brings a static runtime for one architecture.
 *
 * @param {import("../run.mjs").Plan} plan
 * @returns {import("../table.mjs").Section}
 */
function images({ built: { cli, module }, quick, say }) {
	const rows = [];
	const absent = [];
	for (const [name, flags] of IMAGES)
		try {
			if (quick && flags.includes("--standalone"))
				throw new Error("--quick, and Go may have to compile a runtime");
			say(`size, image ${name}`);
			const bytes = packed(cli, module, flags);
			// The standalone ones depend on the Go that compiles their runtime.
			const exact = flags.includes("--standalone")
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

/** @param {Uint8Array} module */
function sizesOf(module) {
	const zipped = gzipSync(module, { level: 9 }).length;
	return [exactly(module.length, "bytes"), exactly(zipped, "bytes")];
}

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {import("../table.mjs").Section}
 */
function installed({ say }) {
	say("size, package");
	const { size, unpackedSize } = packageSizes();
	const needed = productionFolders().map((folder) => bytesBelow(folder));
	const all = needed.reduce((sum, bytes) => sum + bytes, unpackedSize);
	// Neither way is better: a gate on these would stop every feature.
	const row = (/** @type {string} */ name, /** @type {number} */ bytes) => [
		name,
		exactly(bytes, "bytes", "neither"),
	];
	return {
		title: "Installed gateway",
		note: "The package as npm packs it, and what `npm install --omit=dev --omit=optional` puts on a device.",
		columns: ["", "bytes"],
		rows: [
			row("build/bin, which is what runs", bytesBelow(join(ROOT, "build/bin"))),
			// Node's zlib decides: another one may differ by a few bytes.
			[
				"package, compressed",
				{ ...figure([size], 0), better: /** @type {const} */ ("neither") },
			],
			row("package", unpackedSize),
			row("package and dependencies", all),
		],
	};
}

/** @returns {{ size: number, unpackedSize: number }} */
function packageSizes() {
	const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
	const text = execFileSync("npm", args, {
		cwd: ROOT,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "ignore"],
	});
	return JSON.parse(text)[0];
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
