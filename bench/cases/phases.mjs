// Where the time from a module's bytes to its first output goes: in a new process, and inside a gateway that runs already.
import { readFileSync } from "node:fs";
import { Batch } from "#host/contract.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";
import { end, launchProgram, told, whileAlive } from "../children.mjs";
import { LIMITS, optionsOf, outcomes, seen } from "../engine.mjs";
import { answerOf, payloadOf } from "../load/readings.mjs";
import { batchOf } from "../shipped.mjs";
import { figure } from "../table.mjs";

const PROGRAM = new URL("../load/phases.mjs", import.meta.url);

/** @typedef {{ process?: number, read: number, compile: number, instantiate: number, first: number }} Phases ms */

const STARTS = 30;
/** Filters that a running gateway has started before: its own code is warm, the new module's is not. */
const BEFORE = 10;

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function phases({ built: { module }, quick, rounds, say }) {
	const starts = quick ? 10 : STARTS * rounds;
	/** @type {Phases[]} */
	const anew = [];
	/** @type {Phases[]} */
	const running = [];
	for (let i = -BEFORE; i < starts; i++) {
		say(`phases, ${Math.max(0, i + 1)}/${starts}`);
		const inside = await insideGateway(module);
		if (i < 0) continue;
		anew.push(await inNewProcess(module));
		running.push(inside);
	}
	const total = running.map(
		({ compile, instantiate, first }) => compile + instantiate + first,
	);
	return [
		{
			title: "Bytes to the first alert, embedded",
			note: `${starts} starts, each of a module that this process has never seen. Compile: check, cap, meter and compile; first alert: run up to it. In a new process V8 meets the gateway's own code for the first time as well; "process" is Node and the imports.`,
			columns: [
				"",
				...COLUMNS.map(([, name]) => `${name} ms`),
				"bytes → alert ms",
			],
			rows: [
				rowOf("new process", anew),
				rowOf("inside a running gateway", running),
			],
			aims: [
				{
					text: "a new filter inside a running gateway, bytes to first alert",
					aim: "≤ 1 ms",
					values: total,
					digits: 2,
					met: (ms) => ms <= 1,
				},
			],
		},
	];
}

/** @type {readonly [keyof Phases, string][]} */
const COLUMNS = [
	["process", "process"],
	["read", "read"],
	["compile", "compile"],
	["instantiate", "instantiate"],
	["first", "first alert"],
];

/** @type {(name: string, all: readonly Phases[]) => import("../table.mjs").Cell[]} */
function rowOf(name, all) {
	const cells = COLUMNS.map(([key]) =>
		all[0]?.[key] === undefined
			? ""
			: figure(all.map((each) => each[key] ?? Number.NaN)),
	);
	const bytes = all.map(
		({ compile, instantiate, first }) => compile + instantiate + first,
	);
	return [name, ...cells, figure(bytes)];
}

/**
 * @param {string} module its file
 * @returns {Promise<Phases>}
 */
async function inNewProcess(module) {
	const child = launchProgram(PROGRAM, [module, payloadOf(0)]);
	try {
		const said = told(child, "phases");
		const { output, ...found } = await whileAlive(
			said,
			[child],
			10_000,
			"phases",
		);
		if (output !== answerOf(0)) throw new Error(`phases: it said ${output}`);
		return found;
	} finally {
		await end(child);
	}
}

let modules = 0;

/**
 * V8 and the gateway know a module by its bytes: a custom section makes it another one.
 *
 *   0 │ size │ 8 │ "bench123"
 *
 * @param {Buffer} module
 */
function unseen(module) {
	const name = `bench${String(modules++).padStart(3, "0")}`;
	const section = [0, name.length + 1, name.length, ...Buffer.from(name)];
	return Buffer.concat([module, Buffer.from(section)]);
}

const ONE = batchOf(Batch, 1);

/**
 * @param {string} file
 * @returns {Promise<Phases>}
 */
async function insideGateway(file) {
	const began = performance.now();
	const bytes = readFileSync(file);
	const read = performance.now();
	const loaded = await loadFilter(unseen(bytes), LIMITS);
	const compiled = performance.now();
	const engine = inlineEngine(optionsOf(loaded));
	await engine.start(outcomes);
	const started = performance.now();
	seen.outputs = 0;
	engine.feed(ONE);
	const done = performance.now();
	await engine.close();
	if (seen.outputs !== 1) throw new Error(`${seen.outputs} alerts, not one`);
	return {
		read: read - began,
		compile: compiled - read,
		instantiate: started - compiled,
		first: done - started,
	};
}
