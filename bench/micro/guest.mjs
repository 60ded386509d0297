// The filter itself beside JSON.parse doing the same job, in the same process: bytes of a reading in, bytes of an alert out.
import { bareGuest } from "../bare-guest.mjs";
import { jsonParse } from "../rivals/json-parse.mjs";
import { COUNT, check, lines, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const modules = overheat();
const scalar = bareGuest(modules.scalar);
const simd = bareGuest(modules.simd);
check(scalar);
check(simd);

const parse = jsonParse();
check(parse);

await suite({
	title: "The overheat filter, without gateway",
	note: "Module on the least possible host, tracked mode, no fuel; JSON.parse and JSON.stringify on the same bytes.",
	per: "reading",
	batch: COUNT,
	cases: {
		"JSON.parse": () => parse.run(lines),
		scalar: () => scalar.run(lines),
		SIMD: () => simd.run(lines),
	},
	judge: (ns) => [
		faster("SIMD", ns("JSON.parse") / ns("SIMD"), 7),
		faster("scalar", ns("JSON.parse") / ns("scalar"), 3.5),
	],
});

/**
 * @param {string} name
 * @param {number} ratio
 * @param {number} aim
 */
function faster(name, ratio, aim) {
	return {
		text: `filter against JSON.parse, ${name}`,
		aim: `≥ ${aim} ×`,
		value: ratio,
		met: ratio >= aim,
	};
}
