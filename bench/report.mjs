// The report: one HTML file with everything in it, for results of any number of architectures and their history.
//
//   npm run bench:report -- RESULT.json… [--history DIR] [-o bench/results/report.html]
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { alertsOf, alertText } from "./alerts.mjs";
import { barChart } from "./bars.mjs";
import { dotChart, escaped, lineChart, short } from "./charts.mjs";
import { headlines } from "./headlines.mjs";
import { readHistory } from "./history.mjs";
import { isNoisy } from "./machine.mjs";
import { STYLE } from "./report-style.mjs";
import { readResult } from "./results.mjs";

const FOLDER = fileURLToPath(new URL("results/", import.meta.url));
/** Trends of each class of machines that are seen at once; the others are folded away. */
const TRENDS = 24;

/**
 * @typedef {import("./results.mjs").Result} Result
 * @typedef {import("./results.mjs").ResultFigure} ResultFigure
 * @typedef {import("./history.mjs").Entry} Entry
 */

/**
 * @param {readonly Result[]} results
 * @param {ReadonlyMap<string, readonly Entry[]>} [history]
 * @returns {string} a page that loads nothing
 */
export function reportHtml(results, history = new Map()) {
	const names = seriesNames(results);
	const sections = sectionsOf(results);
	const groups = [...new Set(sections.map(({ group }) => group))];
	const commits = [...new Set(results.map(({ machine }) => machine.commit))];
	const trends = [...history].map(([name, runs]) => trendsOf(name, runs));
	const links = [...groups, ...(trends.length ? ["history"] : [])]
		.map((group) => `<a href="#${group}">${escaped(spoken(group))}</a>`)
		.join("");
	const body = [
		`<header><h1>wasieve <span>benchmark</span></h1><p class="commit">${escaped(commits.join(", "))}</p><nav>${links}</nav></header>`,
		`<section class="machines">${results.map((result, i) => machineCard(result, names[i] ?? "", i)).join("")}</section>`,
		headlines(results, names),
		sizeAndSpeed(results, names),
		...groups.map(
			(group) =>
				`<section id="${group}"><h2>${escaped(spoken(group))}</h2>${sections
					.filter((each) => each.group === group)
					.map((section) => sectionHtml(section, names))
					.join("")}</section>`,
		),
		...(trends.length
			? [`<section id="history"><h2>history</h2>${trends.join("")}</section>`]
			: []),
		`<footer>Bars and dots are medians, brackets and bands their 95 % intervals. <b>unstable</b>: the interval is wider than a fifth of the median, so there is no number to quote. <b>exact</b>: counted, the same on every machine and in every run.</footer>`,
	];
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>wasieve benchmark, ${escaped(commits.join(", "))}</title><style>${STYLE}</style></head>
<body><main>${body.join("\n")}</main></body></html>
`;
}

/** @type {(n: number, what: string) => string} */
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** @param {string} group */
const spoken = (group) => group.replaceAll("-", " ");

/**
 * @param {readonly Result[]} results
 * @returns {string[]} the architecture, with the commit or a number where that is not enough
 */
function seriesNames(results) {
	const arches = results.map(({ machine }) => machine.arch);
	const twice = (/** @type {string} */ name, /** @type {string[]} */ all) =>
		all.filter((other) => other === name).length > 1;
	const named = results.map(({ machine: { arch, commit } }) =>
		twice(arch, arches) ? `${arch} ${commit}` : arch,
	);
	return named.map((name, i) =>
		twice(name, named) ? `${name} #${i + 1}` : name,
	);
}

/**
 * @param {Result} result
 * @param {string} name
 * @param {number} series
 */
function machineCard(result, name, series) {
	const { machine, method } = result;
	const engines = Object.entries(machine.engines)
		.map(([engine, version]) => `${engine} ${version}`)
		.join(", ");
	const mood = `load ${machine.load}, ${machine.busy.toFixed(2)} cores busy, ${machine.stolen.toFixed(2)} stolen`;
	const facts = [
		["CPU", `${machine.cpu}, ${machine.cores} cores, ${machine.memory}`],
		["governor", machine.governor],
		["system", `${machine.kernel}, Node ${machine.node}`],
		["engines", engines],
		["before", mood],
		["run", `${machine.date} UTC, ${counted(method.rounds, "round")}`],
	];
	const warnings = [
		...(isNoisy(result)
			? ["Not quiet: times compare at best, do not quote them."]
			: []),
		...(method.quick ? ["A quick run: it shows that everything works."] : []),
	];
	return `<article class="machine"><h3><i class="key s${series % 4}"></i>${escaped(name)}</h3>${warnings.map((text) => `<p class="warning">${escaped(text)}</p>`).join("")}<dl>${facts.map(([key = "", value = ""]) => `<dt>${key}</dt><dd>${escaped(value)}</dd>`).join("")}</dl></article>`;
}

