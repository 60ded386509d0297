// What does not depend on the machine: instructions a reading, memory, bytes. Gate hard on these.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openGauge } from "#host/engine/gauge.js";
import { readings, shippedFilters } from "../filters.mjs";
import { ROOT } from "../subjects.mjs";
import { exactly } from "../table.mjs";

const COUNT = 6000;
const MEMORY = 16 * 2 ** 20;
const FUEL = 10_000_000;

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function cost(plan) {
	const input = readings(COUNT);
	const rows = (await shippedFilters()).flatMap(
		({ name, params, scalar, simd }) => {
			plan.say(`cost, ${name}`);
			return [
				[name, ...costOf(scalar, name, params, input)],
				[`${name}, SIMD`, ...costOf(simd, name, params, input)],
			];
		},
	);
	return [
		{
			title: "Deterministic cost",
			note: `Counted by an instrumented module over ${COUNT} readings, without starting and ending; the same on every CPU and in every run.`,
			columns: ["", "instructions/reading", "peak memory bytes"],
			rows,
		},
	];
}

/**
 * @param {Uint8Array} module
 * @param {string} name
 * @param {string[]} params
 * @param {Uint8Array} input
 */
function costOf(module, name, params, input) {
	const gauge = openGauge(module, {
		memory: MEMORY,
		fuel: FUEL,
		args: [name],
		env: params,
	});
	const { memory, output } = gauge.run(input);
	if (output.length === 0) throw new Error(`${name} said nothing`);
	const all = gauge.count(input);
	const none = gauge.count(new Uint8Array(0));
	if (all === undefined || none === undefined)
		throw new Error(`${name} cannot be counted`);
	const each = Math.round(((all - none) / COUNT) * 10) / 10;
	return [exactly(each, "instructions"), exactly(memory, "bytes")];
}

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
