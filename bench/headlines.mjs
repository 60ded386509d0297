// The few figures that a reader looks for first, large, where they were measured.
import { escaped, short } from "./charts.mjs";

/** @typedef {import("./results.mjs").ResultFigure} ResultFigure */

/** @type {readonly { said: string, group: string, subject: RegExp, name: RegExp }[]} */
const HEADLINES = [
	{
		said: "messages a second, one core, QoS 0",
		...{ group: "capacity", subject: /^wasieve, QoS 0/, name: /^msg\/s/ },
	},
	{
		said: "messages a second, one core, QoS 1",
		...{ group: "capacity", subject: /^wasieve, QoS 1/, name: /^msg\/s/ },
	},
	{
		said: "median latency at 1,000 msg/s through mosquitto, QoS 0",
		...{ group: "latency", subject: /^wasieve, QoS 0.*defaults/, name: /^p50/ },
	},
	{
		said: "readings a second in the module, SIMD",
		...{ group: "in-module", subject: /^overheat, SIMD$/, name: /64 KiB/ },
	},
	{
		said: "from a module's bytes to its first alert, in a running gateway",
		...{ group: "cold-start", subject: /^inside a running/, name: /^bytes/ },
	},
	{
		said: "resident memory of an idle gateway",
		...{ group: "footprint", subject: /^wasieve$/, name: /idle/ },
	},
	{
		said: "the module, the seed rule",
		...{ group: "size", subject: /^overheat$/, name: /^bytes$/ },
	},
	{
		said: "instructions a reading, SIMD",
		...{ group: "cost", subject: /^overheat, SIMD$/, name: /^instructions/ },
	},
];

/**
 * @param {readonly import("./results.mjs").Result[]} results
 * @param {readonly string[]} names of the results
 * @returns {string} a tile for each that was measured; what is unstable has its interval
 */
export function headlines(results, names) {
	const tiles = HEADLINES.flatMap(({ said, group, subject, name }) => {
		const found = results.flatMap(({ figures }, series) => {
			const figure = figures.find(
				(each) =>
					each.group === group &&
					subject.test(each.subject) &&
					name.test(each.name),
			);
			return figure ? [lineOf(figure, series, names[series] ?? "")] : [];
		});
		if (found.length === 0) return [];
		return [`<div class="tile">${found.join("")}<p>${escaped(said)}</p></div>`];
	});
	return tiles.length
		? `<section class="tiles">${tiles.join("")}</section>`
		: "";
}

/** @type {(figure: ResultFigure, series: number, name: string) => string} */
function lineOf({ median, low, high, unstable, exact, unit }, series, name) {
	const number = unstable
		? `${short(low)}–${short(high)}`
		: exact
			? median.toLocaleString("en-US")
			: short(median);
	const behind = unit === "1/s" || unit === "instructions" ? "" : unit;
	return `<div class="number${unstable ? " unsure" : ""}" title="${escaped(name)}"><i class="key s${series % 4}"></i>${escaped(number)} <small>${escaped(behind)}</small></div>`;
}