/**
 * @typedef {object} Section
 * @property {string} group
 * @property {string} title
 * @property {Map<string, { series: number, figure: ResultFigure }[]>} columns figures by name
 */

/**
 * @param {readonly Result[]} results
 * @returns {Section[]}
 */
function sectionsOf(results) {
	/** @type {Map<string, Section>} */
	const sections = new Map();
	for (const [series, { figures }] of results.entries())
		for (const figure of figures) {
			const { group, title, name } = figure;
			const key = `${group}/${title}`;
			const section = sections.get(key) ?? { group, title, columns: new Map() };
			sections.set(key, section);
			const column = section.columns.get(name) ?? [];
			section.columns.set(name, column);
			column.push({ series: series % 4, figure });
		}
	return [...sections.values()];
}

/**
 * @param {Section} section
 * @param {readonly string[]} names
 */
function sectionHtml({ title, columns }, names) {
	const charts = [...columns].map(([name, found]) => {
		const figures = bySubject(found);
		const first = figures[0]?.figure;
		if (!first) return "";
		const exact = first.exact ? '<span class="tag">exact</span>' : "";
		// That of a rival says neither.
		const better = figures.find(({ figure }) => figure.better !== "neither");
		const good = better ? `${better.figure.better} is better` : "";
		const bars = figures.map(({ series, figure }) => ({
			...figure,
			label: figure.subject,
			series,
		}));
		const heading = name || title;
		// "p50 ms" has said it, and so has "msg/s".
		const told = heading.includes(first.unit) || first.unit === "1/s";
		const unit = told ? "" : first.unit;
		return `<figure><figcaption>${escaped(heading)} ${exact}<small>${escaped([unit, good].filter(Boolean).join(", "))}</small></figcaption>${barChart(`${title}: ${heading}`, bars, first.unit)}</figure>`;
	});
	return `<article><h3>${escaped(title)}</h3>${charts.join("")}<details><summary>as a table</summary>${tableOf(columns, names)}</details></article>`;
}

/**
 * @template {{ figure: ResultFigure }} F
 * @param {readonly F[]} found
 * @returns {F[]} those of a subject together
 */
function bySubject(found) {
	const order = [...new Set(found.map(({ figure }) => figure.subject))];
	return order.flatMap((subject) =>
		found.filter(({ figure }) => figure.subject === subject),
	);
}

/**
 * @param {Section["columns"]} columns
 * @param {readonly string[]} names
 */
function tableOf(columns, names) {
	const rows = [...columns].flatMap(([name, found]) =>
		bySubject(found).map(({ series, figure }) => {
			const { subject, median, low, high, unit, unstable } = figure;
			const cells = [
				subject,
				name,
				names[series] ?? "",
				unstable ? "unstable" : short(median),
				low < high ? `${short(low)}–${short(high)}` : "",
				unit,
			];
			return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
		}),
	);
	return `<div class="scroll"><table><tr><th>subject</th><th>figure</th><th>machine</th><th>median</th><th>95 %</th><th>unit</th></tr>${rows.join("")}</table></div>`;
}

/**
 * A dot for each filter whose size and speed were both measured.
 *
 * @param {readonly Result[]} results
 * @param {readonly string[]} names
 */
function sizeAndSpeed(results, names) {
	/** @type {Set<string>} */
	const labelled = new Set();
	const dots = results.flatMap(({ figures }, series) => {
		const sizes = figures.filter(
			({ group, title, name }) =>
				group === "size" && title === "Modules" && name === "bytes",
		);
		return sizes.flatMap(({ subject, median }) => {
			const speed = figures.find(
				(each) =>
					each.group === "in-module" &&
					each.subject === subject &&
					each.name.endsWith("64 KiB"),
			);
			if (!speed) return [];
			const where = results.length > 1 ? `, ${names[series]}` : "";
			const told = labelled.has(subject);
			labelled.add(subject);
			return [
				{
					name: `${subject}${where}`,
					// A filter is as large on every machine: the colour says which it is.
					label: told ? "" : subject,
					series: series % 4,
					x: median,
					y: speed.median,
				},
			];
		});
	});
	if (dots.length === 0) return "";
	const axes = { x: "bytes of the module", y: "readings/s at 64 KiB" };
	return `<section id="size-speed"><h2>size and speed</h2><article><figure><figcaption>The filters shipped <small>up and to the left is better</small></figcaption>${dotChart("Size and speed of the filters", dots, axes)}</figure></article></section>`;
}

