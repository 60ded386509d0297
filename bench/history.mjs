// History: one line of JSON a run, in one file for each architecture and machine class; nothing is ever rewritten.
//
//   npm run bench:history -- append RESULT.json… [--dir bench/history]   adds a line for each
//   npm run bench:history -- alerts [--dir DIR]        exit code 1 when a figure got worse in two runs running
//   npm run bench:history -- action RESULT.json… --smaller FILE --bigger FILE   for github-action-benchmark
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { estimate } from "./estimate.mjs";
import { readResult } from "./results.mjs";

const FOLDER = fileURLToPath(new URL("history/", import.meta.url));

/** Runs that say what is usual, and how many of them are needed at least. */
const USUAL = 10;
const USUAL_MIN = 3;

/**
 * @typedef {[median: number, low: number, high: number]} Point
 * @typedef {{ title: string, subject: string, name: string, group: string, unit: string, better: "more" | "less" | "neither" }} Meaning
 *
 * @typedef {object} Entry a line of a history
 * @property {string} schema
 * @property {string} date
 * @property {string} commit
 * @property {string} class of the machine
 * @property {string} arch
 * @property {Record<string, { point: Point, meaning: Meaning }>} figures
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
 * @param {Pick<import("./machine.mjs").Machine, "arch" | "cpu" | "cores">} machine
 * @returns {string} machines of one class may be compared: a CPU model and a number of cores
 */
export function classOf({ arch, cpu, cores }) {
	const model = cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
	return `${arch}-${model.replaceAll(/^-|-$/g, "") || "unknown"}-${cores}`;
}

/**
 * @param {import("./results.mjs").Result} result
 * @returns {Entry}
 */
export function entryOf({ machine, figures }) {
	return {
		schema: "wasieve-history/1",
		date: machine.date,
		commit: machine.commit,
		class: classOf(machine),
		arch: machine.arch,
		figures: Object.fromEntries(
			figures.map(({ id, median, low, high, ...each }) => {
				const { title, subject, name, group, unit, better } = each;
				const meaning = { title, subject, name, group, unit, better };
				return [id, { point: [median, low, high], meaning }];
			}),
		),
	};
}

/**
 * @param {string} folder
 * @param {import("./results.mjs").Result} result
 * @returns {string} the file that has a line more
 */
export function appendRun(folder, result) {
	const entry = entryOf(result);
	mkdirSync(folder, { recursive: true });
	const file = join(folder, `${entry.class}.ndjson`);
	appendFileSync(file, `${JSON.stringify(entry)}\n`);
	return file;
}

/**
 * @param {string} folder
 * @returns {Map<string, Entry[]>} the runs of each class, from old to new
 */
export function readHistory(folder) {
	if (!existsSync(folder)) return new Map();
	const files = readdirSync(folder).filter((name) => name.endsWith(".ndjson"));
	return new Map(
		files.sort().map((name) => {
			const text = readFileSync(join(folder, name), "utf8");
			const runs = text
				.split("\n")
				.filter(Boolean)
				.map((line, i) => parsed(line, name, i + 1));
			return [name.slice(0, -".ndjson".length), runs];
		}),
	);
}

/**
 * @param {string} line
 * @param {string} file
 * @param {number} number
 * @returns {Entry}
 */
function parsed(line, file, number) {
	try {
		return JSON.parse(line);
	} catch (cause) {
		throw new Error(`${file}, line ${number}: not JSON`, { cause });
	}
}

/**
 * Figures that got worse and stayed so: the whole interval of each of the last two runs lies beyond
 * what was usual, the interval over the medians and their own intervals of up to 10 runs before. One
 * run beyond it may be the machine's.
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
			.flatMap(({ figures }) => figures[id]?.point ?? []);
		const usual = usualOf(earlier);
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
 * @param {readonly number[]} flat medians, lows and highs in turn
 * @returns {[number, number] | undefined}
 */
function usualOf(flat) {
	const points = flat.slice(-3 * USUAL);
	const pick = (/** @type {number} */ k) =>
		points.filter((_, i) => i % 3 === k);
	if (pick(0).length < USUAL_MIN) return undefined;
	const medians = estimate(pick(0));
	// As wide as the runs lie apart, and as a usual run is by itself.
	return [
		Math.min(medians.low, estimate(pick(1)).median),
		Math.max(medians.high, estimate(pick(2)).median),
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

/**
 * What github-action-benchmark takes as customSmallerIsBetter or customBiggerIsBetter.
 *
 * @param {readonly import("./results.mjs").Result[]} results
 * @param {"more" | "less"} better
 * @returns {{ name: string, unit: string, value: number, range: string, extra: string }[]}
 */
export function actionJson(results, better) {
	return results.flatMap(({ machine, figures }) =>
		figures
			.filter((each) => each.better === better && !each.unstable)
			.map(({ id, unit, median, low, high, title, subject, name }) => ({
				name: `${machine.arch}/${id}`,
				unit,
				value: median,
				range: `${low}–${high}`,
				extra: `${title}: ${subject}, ${name}; ${machine.cpu}`,
			})),
	);
}

const USAGE = `npm run bench:history -- append RESULT.json… [--dir bench/history]
npm run bench:history -- alerts [--dir bench/history]
npm run bench:history -- action RESULT.json… --smaller FILE --bigger FILE
`;

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print
 * @returns {number} exit code: 0 done, 1 there are alerts, 2 wrong command line or file
 */
export function historyVerb(argv, print) {
	try {
		return act(argv, print);
	} catch (error) {
		print(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
		return 2;
	}
}

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print
 */
function act(argv, print) {
	const { values, positionals } = parseArgs({
		args: [...argv],
		allowPositionals: true,
		options: {
			dir: { type: "string", default: FOLDER },
			smaller: { type: "string" },
			bigger: { type: "string" },
		},
	});
	const [what, ...files] = positionals;
	if (what === "alerts") return tellAlerts(resolve(values.dir), print);
	if (files.length === 0) throw new Error("a result is needed");
	const results = files.map(readResult);
	if (what === "append") {
		for (const result of results)
			print(`appended to ${appendRun(resolve(values.dir), result)}`);
		return 0;
	}
	const { smaller, bigger } = values;
	if (what !== "action" || !smaller || !bigger)
		throw new Error("append, alerts, or action with --smaller and --bigger");
	writeJson(smaller, actionJson(results, "less"));
	writeJson(bigger, actionJson(results, "more"));
	return 0;
}

/**
 * @param {string} file
 * @param {unknown} value
 */
function writeJson(file, value) {
	writeFileSync(resolve(file), `${JSON.stringify(value, null, "\t")}\n`);
}

/**
 * @param {string} folder
 * @param {(text: string) => void} print
 */
function tellAlerts(folder, print) {
	const alerts = [...readHistory(folder).values()].flatMap(alertsOf);
	for (const each of alerts) print(alertText(each));
	if (alerts.length === 0) print("no alerts");
	return alerts.length > 0 ? 1 : 0;
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

if (process.argv[1] === fileURLToPath(import.meta.url))
	process.exitCode = historyVerb(process.argv.slice(2), (text) =>
		console.log(text),
	);
