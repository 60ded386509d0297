// A straight line through points, and how far its slope can be trusted.

/** Student's t, 97.5 %, for 1 … 20 degrees of freedom; 1.96 and a little beyond. */
const STUDENT = [
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201,
	2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
];

/**
 * @param {readonly (readonly [x: number, y: number])[]} points at least three
 * @returns {{ median: number, low: number, high: number }} the slope by least squares and its 95 % interval
 */
export function slopeOf(points) {
	const n = points.length;
	const mean = (/** @type {0 | 1} */ k) =>
		points.reduce((sum, point) => sum + point[k], 0) / n;
	const [x0, y0] = [mean(0), mean(1)];
	const sxx = points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
	const sxy = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
	const slope = sxy / sxx;
	const residue = points.reduce(
		(sum, [x, y]) => sum + (y - y0 - slope * (x - x0)) ** 2,
		0,
	);
	const t = STUDENT[n - 3] ?? 2;
	const half = t * Math.sqrt(residue / (n - 2) / sxx);
	return { median: slope, low: slope - half, high: slope + half };
}
