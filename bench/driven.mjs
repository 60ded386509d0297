// Engines driven as the gateway drives them: a batch handed over and waited for, then the next one.
import { tmpdir } from "node:os";
import { blockingEngine } from "#host/engine/blocking.js";
import { commandEngine } from "#host/engine/command.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";
import { end, launchFilter, whileAlive } from "./children.mjs";
import { LIMITS, optionsOf, outcomes } from "./engine.mjs";
import { MEMORY, WORKSHOP } from "./engines.mjs";
import { HOT_EVERY } from "./load/readings.mjs";

/** @typedef {import("#host/contract.js").Batch} Batch */

/**
 * @typedef {object} Driven
 * @property {(batch: Batch) => Promise<number>} pass takes a batch to its end; how many outputs it had
 * @property {() => Promise<void>} close
 */

/** @type {(bytes: Uint8Array, env: string[]) => Promise<Driven>} */
export async function inline(bytes, env) {
	const loaded = await loadFilter(bytes, LIMITS);
	return driven(inlineEngine(optionsOf(loaded, env)));
}

/** @type {(bytes: Uint8Array, env: string[]) => Promise<Driven>} */
export async function worker(bytes, env) {
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
export function external(runtime, module, env) {
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
export async function openCat() {
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
