// bench compare A.json B.json: what B has become against A, figure by figure.
//
//   npm run bench:compare -- A.json B.json [--gate exact|all|none] [--threshold 2] [--markdown FILE]
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { estimatePairs, estimateRatio } from "./estimate.mjs";
import { isNoisy } from "./machine.mjs";
import { readResult } from "./results.mjs";
import { UNSTABLE } from "./stats.mjs";
import { markdownOf } from "./table.mjs";

/** Rounds below which an interval says nothing. */
const ROUNDS_MIN = 3;
/** Percent that nobody calls a difference. */
const THRESHOLD = 2;

/**
 * @typedef {import("./results.mjs").ResultFigure} ResultFigure
 * @typedef {import("./results.mjs").Result} Result
 * @typedef {"slower" | "gone" | "faster" | "changed" | "new" | "unstable" | "same"} Verdict
 *   For sizes and counts slower is more of them; changed is what is exact and neither better nor worse.
 *
 * @typedef {object} Comparison
 * @property {ResultFigure | undefined} a
 * @property {ResultFigure | undefined} b
 * @property {string} id
 * @property {boolean} exact
 * @property {number} ratio B / A
 * @property {number} low
 * @property {number} high
 * @property {Verdict} verdict
 */

/**
 * @param {Result} a
 * @param {Result} b
 * @param {number} [threshold] percent
 * @returns {Comparison[]} in the order of A, what only B has behind
 */
export function compare(a, b, threshold = THRESHOLD) {
	const paired = Boolean(a.method.paired && b.method.paired);
	const before = new Map(a.figures.map((each) => [each.id, each]));
	const after = new Map(b.figures.map((each) => [each.id, each]));
	return [...new Set([...before.keys(), ...after.keys()])].map((id) => {
		const [was, is] = [before.get(id), after.get(id)];
		const exact = (was ?? is)?.exact ?? false;
		const none = { ratio: Number.NaN, low: Number.NaN, high: Number.NaN };
		if (!was) return { id, exact, a: was, b: is, ...none, verdict: "new" };
		if (!is) return { id, exact, a: was, b: is, ...none, verdict: "gone" };
		return {
			id,
			exact,
			a: was,
			b: is,
			...judge(was, is, threshold / 100, paired),
		};
	});
}

/**
 * @param {ResultFigure} a
 * @param {ResultFigure} b
 * @param {number} threshold share
 * @param {boolean} paired whether the values of A and B were measured side by side
 * @returns {Pick<Comparison, "ratio" | "low" | "high" | "verdict">}
 */
function judge(a, b, threshold, paired) {
	// What never was anything else needs no rounds; and nothing against nothing has no ratio.
	const only = [...new Set([...a.values, ...b.values])];
	if (only.length === 1) return { ratio: 1, low: 1, high: 1, verdict: "same" };
	if (a.exact && b.exact) {
		const ratio = b.median / a.median;
		const neither = a.better === "neither";
		const verdict = neither ? "changed" : direction(a, ratio > 1);
		return { ratio, low: ratio, high: ratio, verdict };
	}
	const found = paired
		? estimatePairs(b.values, a.values)
		: estimateRatio(b.values, a.values);
	if (Math.min(a.values.length, b.values.length) < ROUNDS_MIN)
		return { ...found, verdict: "unstable" };
	const { low, high } = found;
	if (low > 1 + threshold || high < 1 - threshold)
		return { ...found, verdict: direction(a, low > 1) };
	// It may be the same, or not: a wide interval cannot tell.
	const wide = !(high - low <= UNSTABLE);
	return { ...found, verdict: wide ? "unstable" : "same" };
}

/**
 * @param {ResultFigure} figure
 * @param {boolean} grew
 * @returns {Verdict}
 */
function direction({ better }, grew) {
	if (better === "neither") return "same";
	return grew === (better === "more") ? "faster" : "slower";
}

const GATES = ["exact", "all", "none"];

/** @typedef {"exact" | "all" | "none"} Gate which figures may not become slower, or vanish */

/**
 * @param {readonly Comparison[]} comparisons
 * @param {Gate} gate
 * @returns {Comparison[]} those that break it
 */
export function broken(comparisons, gate) {
	if (gate === "none") return [];
	return comparisons.filter(
		({ verdict, exact }) =>
			(verdict === "slower" || verdict === "gone") && (exact || gate === "all"),
	);
}

