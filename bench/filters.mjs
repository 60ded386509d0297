// The filters as they are shipped, each with SIMD as well, and what they are fed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFilter } from "#host/cli/compile.js";
import { payloadOf } from "./load/readings.mjs";
import { ROOT } from "./subjects.mjs";

/** Name and parameters, so that each does its work on {@link readings}. */
const SHIPPED = [
	{ name: "overheat", params: [] },
	{ name: "stuffy", params: ["HIGH=80", "LOW=70"] },
	{ name: "deadband", params: ["BAND=10"] },
	{ name: "rename", params: ["MAP=device=device_id,t=temperature"] },
	{ name: "every-minute", params: [] },
];

/**
 * @typedef {object} ShippedFilter
 * @property {string} name
 * @property {string[]} params
 * @property {Buffer} scalar
 * @property {Buffer} simd
 */

/** @type {Promise<ShippedFilter[]> | undefined} */
let made;

/** @returns {Promise<ShippedFilter[]>} scalar as `npm run build` made them, SIMD compiled here, once */
export function shippedFilters() {
	made ??= Promise.all(
		SHIPPED.map(async ({ name, params }) => {
			const source = join(ROOT, `assembly/filters/${name}.ts`);
			const { bytes } = await compileFilter(source, { simd: true });
			const scalar = readFileSync(join(ROOT, `build/${name}.wasm`));
			return { name, params, scalar, simd: Buffer.from(bytes) };
		}),
	);
	return made;
}

/**
 * @param {number} count
 * @returns {Buffer} the readings of the load, one a line, with a "co2" that goes up and down
 */
export function readings(count) {
	const lines = Array.from({ length: count }, (_, n) => `${readingOf(n)}\n`);
	return Buffer.from(lines.join(""));
}

/** @param {number} n */
export function readingOf(n) {
	const co2 = n % 6 === 0 ? 95 : 60;
	return payloadOf(n).replace('"humidity"', `"co2":${co2},"humidity"`);
}
