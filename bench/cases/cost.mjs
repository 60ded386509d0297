// What does not depend on the machine: instructions a reading, memory, allocations. Gate hard on these.
import { openGauge } from "#host/engine/gauge.js";
import { openAllocations } from "../allocations.mjs";
import { readings, shippedFilters } from "../filters.mjs";
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
	const rows = [];
	for (const { name, params, scalar, simd } of await shippedFilters())
		for (const [module, vectors] of /** @type {const} */ ([
			[scalar, false],
			[simd, true],
		])) {
			const subject = vectors ? `${name}, SIMD` : name;
			plan.say(`cost, ${subject}`);
			const allocated = await openAllocations(name, params, vectors);
			rows.push([
				subject,
				...costOf(module, name, params, input),
				exactly(tenths(allocated(input) / COUNT), "bytes"),
			]);
		}
	return [
		{
			title: "Deterministic cost",
			note: `Counted over ${COUNT} readings, without starting and ending; the same on every CPU and in every run. Instructions by an instrumented module, allocations by AssemblyScript's own allocator (ASC_RTRACE): what is asked for, freed or not.`,
			columns: [
				"",
				"instructions/reading",
				"peak memory bytes",
				"bytes allocated/reading",
			],
			rows,
		},
	];
}

/** @param {number} value */
const tenths = (value) => Math.round(value * 10) / 10;

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
	const each = tenths((all - none) / COUNT);
	return [exactly(each, "instructions"), exactly(memory, "bytes")];
}
