// The embedded engine around the filter: fuel, tracking, outcomes, checkpoints. A reading goes from a batch into guest
// memory and its alert is handed to the line.
import { Batch } from "#host/contract.js";
import { loadEngine, seen } from "../engine.mjs";
import { HOT_EVERY } from "../load/readings.mjs";
import { batchOf, COUNT, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const { scalar, simd } = overheat();
const batch = batchOf(Batch);
const one = batch.pick([0]);

/** @param {Uint8Array} bytes */
async function fed(bytes) {
	const engine = await (await loadEngine(bytes))();
	seen.outputs = seen.consumed = 0;
	engine.feed(batch);
	if (seen.outputs !== COUNT / HOT_EVERY || seen.consumed !== COUNT)
		throw new Error(`the engine reported ${JSON.stringify(seen)}`);
	return engine;
}

const engines = { scalar: await fed(scalar), simd: await fed(simd) };

await suite({
	title: "The embedded engine",
	note: `Batches of ${COUNT} and of one: a lone reading pays for its checkpoint and its pump alone.`,
	per: "reading",
	batch: COUNT,
	cases: {
		scalar: () => engines.scalar.feed(batch),
		SIMD: () => engines.simd.feed(batch),
		"SIMD, one by one": () => {
			for (let i = 0; i < COUNT; i++) engines.simd.feed(one);
		},
	},
});
