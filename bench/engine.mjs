// The embedded engine with nothing around it: what it reports is counted, and a failure is an error.
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";

/** What a gateway grants by default. */
export const LIMITS = { memory: 16 * 2 ** 20, table: 10_000 };

export const seen = { outputs: 0, consumed: 0, before: 0 };

/** @type {import("#host/contract.js").Outcomes} */
export const outcomes = {
	congested: false,
	begin() {
		seen.before = seen.outputs;
	},
	commit() {},
	// A batch that was too much for one tank is tried again in parts.
	rollback() {
		seen.outputs = seen.before;
	},
	output() {
		seen.outputs++;
	},
	drop() {},
	fail(_batch, _i, error) {
		throw error;
	},
	consumed(_batch, from, to) {
		seen.consumed += to - from;
	},
	log() {},
	restarted(error) {
		throw error;
	},
	ready() {},
	stopped(error) {
		throw error;
	},
};

/**
 * @param {import("#host/engine/filter-module.js").FilterModule} module
 * @param {string[]} [env] "K=V"
 */
export function optionsOf(module, env = ["LIMIT=85"]) {
	return {
		module,
		args: ["overheat"],
		env,
		limits: { fuel: 10_000_000, output: 2 ** 20, reading: 64 * 1024 },
		restart: { max: 5, backoff: { min: 100, max: 1000 } },
		clock: () => 1_700_000_000_000,
	};
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<() => Promise<import("#host/contract.js").Engine>>} makes and starts an instance of the module, any number of times
 */
export async function loadEngine(bytes) {
	const options = optionsOf(await loadFilter(bytes, LIMITS));
	return async () => {
		const engine = inlineEngine(options);
		await engine.start(outcomes);
		return engine;
	};
}
