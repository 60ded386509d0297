// What a handful of measurements says, and when it says nothing.

/** A figure whose range is wider than this share of its median is marked unstable. */
export const UNSTABLE = 0.2;

/**
 * @typedef {object} Summary
 * @property {number} n how many values
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number} spread (max - min) / median
 * @property {boolean} unstable spread beyond {@link UNSTABLE}
 */

/**
 * @param {ArrayLike<number>} sorted ascending
 * @param {number} q 0..1
 * @returns {number} the value at or just above that share (nearest rank); NaN when there is none
 */
export function quantile(sorted, q) {
	const rank = Math.ceil(sorted.length * q) - 1;
	return sorted[Math.max(0, Math.min(sorted.length - 1, rank))] ?? Number.NaN;
}

/**
 * @param {readonly number[]} values in any order
 * @returns {number} the middle one, or the mean of the two in the middle; NaN when there is none
 */
export function median(values) {
	const sorted = Float64Array.from(values).sort();
	const half = sorted.length / 2;
	const low = sorted[Math.ceil(half) - 1] ?? Number.NaN;
	const high = sorted[Math.floor(half)] ?? Number.NaN;
	return (low + high) / 2;
}

/**
 * @param {readonly number[]} values
 * @returns {Summary}
 */
export function summarize(values) {
	const middle = median(values);
	const min = Math.min(...values);
	const max = Math.max(...values);
	const spread = max === min ? 0 : (max - min) / Math.abs(middle);
	return {
		n: values.length,
		median: middle,
		min,
		max,
		spread,
		unstable: spread > UNSTABLE,
	};
}

/**
 * Round by round, because neighbours in time share the machine's mood.
 *
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 * @returns {number[]} over[i] / under[i]
 */
export function ratios(over, under) {
	const rounds = Math.min(over.length, under.length);
	return over
		.slice(0, rounds)
		.map((value, i) => value / /** @type {number} */ (under[i]));
}
