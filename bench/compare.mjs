// bench compare A.json B.json: what B has become against A, figure by figure.
//
//   npm run bench:compare -- A.json B.json [--gate exact|all|none] [--threshold 2] [--markdown FILE]
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { broken, checkGate, compare, THRESHOLD } from "./comparison.mjs";
import { compareMarkdown, nameOf, shown } from "./comparison-text.mjs";
import { readResult } from "./results.mjs";

/**
 * @typedef {import("./comparison.mjs").Comparison} Comparison
 * @typedef {import("./comparison.mjs").Gate} Gate
 */

const USAGE = `npm run bench:compare -- A.json B.json [flags]
  --gate WHICH      which figures may not get worse: exact (default), all, none
  --threshold PCT   percent that is no difference (default ${THRESHOLD})
  --markdown FILE   writes the comparison there, with what is unstable or the same
Exit codes: 0 the gate holds, 1 it does not, 2 wrong command line or file.
`;

/**
 * @param {readonly string[]} argv
 * @param {(text: string) => void} print to stdout
 * @param {(text: string) => void} complain to stderr: what is wrong with the command, or each figure that breaks the gate
 * @returns {number} exit code
 */
export function compareFiles(argv, print, complain) {
	if (argv.includes("--help")) {
		print(USAGE);
		return 0;
	}
	/** @type {{ shown: string, faults: Comparison[] }} */
	let done;
	try {
		done = compared(argv);
	} catch (error) {
		complain(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
		return 2;
	}
	print(done.shown);
	for (const fault of done.faults) complain(causeOf(fault));
	return done.faults.length > 0 ? 1 : 0;
}

/** @param {Comparison} fault */
function causeOf(fault) {
	const { a, b, ratio } = fault;
	const is = b ? `${shown(b)} (× ${ratio.toFixed(3)})` : "gone";
	return `gate: ${nameOf(fault)} was ${shown(a)}, is ${is}`;
}

/** @param {readonly string[]} argv */
function compared(argv) {
	const { values, positionals } = parseArgs({
		args: [...argv],
		allowPositionals: true,
		options: {
			gate: { type: "string", default: "exact" },
			threshold: { type: "string", default: String(THRESHOLD) },
			markdown: { type: "string" },
		},
	});
	const [fileA, fileB, more] = positionals;
	if (!fileA || !fileB || more) throw new Error("two results are needed");
	const gate = /** @type {Gate} */ (values.gate);
	checkGate(gate);
	const threshold = Number(values.threshold);
	if (!(threshold >= 0)) throw new Error(`--threshold ${values.threshold}`);
	const [a, b] = [readResult(fileA), readResult(fileB)];
	const comparisons = compare(a, b, threshold);
	const markdown = (/** @type {boolean} */ folds) =>
		compareMarkdown(a, b, comparisons, gate, folds);
	if (values.markdown) writeFileSync(resolve(values.markdown), markdown(true));
	return { shown: markdown(false), faults: broken(comparisons, gate) };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	process.exitCode = compareFiles(
		process.argv.slice(2),
		console.log,
		console.error,
	);
