// How far a median can be trusted: 95 % intervals by the bootstrap, the same ones in every run over the same values.
import { median, ratios, UNSTABLE } from "./stats.mjs";

/** Resamplings: the ends of a 95 % interval then stand on 50 of them each. */
const RESAMPLINGS = 2000;

/**
 * @typedef {object} Estimate
 * @property {number} n how many values
 * @property {number} median
 * @property {number} low
 * @property {number} high the median lies in [low, high] with 95 %, or with 1 - 2^(1-n) where that is less (n < 6)
 * @property {boolean} unstable the interval is wider than {@link UNSTABLE} of the median
 */

/**
 * @param {readonly number[]} values
 * @returns {Estimate}
 */
export function estimate(values) {
	const [low, high] = interval((draw) => median(draw(values)));
	const middle = median(values);
	return {
		n: values.length,
		median: middle,
		low,
		high,
		unstable: low !== high && (high - low) / Math.abs(middle) > UNSTABLE,
	};
}

/**
 * @param {import("./table.mjs").Figure} cell
 * @returns {Estimate} by its own interval where it brings one: that of a slope says little about how stable it is
 */
export function estimateOf({ samples, values, interval }) {
	if (interval) return { n: values.length, ...interval, unstable: false };
	return estimate((samples ?? values).filter(Number.isFinite));
}

/**
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 * @returns {{ ratio: number, low: number, high: number }} of the medians, over / under
 */
export function estimateRatio(over, under) {
	const [low, high] = interval(
		(draw) => median(draw(over)) / median(draw(under)),
	);
	return { ratio: median(over) / median(under), low, high };
}

/**
 * Of values that were measured side by side: what the machine did to both cancels out.
 *
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 * @returns {{ ratio: number, low: number, high: number }} over / under, the median of the rounds
 */
export function estimatePairs(over, under) {
	const { median: ratio, low, high } = estimate(ratios(over, under));
	return { ratio, low, high };
}

/**
 * @param {(draw: (values: readonly number[]) => number[]) => number} statistic computed from values drawn with replacement
 * @returns {[low: number, high: number]} its 2.5th and 97.5th percentile
 */
function interval(statistic) {
	const random = generator();
	const draw = (/** @type {readonly number[]} */ values) =>
		values.map(
			() =>
				/** @type {number} */ (values[Math.floor(random() * values.length)]),
		);
	const found = Float64Array.from({ length: RESAMPLINGS }, () =>
		statistic(draw),
	).sort();
	const at = (/** @type {number} */ share) =>
		/** @type {number} */ (found[Math.floor(share * (RESAMPLINGS - 1))]);
	return [at(0.025), at(0.975)];
}

/** A 32-bit xorshift with a fixed seed: an interval must not depend on when it was computed. */
function generator() {
	let state = 0x9e3779b9;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 2 ** 32;
	};
}
