// How far a median can be trusted: 95 % intervals, the same ones in every run over the same values.
import { median, ratios, UNSTABLE } from "./stats.mjs";
import { momentsOf, student } from "./student.mjs";

/** Values a side with which the bootstrap of a ratio errs no more often than it says; below, Student's t. */
const RESAMPLED_MIN = 5;
/** Pairs with which order statistics reach 95 %. */
const RANKED_MIN = 6;

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
 * The interval is one of order statistics: ranks n/2 ± (0.98 √n + ½) hold the median with 95 %, whatever the distribution
 * (binomial, by its normal approximation with the correction for steps: without the half, 8 values were 93 %).
 *
 * @param {readonly number[]} values
 * @returns {Estimate}
 */
export function estimate(values) {
	const sorted = Float64Array.from(values).sort();
	const n = sorted.length;
	const at = (/** @type {number} */ rank) =>
		sorted[Math.max(0, Math.min(n - 1, rank))] ?? Number.NaN;
	const half = 0.98 * Math.sqrt(n) + 0.5;
	const low = at(Math.floor(n / 2 - half));
	const high = at(Math.ceil(n / 2 + half) - 1);
	const middle = median(values);
	return {
		n,
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
	if (Math.min(over.length, under.length) < RESAMPLED_MIN)
		return { ratio: median(over) / median(under), ...welch(over, under) };
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
	const pairs = ratios(over, under);
	const { median: ratio, low, high } = estimate(pairs);
	if (pairs.length >= RANKED_MIN) return { ratio, low, high };
	const { n, mean, variance } = momentsOf(pairs.map(Math.log));
	return { ratio, ...around(mean, variance / n, n - 1) };
}

/**
 * Of the logarithms, with variances of their own: what is slow is so by a factor.
 *
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 */
function welch(over, under) {
	const [a, b] = [over, under].map((values) => {
		const { n, mean, variance } = momentsOf(values.map(Math.log));
		return { n, mean, share: variance / n };
	});
	if (!a || !b) throw new Error("two sides are compared");
	const error = a.share + b.share;
	const freedom =
		error ** 2 / (a.share ** 2 / (a.n - 1) + b.share ** 2 / (b.n - 1));
	return around(a.mean - b.mean, error, error > 0 ? freedom : a.n + b.n - 2);
}

/** @type {(mean: number, error: number, freedom: number) => { low: number, high: number }} back from logarithms */
function around(mean, error, freedom) {
	const half = student(freedom) * Math.sqrt(error);
	return { low: Math.exp(mean - half), high: Math.exp(mean + half) };
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
