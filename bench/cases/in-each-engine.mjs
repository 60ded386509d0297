// The same filter in every engine of this machine, as the gateway drives it: a batch in, waited for, the next one.
import { Batch } from "#host/contract.js";
import { external, inline, openCat, worker } from "../driven.mjs";
import { externalEngines } from "../engines.mjs";
import { readingOf, shippedFilters } from "../filters.mjs";
import { HOT_EVERY, payloadOf } from "../load/readings.mjs";
import { notRun } from "../reasons.mjs";
import { batchOf } from "../shipped.mjs";
import { figure } from "../table.mjs";
import { BATCHES } from "./in-module.mjs";

/**
 * @typedef {import("../driven.mjs").Driven} Driven
 * @typedef {{ name: string, open: () => Promise<Driven> }} Contender
 */

/** @typedef {{ name: string, driven: Driven, values: number[][] }} Run */

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function inEachEngine(plan) {
	const { engines, absent } = await externalEngines();
	const [first, ...others] = await shippedFilters();
	const rounds = plan.quick ? 3 : Math.max(9, plan.rounds);
	const [long, short] = plan.quick ? [20, 5] : [100, 30];
	const section = (/** @type {string} */ title, /** @type {Run[]} */ runs) => ({
		title,
		columns: ["", ...BATCHES.map(({ name }) => `readings/s at ${name}`)],
		rows: runs.map(({ name, values }) => [
			name,
			...values.map((each) => figure(each, 0)),
		]),
	});
	if (!first) throw new Error("no filter is shipped");
	const span = { rounds, say: plan.say };
	const cat = { name: "cat", open: openCat };
	const contenders = [...contendersOf(first, engines), cat];
	const runs = await takeTurns(contenders, payloadOf, { ...span, ms: long });
	const more = [];
	// To show that it works, one of them is enough.
	for (const filter of plan.quick ? others.slice(0, 1) : others) {
		const own = contendersOf(filter, engines).map(({ name, open }) => ({
			name: `${filter.name}, ${name}`,
			open,
		}));
		more.push(...(await takeTurns(own, readingOf, { ...span, ms: short })));
	}
	return [
		{
			...section("In each engine", runs),
			note: `overheat on the readings of the load, driven as the gateway drives it: a batch handed over and waited for, then the next; ${rounds} rounds of ${long} ms after one to warm up. Embedded: on this thread, metered; in a worker: how modules run that were made elsewhere; the others behind pipes, as \`cat\`, which does nothing.${notRun(absent)}`,
		},
		{
			...section("The other filters in each engine", more),
			note: `The same with ${rounds} rounds of ${short} ms, and readings that have a co2 as well. Every engine must say as much as the first; every-minute has nothing to say before its minute is over.`,
		},
	];
}

/** @param {number} bytes a batch may have; a reading has 87 and its line end */
function countIn(bytes) {
	return Math.max(1, Math.floor(bytes / 88));
}

/**
 * @param {import("../filters.mjs").ShippedFilter} filter
 * @param {readonly import("../engines.mjs").ExternalEngine[]} engines
 * @returns {Contender[]}
 */
function contendersOf({ name: filter, params, scalar, simd }, engines) {
	const env = filter === "overheat" ? ["LIMIT=85"] : params;
	return /** @type {const} */ ([
		["", scalar],
		[", SIMD", simd],
	]).flatMap(([suffix, module]) => [
		{ name: `embedded${suffix}`, open: () => inline(module, env) },
		{ name: `embedded, in a worker${suffix}`, open: () => worker(module, env) },
		...engines.map(({ name, runtime }) => ({
			name: `${name}${suffix}`,
			open: () => external(runtime, module, env),
		})),
	]);
}

/**
 * @param {readonly Contender[]} contenders
 * @param {(n: number) => string} readingOf
 * @param {{ rounds: number, ms: number, say: (line: string) => void }} span
 * @returns {Promise<Run[]>}
 */
async function takeTurns(contenders, readingOf, { rounds, ms, say }) {
	const batches = BATCHES.map(({ bytes }) =>
		batchOf(Batch, countIn(bytes), readingOf),
	);
	/** @type {Run[]} */
	const runs = [];
	try {
		for (const { name, open } of contenders)
			runs.push({ name, driven: await open(), values: batches.map(() => []) });
		await checkAll(runs, batches, readingOf);
		for (let round = -1; round < rounds; round++) {
			say(`${contenders[0]?.name} and others, round ${round + 1}/${rounds}`);
			for (const run of runs) await takeTurn(run, batches, ms, round >= 0);
		}
	} finally {
		for (const { driven } of runs) await driven.close();
	}
	return runs;
}

/**
 * @param {readonly Run[]} runs
 * @param {readonly Batch[]} batches
 * @param {(n: number) => string} readingOf
 * @throws when one does not say as much as the first, or that is not what overheat says
 */
async function checkAll(runs, batches, readingOf) {
	/** @type {number[]} */
	let expected = [];
	for (const { name, driven } of runs) {
		const said = [];
		for (const batch of batches) said.push(await driven.pass(batch));
		if (expected.length === 0)
			expected =
				readingOf === payloadOf
					? batches.map(({ count }) => Math.ceil(count / HOT_EVERY))
					: said;
		if (said.join() !== expected.join())
			throw new Error(`${name}: ${said} outputs instead of ${expected}`);
	}
}

/**
 * @param {Run} run
 * @param {readonly Batch[]} batches
 * @param {number} ms at least, each
 * @param {boolean} counts false to warm up
 */
async function takeTurn({ driven, values }, batches, ms, counts) {
	for (const [i, batch] of batches.entries()) {
		const begun = performance.now();
		let done = 0;
		let took = 0;
		do {
			await driven.pass(batch);
			done += batch.count;
			took = performance.now() - begun;
		} while (took < ms);
		if (counts) values[i]?.push((done / took) * 1000);
	}
}
