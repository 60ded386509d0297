// The short table of the README: the figures one asks for first, beside what one would have without wasieve.
import { isNoisy } from "./machine.mjs";
import { ratios } from "./stats.mjs";
import { figure, markdownOf, spelled } from "./table.mjs";

/**
 * @typedef {import("./results.mjs").Result} Result
 * @typedef {import("./results.mjs").ResultFigure} ResultFigure
 *
 * @typedef {object} Line
 * @property {string} said
 * @property {string} group
 * @property {RegExp} [title] where a group has several sections with such figures
 * @property {RegExp} name
 * @property {RegExp} own subject
 * @property {RegExp} [rival] subjects; the best of them counts
 */

const QOS = [0, 1];

/** @type {readonly Line[]} */
const LINES = [
	...QOS.map((qos) => ({
		said: `capacity at QoS ${qos}, messages a second`,
		group: "capacity",
		name: /^msg\/s$/,
		own: new RegExp(`^wasieve, QoS ${qos}$`),
		rival: new RegExp(`^bridge, .*QoS ${qos}$`),
	})),
	...QOS.map((qos) => ({
		said: `median latency at 1,000 msg/s through mosquitto, QoS ${qos}, ms`,
		group: "latency",
		name: /^p50/,
		own: new RegExp(`^wasieve, QoS ${qos}, .*defaults$`),
		rival: new RegExp(`^bridge, .*QoS ${qos}, .*defaults$`),
	})),
	...QOS.map((qos) => ({
		said: `CPU a message at 20,000 msg/s through mosquitto, QoS ${qos}, µs`,
		group: "end-to-end",
		title: /20,000/,
		name: /^CPU/,
		own: new RegExp(`^wasieve, .*mosquitto, QoS ${qos}$`),
		rival: new RegExp(`^bridge, .*mosquitto, QoS ${qos}$`),
	})),
	{
		said: "resident memory, idle, MiB",
		...{ group: "footprint", name: /^RSS idle/ },
		...{ own: /^wasieve$/, rival: /^bridge/ },
	},
	{
		said: "start to the first alert, ms",
		...{ group: "footprint", name: /first alert/ },
		...{ own: /^wasieve$/, rival: /^bridge/ },
	},
	{
		said: "in the module, SIMD, readings a second",
		...{ group: "in-module", title: /module/, name: /64 KiB/ },
		...{ own: /^overheat, SIMD$/, rival: /^JSON\.parse$/ },
	},
	{
		said: "`wasieve exec` until its alert, over `node -e 0`, ms",
		...{ group: "cold-start", name: /^over/ },
		own: /wasieve exec/,
	},
];

/**
 * @param {readonly Result[]} results the last that has a figure counts
 * @returns {string} Markdown: a table for each machine, with what it comes from; empty when no result has any of it
 */
export function summaryOf(results) {
	/** @type {Map<string, Result[]>} */
	const machines = new Map();
	for (const result of results) {
		const { cpu, arch, cores } = result.machine;
		const name = `${cpu}, ${arch}, ${cores} cores`;
		machines.set(name, [...(machines.get(name) ?? []), result]);
	}
	return [...machines].flatMap(([name, own]) => tableOf(name, own)).join("\n");
}

/** @type {(machine: string, results: readonly Result[]) => string[]} */
function tableOf(machine, results) {
	const found = LINES.flatMap((line) => {
		const result = results.findLast((each) => pick(each, line, line.own)[0]);
		return result ? [{ row: rowOf(result, line), result }] : [];
	});
	if (found.length === 0) return [];
	const table = markdownOf({
		title: machine,
		columns: ["", "wasieve", "beside it", "", "× better"],
		rows: found.map(({ row }) => row),
	});
	const sources = [...new Set(found.map(({ result }) => result))];
	return [table, `Medians with 95 % intervals. ${sources.map(told).join(" ")}`];
}

/**
 * @param {Result} result
 * @param {Line} line
 * @param {RegExp} subject
 */
function pick({ figures }, { group, title, name }, subject) {
	return figures.filter(
		(each) =>
			each.group === group &&
			subject.test(each.subject) &&
			name.test(each.name) &&
			(!title || title.test(each.title)),
	);
}

/**
 * @param {Result} result
 * @param {Line} line
 * @returns {import("./table.mjs").Cell[]}
 */
function rowOf(result, line) {
	const own = /** @type {ResultFigure} */ (pick(result, line, line.own)[0]);
	const sign = own.better === "more" ? -1 : 1;
	const [rival] = line.rival
		? pick(result, line, line.rival).sort(
				(a, b) => sign * (a.median - b.median),
			)
		: [];
	if (!rival) return [line.said, textOfFigure(own), "", "", ""];
	const sides = [own.values, rival.values];
	const [over = [], under = []] = sign < 0 ? sides : sides.reverse();
	return [
		line.said,
		textOfFigure(own),
		textOfFigure(rival),
		rival.subject.replace(/, (QoS|broker) .*/, ""),
		figure(ratios(over, under), 1),
	];
}

/**
 * @param {ResultFigure} figure
 * @returns {string} median and interval, to three digits or whole
 */
export function textOfFigure(figure) {
	const { median, low, high, exact } = figure;
	const size = Math.abs(median);
	const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
	const fewest = exact && Number.isInteger(median) ? 0 : digits;
	return spelled(figure, fewest, low !== high);
}

/** @type {(result: Result) => string} */
function told(result) {
	const { machine, method } = result;
	const { date, node, commit } = machine;
	const doubts = [
		...(isNoisy(result) ? ["the machine was not quiet"] : []),
		...(method.quick ? ["a quick run"] : []),
	];
	const doubt = doubts.length ? `; ${doubts.join(", ")}` : "";
	return `Measured ${date} UTC at commit ${commit}, Node ${node}, load ${machine.load}${doubt}.`;
}
