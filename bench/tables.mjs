// bench tables A.json B.json …: what several runs have measured, as tables. The parts of a long run can be made one by one.
//
//   npm run bench:tables -- A.json B.json [--markdown bench/README.md] [--summary README.md]
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { headerOf, isNoisy } from "./machine.mjs";
import { readResult } from "./results.mjs";
import { summaryOf, textOfFigure } from "./summary.mjs";
import { markdownOf, replaceBlock, verdictsOf } from "./table.mjs";

/** @typedef {import("./results.mjs").Result} Result */

const USAGE = `npm run bench:tables -- FILE… [flags]
  --markdown FILE   writes the tables there, between its marks, instead of printing them
  --summary FILE    writes the short table there, likewise
Where several results have the same table, the last counts.
Exit codes: 0 done, 2 wrong command line or file.
`;

/**
 * @param {readonly Result[]} results
 * @returns {string} for each result a header, its aims and the tables that no later one on such a machine has
 */
export function tablesOf(results) {
	return results
		.map((result, i) => partOf(result, results.slice(i + 1)))
		.filter(Boolean)
		.join("\n\n");
}

/** @type {(result: Result, later: readonly Result[]) => string} */
function partOf(result, later) {
	const { cpu, arch } = result.machine;
	const newer = later.filter(
		({ machine }) => machine.cpu === cpu && machine.arch === arch,
	);
	const tables = newer.flatMap(({ figures }) => figures.map(sectionKey));
	const sections = sectionsOf(result).filter(
		({ key }) => !tables.includes(key),
	);
	if (sections.length === 0) return "";
	const judged = newer.flatMap(({ aims = [] }) => aims.map(({ text }) => text));
	const aims = verdictsOf(
		(result.aims ?? []).filter(({ text }) => !judged.includes(text)),
	);
	return [
		`\`${headerOf(result.machine)}\``,
		...(isNoisy(result) ? ["**Not quiet.**"] : []),
		...(result.method.quick ? ["**A quick run.**"] : []),
		...(aims ? [markdownOf(aims)] : []),
		...sections.map(markdownOf),
	].join("\n\n");
}

/** @type {(of: { group: string, title: string }) => string} */
function sectionKey({ group, title }) {
	return `${group}/${title}`;
}

/**
 * @param {Result} result
 * @returns {(import("./table.mjs").Section & { key: string })[]} a row for each subject, a column for each name
 */
function sectionsOf({ figures, notes = [] }) {
	return [...new Set(figures.map(sectionKey))].map((key) => {
		const own = figures.filter((each) => sectionKey(each) === key);
		const names = [...new Set(own.map(({ name }) => name))];
		const subjects = [...new Set(own.map(({ subject }) => subject))];
		const note = notes.find((each) => sectionKey(each) === key)?.note;
		return {
			key,
			title: own[0]?.title ?? "",
			...(note ? { note } : {}),
			columns: ["", ...names],
			rows: subjects.map((subject) => [
				subject,
				...names.map((name) => {
					const found = own.find(
						(each) => each.subject === subject && each.name === name,
					);
					return found ? textOfFigure(found) : "";
				}),
			]),
		};
	});
}

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print to stdout
 * @param {(text: string) => void} complain to stderr
 * @returns {number} exit code
 */
export function writeTables(argv, print, complain) {
	if (argv.includes("--help")) {
		print(USAGE);
		return 0;
	}
	try {
		const { values, positionals } = parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				markdown: { type: "string" },
				summary: { type: "string" },
			},
		});
		if (positionals.length === 0) throw new Error("a result is needed");
		const results = positionals.map(readResult);
		const { markdown, summary } = values;
		if (summary) replaceBlock(resolve(summary), summaryOf(results));
		if (markdown) replaceBlock(resolve(markdown), tablesOf(results));
		if (!summary && !markdown)
			print(`${summaryOf(results)}\n\n${tablesOf(results)}`);
		return 0;
	} catch (error) {
		complain(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
		return 2;
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	process.exitCode = writeTables(
		process.argv.slice(2),
		console.log,
		console.error,
	);
