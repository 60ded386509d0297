// benny, quietly: runs a suite and hands the figures to bench/run.mjs, or prints them when run by hand.
import benny from "benny";

/**
 * @typedef {object} Suite
 * @property {string} title
 * @property {string} [note]
 * @property {string} per what one operation is divided into
 * @property {Array<{ name: string, ns: number, margin: number, samples: number[] }>} cases `margin` in percent, as benny says it; `samples` in ns
 * @property {Array<{ text: string, aim: string, value: number, met: boolean }>} aims
 */

const quick = process.argv.includes("--quick");

/**
 * @param {object} options
 * @param {string} options.title
 * @param {string} [options.note]
 * @param {string} options.per
 * @param {number} options.batch how many of `per` one call does
 * @param {Record<string, () => unknown>} options.cases
 * @param {(ns: (name: string) => number) => Suite["aims"]} [options.judge]
 */
export async function suite({ title, note, per, batch, cases, judge }) {
	const limits = quick
		? { minSamples: 3, maxTime: 0.2 }
		: { minSamples: 20, maxTime: 1.5 };
	const summary = await benny.suite(
		title,
		...Object.entries(cases).map(([name, run]) =>
			benny.add(
				name,
				// benny awaits what is a promise; other results only cost it a look.
				() => {
					const result = run();
					return result instanceof Promise ? result : undefined;
				},
				limits,
			),
		),
	);
	const figures = summary.results.map(({ name, details }) => ({
		name,
		ns: (details.mean * 1e9) / batch,
		margin: details.relativeMarginOfError,
		samples: details.sampleResults.map((s) => (s * 1e9) / batch),
	}));
	const ns = (/** @type {string} */ wanted) =>
		figures.find(({ name }) => name === wanted)?.ns ?? Number.NaN;
	publish({
		title,
		...(note ? { note } : {}),
		per,
		cases: figures,
		aims: judge?.(ns) ?? [],
	});
}

/** @param {Suite} done */
function publish(done) {
	if (process.send) process.send({ suite: done }, () => process.disconnect());
	else {
		console.log(done.title);
		for (const { name, ns, margin } of done.cases)
			console.log(
				`  ${name}: ${ns.toFixed(1)} ns/${done.per} ±${margin.toFixed(1)} %`,
			);
	}
}
