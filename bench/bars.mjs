// Bars with intervals, in HTML rather than SVG: on a phone labels go above their bars, and text keeps its size.
import { escaped, short } from "./charts.mjs";

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} series which colour
 * @property {number} median
 * @property {number} low
 * @property {number} high
 * @property {boolean} unstable
 * @property {boolean} exact shown to the last digit
 */

/**
 * @param {string} title
 * @param {readonly Bar[]} bars in groups of the same label
 * @param {string} unit
 * @returns {string}
 */
export function barChart(title, bars, unit) {
	const top = Math.max(...bars.map(({ high }) => high), 0) || 1;
	const share = (/** @type {number} */ value) =>
		(Math.max(0, value) / top) * 100;
	const rows = bars.map((bar, i) => {
		const first = bars[i - 1]?.label !== bar.label;
		const value = shown(bar);
		const said = escaped(`${bar.label}: ${value} ${unit}`);
		const look = `bar s${bar.series}${bar.unstable ? " unstable" : ""}`;
		return `<div class="row${first ? "" : " same"}" title="${said}"><span class="label">${first ? escaped(bar.label) : ""}</span><span class="track"><i class="${look}" style="width:${share(bar.median).toFixed(2)}%"></i>${intervalOf(bar, share)}</span><span class="value">${escaped(value)}</span></div>`;
	});
	return `<div class="chart bars" role="img" aria-label="${escaped(title)}">${rows.join("")}</div>`;
}

/** @param {Bar} bar */
function shown({ unstable, exact, low, high, median }) {
	if (unstable) return `unstable, ${short(low)}–${short(high)}`;
	return exact ? median.toLocaleString("en-US") : short(median);
}

/** @type {(bar: Bar, share: (value: number) => number) => string} */
function intervalOf({ low, high }, share) {
	if (!(low < high)) return "";
	const width = (share(high) - share(low)).toFixed(2);
	return `<i class="interval" style="left:${share(low).toFixed(2)}%;width:${width}%"></i>`;
}
