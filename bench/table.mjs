// The report: the same rows for a terminal, for bench/README.md and for a machine.
import { readFileSync, writeFileSync } from "node:fs";
import { estimateOf } from "./estimate.mjs";
import { median } from "./stats.mjs";

/**
 * @typedef {object} Figure measured
 * @property {number[]} values one a round
 * @property {number} [digits]
 * @property {number[]} [samples] what stands behind a single value, where that is a mean of many
 * @property {string} [unit] where the column's heading does not say it
 * @property {"more" | "less" | "neither"} [better]
 * @property {{ median: number, low: number, high: number }} [interval] where it is not that of the median of `values`
 * @property {boolean} [exact] the same in every run and on every machine
 * @typedef {string | Figure} Cell
 * @typedef {{ text: string, aim: string, values: number[], digits?: number, interval?: Figure["interval"], met: (median: number) => boolean }} Aim
 * @typedef {object} Section
 * @property {string} title
 * @property {string} [note]
 * @property {string[]} columns
 * @property {Cell[][]} rows
 * @property {Aim[]} [aims]
 */

export const BEGIN = "<!-- bench:begin -->";
export const END = "<!-- bench:end -->";

/**
 * @param {readonly number[]} values one a round
 * @param {number} [digits] after the point
 * @param {number} [scale] divides the values
 * @returns {Figure}
 */
export function figure(values, digits = 2, scale = 1) {
	return { values: values.map((value) => value / scale), digits };
}

/**
 * @param {{ median: number, low: number, high: number }} interval
 * @param {number} digits
 */
export function within(interval, digits) {
	return { values: [interval.median], digits, interval };
}

/**
 * The same in every run and on every machine, whatever its rounds.
 *
 * @param {number} value
 * @param {string} unit
 * @param {"more" | "less" | "neither"} [better]
 * @returns {Figure}
 */
export function exactly(value, unit, better = "less") {
	const digits = Number.isInteger(value) ? 0 : 1;
	return { values: [value], digits, unit, better, exact: true };
}

/**
 * @param {Cell} cell
 * @returns {string} `median (interval)`; `unstable (interval)` when that is too wide for a number
 */
export function textOf(cell) {
	if (typeof cell === "string") return cell;
	const { samples: _, ...shown } = cell;
	const found = estimateOf(shown);
	if (found.n === 0 || Number.isNaN(found.median)) return "-";
	return spelled(found, cell.digits, found.n > 1 || Boolean(cell.interval));
}

/**
 * @param {{ median: number, low: number, high: number, unstable: boolean }} estimate
 * @param {number} [digits] after the point
 * @param {boolean} [ranged] whether there is an interval to show
 * @returns {string} `median (interval)`
 */
export function spelled(estimate, digits, ranged = true) {
	const { median, low, high, unstable } = estimate;
	const show = (/** @type {number} */ value) => grouped(value, digits);
	const range = ranged ? ` (${show(low)}–${show(high)})` : "";
	return `${unstable ? "unstable" : show(median)}${range}`;
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function grouped(value, digits = 2) {
	return value.toLocaleString("en-US", {
		minimumFractionDigits: digits,
		maximumFractionDigits: digits,
	});
}

/**
 * @param {Section} section
 * @returns {string} a Markdown table, aligned so that it reads in a terminal as well
 */
export function markdownOf({ title, note, columns, rows }) {
	const cells = [columns, ...rows.map((row) => row.map(textOf))];
	const widths = columns.map((_, i) =>
		Math.max(3, ...cells.map((row) => (row[i] ?? "").length)),
	);
	const line = (/** @type {string[]} */ row) =>
		`| ${row.map((cell, i) => pad(cell, widths[i] ?? 0, i)).join(" | ")} |`;
	const rule = `|${widths.map((width, i) => (i ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2))).join("|")}|`;
	const [head, ...body] = cells.map(line);
	return [`### ${title}`, "", ...(note ? [note, ""] : []), head, rule, ...body]
		.join("\n")
		.concat("\n");
}

/**
 * @param {string} cell
 * @param {number} width
 * @param {number} column the first holds names, the others numbers
 */
function pad(cell, width, column) {
	return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/**
 * @param {readonly Section[]} sections
 * @returns {Section | undefined} aim, figure, verdict
 */
export function verdicts(sections) {
	return verdictsOf(sections.flatMap(({ aims = [] }) => aims.map(judged)));
}

/** @typedef {ReturnType<typeof judged>} Judged */

/** @param {Aim} aim */
export function judged({ text, aim, values, digits, interval, met }) {
	const own = interval ? { interval } : {};
	const measured = textOf({ ...figure(values, digits), ...own });
	return { text, aim, measured, met: met(median(values)) };
}

/**
 * @param {readonly Judged[]} aims
 * @returns {Section | undefined}
 */
export function verdictsOf(aims) {
	if (aims.length === 0) return undefined;
	return {
		title: "Aims",
		columns: ["", "aim", "measured", "met"],
		rows: aims.map(({ text, aim, measured, met }) => [
			text,
			aim,
			measured,
			met ? "yes" : "**no**",
		]),
	};
}

/**
 * Replaces what stands between the two marks of a file.
 *
 * @param {string} file
 * @param {string} text
 * @throws when a mark is missing
 */
export function replaceBlock(file, text) {
	const old = readFileSync(file, "utf8");
	const from = old.indexOf(BEGIN);
	const to = old.indexOf(END);
	if (from < 0 || to < from)
		throw new Error(`${file} has no ${BEGIN} … ${END} block`);
	const head = old.slice(0, from + BEGIN.length);
	writeFileSync(file, `${head}\n\n${text.trim()}\n\n${old.slice(to)}`);
}