/**
 * @param {string} name of a class of machines
 * @param {readonly Entry[]} runs from old to new
 */
function trendsOf(name, runs) {
	const alerts = alertsOf(runs);
	const alarming = new Set(alerts.map(({ id }) => id));
	const last = runs.at(-1)?.figures ?? {};
	const known = Object.keys(last)
		.filter((id) => runs.filter(({ figures }) => figures[id]).length > 1)
		.sort((a, b) => rank(b) - rank(a));
	/** What has an alert comes first, what has no better and worse last. */
	function rank(/** @type {string} */ id) {
		const judged = last[id]?.meaning.better !== "neither";
		return 2 * Number(alarming.has(id)) + Number(judged);
	}
	const charts = known.map((id) => trend(id, runs, alarming.has(id)));
	const more = charts.slice(TRENDS);
	const rest = more.length
		? `<details><summary>${more.length} more</summary><div class="grid">${more.join("")}</div></details>`
		: "";
	const told = alerts.length
		? `<ul class="alerts">${alerts.map((each) => `<li>${escaped(alertText(each))}</li>`).join("")}</ul>`
		: "<p>No alerts: nothing got worse in two runs running.</p>";
	return `<article><h3>${escaped(name)} <small>${counted(runs.length, "run")}</small></h3>${told}<div class="grid">${charts.slice(0, TRENDS).join("")}</div>${rest}</article>`;
}

/**
 * @param {string} id
 * @param {readonly Entry[]} runs
 * @param {boolean} alarming
 */
function trend(id, runs, alarming) {
	const known = runs.filter(({ figures }) => figures[id]);
	const meaning = known.at(-1)?.figures[id]?.meaning;
	if (meaning === undefined) return "";
	const points = known.map(({ commit, figures }, i) => {
		const [median, low, high] = figures[id]?.point ?? [0, 0, 0];
		const alert = alarming && i >= known.length - 2;
		return { median, low, high, alert, name: commit };
	});
	const { group, subject, name, unit } = meaning;
	const title = `${spoken(group)}: ${subject}, ${name}`;
	const lines = [{ label: subject, series: 0, points }];
	return `<figure><figcaption>${escaped(title)} <small>${escaped(unit)}</small></figcaption>${lineChart(title, lines, unit)}</figure>`;
}

const USAGE = `npm run bench:report -- RESULT.json… [flags]
  --history DIR     lines over the runs that npm run bench:history has kept there; needs no result
  -o, --output FILE the page (default bench/results/report.html)
Exit codes: 0 done, 2 wrong command line or file.
`;

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print to stdout
 * @param {(text: string) => void} complain to stderr
 * @returns {number} exit code
 */
export function writeReport(argv, print, complain) {
	if (argv.includes("--help")) {
		print(USAGE);
		return 0;
	}
	try {
		print(`written: ${written(argv)}`);
		return 0;
	} catch (error) {
		complain(`report: ${/** @type {Error} */ (error).message}\n\n${USAGE}`);
		return 2;
	}
}

/**
 * @param {readonly string[]} argv
 * @returns {string} the file
 */
function written(argv) {
	const { values, positionals } = parseArgs({
		args: [...argv],
		allowPositionals: true,
		options: {
			history: { type: "string" },
			output: {
				type: "string",
				short: "o",
				default: join(FOLDER, "report.html"),
			},
		},
	});
	const { history, output } = values;
	if (positionals.length === 0 && history === undefined)
		throw new Error("name the results, or a --history");
	const runs = history ? readHistory(resolve(history)) : new Map();
	writeFileSync(resolve(output), reportHtml(positionals.map(readResult), runs));
	return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	process.exitCode = writeReport(
		process.argv.slice(2),
		console.log,
		console.error,
	);
