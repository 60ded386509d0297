// History: one line of JSON a run, in one file for each architecture and machine class; nothing is ever rewritten.
//
//   npm run bench:history -- append RESULT.json… [--dir bench/history]   adds a line for each
//   npm run bench:history -- alerts [RESULT.json…] [--dir DIR]   exit code 1 when a figure got worse in two runs running
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
import { alertsOf, alertText } from "./alerts.mjs";
import { readResult } from "./results.mjs";

const FOLDER = fileURLToPath(new URL("history/", import.meta.url));

const SCHEMA = "wasieve-history/1";

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
		schema: SCHEMA,
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
 * @throws when it is a quick run: that has another method, and would make what is usual wider
 */
export function appendRun(folder, result) {
	if (result.method.quick)
		throw new Error("a quick run (--quick) is no line of a history");
	const entry = entryOf(result);
	mkdirSync(folder, { recursive: true });
	const file = join(folder, `${entry.class}.ndjson`);
	const torn = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, "utf8"));
	// One write to a file opened for appending: two writers' lines do not mix.
	appendFileSync(file, `${torn ? "\n" : ""}${JSON.stringify(entry)}\n`);
	return file;
}

/**
 * @param {string} folder
 * @param {(text: string) => void} [complain] told of each line that is left out
 * @returns {Map<string, Entry[]>} the runs of each class, from old to new
 */
export function readHistory(folder, complain = console.error) {
	if (!existsSync(folder)) return new Map();
	const files = readdirSync(folder).filter((name) => name.endsWith(".ndjson"));
	return new Map(
		files.sort().map((file) => {
			const name = file.slice(0, -".ndjson".length);
			const lines = readFileSync(join(folder, file), "utf8").split("\n");
			const runs = lines.flatMap((line, i) => {
				const entry = line && parsed(line);
				if (entry && isEntry(entry, name)) return [entry];
				if (line) complain(`${file}, line ${i + 1}: ${NO_RUN} ${name}`);
				return [];
			});
			return [name, runs];
		}),
	);
}

const NO_RUN = `left out, it is no ${SCHEMA} of`;

/** @param {string} line */
function parsed(line) {
	try {
		return JSON.parse(line);
	} catch {
		return undefined; // Cut off by a crash, most likely.
	}
}

/** @type {(value: any, name: string) => value is Entry} */
function isEntry(value, name) {
	const { schema, class: own, commit, figures } = value;
	if (schema !== SCHEMA || own !== name || typeof commit !== "string")
		return false;
	if (typeof figures !== "object" || figures === null) return false;
	return Object.values(figures).every((figure) => {
		const { point, meaning } = figure ?? {};
		if (!Array.isArray(point) || point.length !== 3) return false;
		return point.every(Number.isFinite) && typeof meaning?.better === "string";
	});
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
npm run bench:history -- alerts [RESULT.json…] [--dir bench/history]   of all machines, or of those of the results
npm run bench:history -- action RESULT.json… --smaller FILE --bigger FILE
`;

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print
 * @returns {number} exit code: 0 done, 1 there are alerts, 2 wrong command line or file
 */
export function historyVerb(argv, print) {
	if (argv.includes("--help")) {
		print(USAGE);
		return 0;
	}
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
	const results = files.map(readResult);
	if (what === "alerts") return tellAlerts(resolve(values.dir), results, print);
	if (files.length === 0) throw new Error("a result is needed");
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
 * @param {readonly import("./results.mjs").Result[]} results whose machines are looked at; none are all: what another machine found weeks ago is no news
 * @param {(text: string) => void} print
 */
function tellAlerts(folder, results, print) {
	const wanted = results.map(({ machine }) => classOf(machine));
	const alerts = [...readHistory(folder)].flatMap(([name, runs]) =>
		wanted.length === 0 || wanted.includes(name) ? alertsOf(runs) : [],
	);
	for (const each of alerts) print(alertText(each));
	if (alerts.length === 0) print("no alerts");
	return alerts.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	process.exitCode = historyVerb(process.argv.slice(2), (text) =>
		console.log(text),
	);
