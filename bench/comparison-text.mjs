// A comparison for people: a terminal, or a pull request.
import { broken, ROUNDS_MIN } from "./comparison.mjs";
import { classOf } from "./history.mjs";
import { isNoisy } from "./machine.mjs";
import { markdownOf } from "./table.mjs";

/**
 * @typedef {import("./results.mjs").ResultFigure} ResultFigure
 * @typedef {import("./results.mjs").Result} Result
 * @typedef {import("./comparison.mjs").Comparison} Comparison
 * @typedef {import("./comparison.mjs").Verdict} Verdict
 * @typedef {import("./comparison.mjs").Gate} Gate
 */

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
		...caveats(a, b, comparisons),
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
	"worse",
	"gone",
	"better",
	"changed",
	"new",
	"unstable",
	"elsewhere",
	"same",
];

/** @type {readonly Verdict[]} */
const FOLDED = ["unstable", "elsewhere", "same"];

/** @type {(comparisons: readonly Comparison[], verdicts: readonly Verdict[]) => string} */
function counted(comparisons, verdicts) {
	return verdicts
		.flatMap((verdict) => {
			const own = comparisons.filter((each) => each.verdict === verdict);
			const words = own.map(wordOf);
			return [...new Set(words)].map(
				(word) => `${words.filter((each) => each === word).length} ${word}`,
			);
		})
		.join(", ");
}

/** By unit, what more of it and less of it are called: `[more, less]`. @type {readonly [RegExp, string, string][]} */
const WORDS = [
	[/^(ms|µs|ns)$/, "slower", "faster"],
	[/\/s$/, "faster", "slower"],
	[/^(bytes|MiB)$/, "bigger", "smaller"],
	[/^/, "more", "less"],
];

/**
 * @param {Comparison} comparison
 * @returns {string} the verdict as one says it of such a figure
 */
function wordOf({ verdict, a, b }) {
	const figure = a ?? b;
	if ((verdict !== "worse" && verdict !== "better") || !figure) return verdict;
	const grew = (verdict === "better") === (figure.better === "more");
	const [, more = "", less = ""] =
		WORDS.find(([unit]) => unit.test(figure.unit)) ?? [];
	return grew ? more : less;
}

/**
 * @param {Result} a
 * @param {Result} b
 * @param {readonly Comparison[]} comparisons
 * @returns {string[]} why the times may not be comparable
 */
function caveats(a, b, comparisons) {
	const lines = [];
	if (classOf(a.machine) !== classOf(b.machine))
		lines.push(
			`The machines differ (A was measured on ${a.machine.cpu}, ${a.machine.arch}, ${a.machine.cores} cores): only exact figures are judged.`,
		);
	else if (a.machine.node !== b.machine.node)
		lines.push(`Node differs: ${a.machine.node}, then ${b.machine.node}.`);
	const chance = byChance(comparisons);
	if (chance) lines.push(chance);
	if (chance && !(a.method.paired && b.method.paired))
		lines.push(
			"Two runs: what the machine did between them is in these ratios. `npm run bench -- --against COMMIT` measures in turn.",
		);
	if (isNoisy(a) || isNoisy(b))
		lines.push("The machine was not quiet: times compare at best.");
	if (a.method.quick || b.method.quick)
		lines.push("One of the runs was a quick one.");
	return lines.flatMap((line) => ["", `> ${line}`]);
}

/**
 * Of many comparisons, each right with 95 %, some are wrong.
 *
 * @param {readonly Comparison[]} comparisons
 */
function byChance(comparisons) {
	const judged = comparisons.filter(
		({ a, b, exact }) => a && b && !exact && a.values.length >= ROUNDS_MIN,
	);
	const moved = judged.some(
		({ verdict }) => verdict === "worse" || verdict === "better",
	);
	if (!moved) return "";
	return `Of the ${judged.length} figures that are not exact, up to ${Math.ceil(judged.length / 20)} may seem worse or better by chance.`;
}

/**
 * @param {string} title
 * @param {readonly Comparison[]} comparisons
 */
function table(title, comparisons) {
	return markdownOf({
		title,
		columns: ["", "A", "B", "B / A", "95 %", "verdict"],
		rows: comparisons.map((each) => {
			const { id, a, b, ratio, low, high, exact, verdict } = each;
			return [
				`${nameOf({ id, a, b })}${exact ? " (exact)" : ""}`,
				shown(a),
				shown(b),
				Number.isFinite(ratio) ? ratio.toFixed(3) : "-",
				exact || !Number.isFinite(low)
					? "-"
					: `${low.toFixed(3)}–${high.toFixed(3)}`,
				verdict === "worse" ? `**${wordOf(each)}**` : wordOf(each),
			];
		}),
	});
}

/** @type {(of: Pick<Comparison, "id" | "a" | "b">) => string} */
export function nameOf({ id, a, b }) {
	const { group, subject, name } = a ?? b ?? {};
	return [group, subject, name].filter(Boolean).join(" · ") || id;
}

/** @param {ResultFigure | undefined} figure */
export function shown(figure) {
	if (figure === undefined) return "-";
	// Of what is exact the last digit may be all that moved.
	const digits = figure.exact || Math.abs(figure.median) < 100 ? 2 : 0;
	const text = figure.median.toLocaleString("en-US", {
		maximumFractionDigits: digits,
	});
	return `${text} ${figure.unit}`.trim();
}
