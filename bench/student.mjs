// Student's t, for the few values that a benchmark has.

/** Two-sided 95 % and 99 %, for 1 … 20 degrees of freedom; beyond, that of 20, which is a little too wide. */
const QUANTILES = {
	95: [
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
	],
	99: [
		63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169, 3.106,
		3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845,
	],
};

/**
 * @param {number} freedom degrees of it, at least 1; what lies between two counts as the lower
 * @param {95 | 99} percent
 * @returns {number}
 */
export function student(freedom, percent = 95) {
	const row = QUANTILES[percent];
	const at = Math.min(row.length, Math.floor(freedom)) - 1;
	return row[at] ?? Number.NaN;
}

/**
 * @param {readonly number[]} values
 * @returns {{ n: number, mean: number, variance: number }} of the population they are drawn from
 */
export function momentsOf(values) {
	const n = values.length;
	const mean = values.reduce((sum, value) => sum + value, 0) / n;
	const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
	return { n, mean, variance: squares / (n - 1) };
}
