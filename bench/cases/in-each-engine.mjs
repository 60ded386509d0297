// The same filter in every engine of this machine, as the gateway drives it: a batch in, waited for, the next one.
import { tmpdir } from "node:os";
import { Batch } from "#host/contract.js";
import { blockingEngine } from "#host/engine/blocking.js";
import { commandEngine } from "#host/engine/command.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";
import { end, launchFilter, whileAlive } from "../children.mjs";
import { LIMITS, optionsOf, outcomes } from "../engine.mjs";
import { externalEngines, MEMORY, WORKSHOP } from "../engines.mjs";
import { readingOf, shippedFilters } from "../filters.mjs";
import { HOT_EVERY, payloadOf } from "../load/readings.mjs";
import { notRun } from "../reasons.mjs";
import { batchOf } from "../shipped.mjs";
import { figure } from "../table.mjs";
import { BATCHES } from "./in-module.mjs";

/**
 * @typedef {object} Driven
 * @property {(batch: Batch) => Promise<number>} pass takes a batch to its end; how many outputs it had
 * @property {() => Promise<void>} close
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
	for (const filter of others) {
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

/** @type {(bytes: Uint8Array, env: string[]) => Promise<Driven>} */
async function inline(bytes, env) {
	const loaded = await loadFilter(bytes, LIMITS);
	return driven(inlineEngine(optionsOf(loaded, env)));
}

/** @type {(bytes: Uint8Array, env: string[]) => Promise<Driven>} */
async function worker(bytes, env) {
	return driven(
		blockingEngine({
			...optionsOf(await loadFilter(bytes, LIMITS), env),
			name: "bench",
			limits: { time: 5000, output: 2 ** 22 },
			realTime: false,
			unitBy: "batch",
		}),
	);
}

/** @type {(runtime: import("#host/engine/runtimes/runtime.js").Runtime, module: Uint8Array, env: string[]) => Promise<Driven>} */
function external(runtime, module, env) {
	return driven(
		commandEngine({
			name: "bench",
			runtime,
			module,
			args: [],
			env,
			limits: { time: 5000, start: 20_000, output: 2 ** 22, memory: MEMORY },
			unitBy: "batch",
			restart: { max: 0, backoff: { min: 1, max: 1 } },
			clock: () => 1_700_000_000_000,
			workshop: WORKSHOP,
			folder: tmpdir(),
		}),
	);
}

/**
 * @param {import("#host/contract.js").Engine} engine
 * @returns {Promise<Driven>}
 */
async function driven(engine) {
	const listener = listen();
	await engine.start(listener.outcomes);
	return {
		async pass(batch) {
			const before = listener.outputs;
			const goal = listener.consumed + batch.count;
			engine.feed(batch);
			while (listener.consumed < goal) await listener.more();
			return listener.outputs - before;
		},
		close: () => engine.close(),
	};
}

/** Counts what is said; waits for more of it, or for the failure that nothing follows. */
function listen() {
	let reject = (/** @type {Error} */ _error) => {};
	const failed = new Promise((_, no) => {
		reject = no;
	});
	failed.catch(() => undefined);
	let wake = () => {};
	let before = 0;
	const listener = {
		outputs: 0,
		consumed: 0,
		more: () =>
			Promise.race([
				failed,
				new Promise((resolve) => (wake = () => resolve(1))),
			]),
		/** @type {import("#host/contract.js").Outcomes} */
		outcomes: {
			...outcomes,
			begin: () => {
				before = listener.outputs;
			},
			rollback: () => {
				listener.outputs = before;
			},
			output: () => void listener.outputs++,
			consumed(_batch, from, to) {
				listener.consumed += to - from;
				wake();
			},
			fail: (_batch, _i, error) => reject(error),
			restarted: reject,
			stopped: reject,
		},
	};
	return listener;
}

/** A pipe with nothing behind it: what a process of its own costs, whatever it does. */
async function openCat() {
	const child = launchFilter("cat", []);
	let owed = 0;
	let wake = () => {};
	child.stdout.on("data", (chunk) => {
		owed -= chunk.length;
		if (owed === 0) wake();
	});
	return {
		/** @param {Batch} batch */
		async pass(batch) {
			const lines = linesOf(batch);
			owed = lines.length;
			const answered = new Promise((resolve) => (wake = () => resolve(1)));
			child.stdin.write(lines);
			await whileAlive(answered, [child], 10_000, "cat");
			return Math.ceil(batch.count / HOT_EVERY);
		},
		close: () => end(child),
	};
}

/** @type {WeakMap<Batch, Buffer>} */
const texts = new WeakMap();

/** @param {Batch} batch */
function linesOf(batch) {
	const known = texts.get(batch);
	if (known) return known;
	const payloads = Array.from({ length: batch.count }, (_, i) =>
		Buffer.concat([batch.payload(i), LINE_END]),
	);
	const text = Buffer.concat(payloads);
	texts.set(batch, text);
	return text;
}

const LINE_END = Buffer.from("\n");

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