/**
 * @param {Result} a
 * @param {Result} b
 * @param {readonly Comparison[]} comparisons
 * @param {Gate} gate
 * @param {boolean} [folds] whether its reader can fold: a terminal cannot, and gets no more than the count
 * @returns {string} for a pull request: what moved on top, what did not or cannot be told folded away behind
 */
export function compareMarkdown(a, b, comparisons, gate, folds = true) {
	const faults = broken(comparisons, gate);
	const moved = VERDICTS.filter((verdict) => !FOLDED.includes(verdict));
	const outcome = faults.length
		? `**${faults.length} of the gated figures got worse**`
		: "**The gate holds**";
	const { arch, cpu } = b.machine;
	const of = (/** @type {readonly Verdict[]} */ verdicts) =>
		verdicts.flatMap((verdict) =>
			comparisons.filter((each) => each.verdict === verdict),
		);
	return [
		`## Benchmark, ${arch}`,
		"",
		`${outcome}. \`${a.machine.commit}\` → \`${b.machine.commit}\` on ${cpu}: ${counted(comparisons, VERDICTS)}.`,
		...caveats(a, b),
		"",
		...(of(moved).length ? [table("What moved", of(moved))] : []),
		...(folds && of(FOLDED).length
			? [
					`<details><summary>${counted(comparisons, FOLDED)}</summary>`,
					"",
					table("What did not move", of(FOLDED)),
					"</details>",
					"",
				]
			: []),
	].join("\n");
}

/** In the order one looks for them. @type {readonly Verdict[]} */
const VERDICTS = [
	"slower",
	"gone",
	"faster",
	"changed",
	"new",
	"unstable",
	"same",
];

/** @type {readonly Verdict[]} */
const FOLDED = ["unstable", "same"];

/** @type {(comparisons: readonly Comparison[], verdicts: readonly Verdict[]) => string} */
function counted(comparisons, verdicts) {
	return verdicts
		.map((verdict) => {
			const n = comparisons.filter((each) => each.verdict === verdict).length;
			return n ? `${n} ${verdict}` : "";
		})
		.filter(Boolean)
		.join(", ");
}

/**
 * @param {Result} a
 * @param {Result} b
 * @returns {string[]} why the times may not be comparable
 */
function caveats(a, b) {
	const lines = [];
	if (a.machine.cpu !== b.machine.cpu || a.machine.arch !== b.machine.arch)
		lines.push(
			`The machines differ (${a.machine.cpu}, ${a.machine.arch}): only exact figures compare.`,
		);
	if (isNoisy(a.machine) || isNoisy(b.machine))
		lines.push("The machine was not quiet: times compare at best.");
	if (a.method.quick || b.method.quick)
		lines.push("One of the runs was a quick one.");
	return lines.flatMap((line) => ["", `> ${line}`]);
}

/**
 * @param {string} title
 * @param {readonly Comparison[]} comparisons
 */
function table(title, comparisons) {
	return markdownOf({
		title,
		columns: ["", "A", "B", "B / A", "95 %", "verdict"],
		rows: comparisons.map(({ id, a, b, ratio, low, high, exact, verdict }) => [
			`${nameOf({ id, a, b })}${exact ? " (exact)" : ""}`,
			shown(a),
			shown(b),
			Number.isFinite(ratio) ? ratio.toFixed(3) : "-",
			exact || !Number.isFinite(low)
				? "-"
				: `${low.toFixed(3)}–${high.toFixed(3)}`,
			verdict === "slower" ? "**slower**" : verdict,
		]),
	});
}

/** @type {(of: Pick<Comparison, "id" | "a" | "b">) => string} */
function nameOf({ id, a, b }) {
	const { group, subject, name } = a ?? b ?? {};
	return [group, subject, name].filter(Boolean).join(" · ") || id;
}

/** @param {ResultFigure | undefined} figure */
function shown(figure) {
	if (figure === undefined) return "-";
	// Of what is exact the last digit may be all that moved.
	const digits = figure.exact || Math.abs(figure.median) < 100 ? 2 : 0;
	const text = figure.median.toLocaleString("en-US", {
		maximumFractionDigits: digits,
	});
	return `${text} ${figure.unit}`.trim();
}

const USAGE = `npm run bench:compare -- A.json B.json [flags]
  --gate WHICH      which figures may not get slower: exact (default), all, none
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

/**
 * @param {string} gate
 * @throws when there is no such gate
 */
export function checkGate(gate) {
	if (!GATES.includes(gate))
		throw new Error(`--gate ${gate}: ${GATES.join(", ")}`);
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
