// A new instance of a module that is compiled already: linked, its top level run, hello answered, ready for a reading.
import { loadEngine } from "../engine.mjs";
import { overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const AIM_US = 100;

const { scalar, simd } = overheat();
const make = { scalar: await loadEngine(scalar), simd: await loadEngine(simd) };

/** @param {() => Promise<import("#host/contract.js").Engine>} start */
async function once(start) {
	const engine = await start();
	await engine.close();
}

await suite({
	title: "Instantiate",
	per: "instance",
	batch: 1,
	cases: {
		scalar: () => once(make.scalar),
		SIMD: () => once(make.simd),
	},
	judge: (ns) => [
		{
			text: "instantiate, µs",
			aim: `≤ ${AIM_US} µs`,
			value: ns("scalar") / 1000,
			met: ns("scalar") / 1000 <= AIM_US,
		},
	],
});
