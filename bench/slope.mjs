// A straight line through points, and how far its slope can be trusted.

import { student } from "./student.mjs";

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
	const half = student(n - 2) * Math.sqrt(residue / (n - 2) / sxx);
	return { median: slope, low: slope - half, high: slope + half };
}
