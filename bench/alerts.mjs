// The alert rule: a figure that got worse in two runs running, each beyond what a single run may be by chance.
import { median } from "./stats.mjs";
import { momentsOf, student } from "./student.mjs";

/** Runs that say what is usual, and how many of them are needed at least. */
const USUAL = 10;
const USUAL_MIN = 3;

/**
 * @typedef {import("./history.mjs").Point} Point
 * @typedef {import("./history.mjs").Meaning} Meaning
 * @typedef {import("./history.mjs").Entry} Entry
 *
 * @typedef {object} Alert
 * @property {string} class
 * @property {string} id
 * @property {Meaning} meaning
 * @property {string[]} commits the two runs
 * @property {[low: number, high: number]} usual
 * @property {[number, number]} medians
 */

/**
 * Figures that got worse and stayed so: the whole interval of each of the last two runs lies beyond
 * what was usual in up to 10 runs before. One run beyond it may be the machine's.
 *
 * @param {readonly Entry[]} runs of one class, from old to new
 * @returns {Alert[]}
 */
export function alertsOf(runs) {
	const [before, last] = [runs.at(-2), runs.at(-1)];
	if (!before || !last) return [];
	return Object.entries(last.figures).flatMap(([id, { point, meaning }]) => {
		const previous = before.figures[id]?.point;
		const earlier = runs
			.slice(0, -2)
			.flatMap(({ figures }) => (figures[id] ? [figures[id].point] : []));
		const usual = usualOf(earlier.slice(-USUAL));
		if (!previous || !usual) return [];
		if (!beyond(previous, usual, meaning) || !beyond(point, usual, meaning))
			return [];
		return [
			{
				class: last.class,
				id,
				meaning,
				commits: [before.commit, last.commit],
				usual,
				medians: [previous[0], point[0]],
			},
		];
	});
}

/**
 * Where one more run lies with 99 % (a prediction interval by Student's t: an interval of the median would be narrower
 * than single runs are apart), and no less wide than a usual run is by itself.
 *
 * @param {readonly Point[]} points
 * @returns {[number, number] | undefined}
 */
function usualOf(points) {
	if (points.length < USUAL_MIN) return undefined;
	const { n, mean, variance } = momentsOf(points.map(([middle]) => middle));
	const half = student(n - 1, 99) * Math.sqrt(variance * (1 + 1 / n));
	return [
		Math.min(mean - half, median(points.map(([, low]) => low))),
		Math.max(mean + half, median(points.map(([, , high]) => high))),
	];
}

/**
 * @param {Point} point
 * @param {[number, number]} usual
 * @param {Meaning} meaning
 */
function beyond([, low, high], usual, { better }) {
	if (better === "less") return low > usual[1];
	return better === "more" && high < usual[0];
}

/** @param {Alert} alert */
export function alertText({
	class: where,
	id,
	commits,
	usual,
	medians,
	meaning,
}) {
	const show = (/** @type {number} */ value) =>
		Number(value.toPrecision(4)).toLocaleString("en-US", {
			maximumSignificantDigits: 4,
		});
	const [from, to] = usual.map(show);
	const seen = medians.map(show).join(", then ");
	return `alert: ${id} on ${where}: ${seen} ${meaning.unit} (${commits.join(", ")}), usual is ${from}–${to}`;
}
