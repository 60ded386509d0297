// One reading and many pipelines: what a visit to each of them takes, from the share's hand to the ledger.
import { Batch } from "#host/contract.js";
import { loadFilter } from "#host/engine/filter-module.js";
import { inlineEngine } from "#host/engine/inline.js";
import { Line } from "#host/pipeline/line.js";
import { LIMITS, optionsOf } from "../engine.mjs";
import { batchOf, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const LINES = 1000;
/** So many fit into the caches of a core. */
const FEW = 50;

const module = await loadFilter(overheat().simd, LIMITS);
const reading = batchOf(Batch).pick([0]);

/** @type {import("#host/contract.js").Intake[]} */
const intakes = [];
const nothing = () => {};
const ended = async () => {};
const source = { pause: nothing, resume: nothing, acknowledge: nothing };
const sink = { ready: true, commit: nothing, rollback: nothing, drain: ended };
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** @param {number} limit */
async function startLine(limit) {
	const options = optionsOf(module);
	const line = new Line({
		name: `line ${limit}`,
		source: {
			...source,
			start: async (intake) => void intakes.push(intake),
			stop: ended,
			close: ended,
		},
		engines: [inlineEngine({ ...options, env: [`LIMIT=${limit}`] })],
		sink: {
			...sink,
			start: ended,
			write: nothing,
			close: ended,
		},
		quarantine: { keep: (_failed, kept) => kept(undefined), close: ended },
		topic: undefined,
		codec: "json",
		onError: "quarantine",
		window: 1000,
		readingLimit: options.limits.reading,
		cooldown: 0,
		finite: false,
		resumeBy: "",
		clock: options.clock,
		log,
	});
	await line.start();
	intakes.at(-1)?.take(reading);
	const { taken, dropped } = line.account();
	if (taken !== 1 || dropped !== 1)
		throw new Error(`${dropped} of ${taken} readings dropped, not 1 of 1`);
}

// No reading is too hot for any of them.
for (let k = 0; k < LINES; k++) await startLine(1000 + k);

await suite({
	title: "One reading, many pipelines",
	note: `Each runs overheat with a limit of its own. ${FEW} stay in the processor's caches, ${LINES.toLocaleString("en-US")} do not; before the next reading of a slow stream they leave the last one as well.`,
	per: "pipeline",
	batch: LINES,
	cases: {
		[`${FEW}, again and again`]: () => {
			for (let k = 0; k < LINES; k++) intakes[k % FEW]?.take(reading);
		},
		[LINES.toLocaleString("en-US")]: () => {
			for (const intake of intakes) intake.take(reading);
		},
	},
});
