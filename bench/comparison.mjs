// Two results, figure by figure: the ratio with its interval, and the verdict that it allows.
import { estimatePairs, estimateRatio } from "./estimate.mjs";
import { classOf } from "./history.mjs";
import { isCounted } from "./machine.mjs";
import { UNSTABLE } from "./stats.mjs";

/** Rounds below which an interval says nothing. */
export const ROUNDS_MIN = 3;
/** Percent that nobody calls a difference. */
export const THRESHOLD = 2;

/**
 * @typedef {import("./results.mjs").ResultFigure} ResultFigure
 * @typedef {import("./results.mjs").Result} Result
 * @typedef {"worse" | "gone" | "better" | "changed" | "new" | "unstable" | "elsewhere" | "same"} Verdict
 *   Worse and better are told by the figure (slower, bigger, more …); changed is what moved and is neither; elsewhere
 *   is what is not exact and was measured on another machine.
 *
 * @typedef {object} Comparison
 * @property {ResultFigure | undefined} a
 * @property {ResultFigure | undefined} b
 * @property {string} id
 * @property {boolean} exact
 * @property {number} ratio B / A
 * @property {number} low
 * @property {number} high
 * @property {Verdict} verdict
 */

/**
 * @param {Result} a
 * @param {Result} b
 * @param {number} [threshold] percent
 * @returns {Comparison[]} in the order of A, what only B has behind
 */
export function compare(a, b, threshold = THRESHOLD) {
	const here = {
		paired: Boolean(a.method.paired && b.method.paired),
		elsewhere: classOf(a.machine) !== classOf(b.machine),
	};
	const before = new Map(a.figures.map((each) => [each.id, each]));
	const after = new Map(b.figures.map((each) => [each.id, each]));
	return [...new Set([...before.keys(), ...after.keys()])].map((id) => {
		const [was, is] = [before.get(id), after.get(id)];
		const exact = (was ?? is)?.exact ?? false;
		const none = { ratio: Number.NaN, low: Number.NaN, high: Number.NaN };
		if (!was) return { id, exact, a: was, b: is, ...none, verdict: "new" };
		if (!is) return { id, exact, a: was, b: is, ...none, verdict: "gone" };
		return {
			id,
			exact,
			a: was,
			b: is,
			...judge(was, is, threshold / 100, here),
		};
	});
}

/**
 * @param {ResultFigure} a
 * @param {ResultFigure} b
 * @param {number} threshold share
 * @param {{ paired: boolean, elsewhere: boolean }} here whether the values of A and B were measured side by side, or on different machines
 * @returns {Pick<Comparison, "ratio" | "low" | "high" | "verdict">}
 */
function judge(a, b, threshold, { paired, elsewhere }) {
	// What never was anything else needs no rounds; and nothing against nothing has no ratio.
	const only = [...new Set([...a.values, ...b.values])];
	if (only.length === 1) return { ratio: 1, low: 1, high: 1, verdict: "same" };
	if (a.exact && b.exact) {
		const ratio = b.median / a.median;
		return { ratio, low: ratio, high: ratio, verdict: direction(a, ratio > 1) };
	}
	const found = paired
		? estimatePairs(b.values, a.values)
		: estimateRatio(b.values, a.values);
	if (elsewhere) return { ...found, verdict: "elsewhere" };
	if (isCounted(a) && isCounted(b))
		return { ...found, verdict: direction(a, found.ratio > 1) };
	if (Math.min(a.values.length, b.values.length) < ROUNDS_MIN)
		return { ...found, verdict: "unstable" };
	const { low, high } = found;
	if (low > 1 + threshold || high < 1 - threshold)
		return { ...found, verdict: direction(a, low > 1) };
	// It may be the same, or not: a wide interval cannot tell.
	const wide = !(high - low <= UNSTABLE);
	return { ...found, verdict: wide ? "unstable" : "same" };
}

/**
 * @param {ResultFigure} figure
 * @param {boolean} grew
 * @returns {Verdict}
 */
function direction({ better }, grew) {
	if (better === "neither") return "changed";
	return grew === (better === "more") ? "better" : "worse";
}

const GATES = ["exact", "all", "none"];

/** @typedef {"exact" | "all" | "none"} Gate which figures may not become worse, or vanish */

/**
 * @param {readonly Comparison[]} comparisons
 * @param {Gate} gate
 * @returns {Comparison[]} those that break it
 */
export function broken(comparisons, gate) {
	if (gate === "none") return [];
	return comparisons.filter(
		({ verdict, exact }) =>
			(verdict === "worse" || verdict === "gone") && (exact || gate === "all"),
	);
}

/**
 * @param {string} gate
 * @throws when there is no such gate
 */
export function checkGate(gate) {
	if (!GATES.includes(gate))
		throw new Error(`--gate ${gate}: ${GATES.join(", ")}`);
}
