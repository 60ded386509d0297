// Results as files: every figure with its values, median and interval, in the form of results.schema.json.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { estimateOf } from "./estimate.mjs";
import { judged } from "./table.mjs";

export const SCHEMA = "wasieve-bench/1";
const FOLDER = fileURLToPath(new URL("results/", import.meta.url));
const SCHEMA_FILE = new URL("results.schema.json", import.meta.url);

/**
 * @typedef {object} ResultFigure
 * @property {string} id group/section/subject/figure, the same in every run
 * @property {string} group
 * @property {string} title of the section
 * @property {string} subject
 * @property {string} name
 * @property {string} unit
 * @property {"more" | "less" | "neither"} better
 * @property {boolean} exact the same in every run and on every machine
 * @property {number[]} values one a round, or one a start, sample or turn where a round has several
 * @property {number} median
 * @property {number} low
 * @property {number} high
 * @property {boolean} unstable
 */

/**
 * @typedef {object} Result
 * @property {string} schema
 * @property {import("./machine.mjs").Machine} machine
 * @property {{ quick: boolean, rounds: number, warmMs: number, ms: number, paired?: boolean }} method
 * @property {ResultFigure[]} figures
 * @property {{ group: string, title: string, note: string }[]} [notes] how a section was measured, and what was not
 * @property {{ text: string, aim: string, measured: string, met: boolean }[]} [aims]
 */

/**
 * What a column says by its heading where its figures do not say it themselves: the first match counts.
 *
 * @type {readonly [RegExp, unit: string, better: ResultFigure["better"]][]}
 */
const HEADINGS = [
	[/^×/, "×", "more"],
	[/msg\/s|readings\/s/, "1/s", "more"],
	[/MiB\/s/, "MiB/s", "more"],
	// The sender's own, and it is in the latencies.
	[/^sent late/, "ms", "neither"],
	[/µs/, "µs", "less"],
	[/\bns\b/, "ns", "less"],
	[/\bms$/, "ms", "less"],
	[/MiB/, "MiB", "less"],
	[/bytes/, "bytes", "less"],
	[/p50|p99/, "ms", "less"],
	[/instructions/, "instructions", "less"],
	[/cores/, "cores", "neither"],
	[/early/, "%", "less"],
];

/** Who is measured beside: that it got slower is no fault of ours, for a gate as for an alert. */
const RIVALS =
	/^(bridge|cat|docker|iwasm|json-as|JSON\.parse|mqtt-packet|node -e 0|Node-RED|wasmedge|wasmtime|wazero)\b/;

/**
 * @param {string} subject its names, the filter's perhaps before the engine's
 * @returns {boolean}
 */
const isRival = (subject) =>
	subject.split(", ").some((part) => RIVALS.test(part.replaceAll("`", "")));

/**
 * @param {readonly (import("./table.mjs").Section & { group?: string })[]} sections
 * @returns {ResultFigure[]} a cell that is no figure names the row; one that was not measured is left out
 */
export function figuresOf(sections) {
	return sections.flatMap(({ group = "", title, columns, rows }) =>
		rows.flatMap((row) => {
			const subject = row
				.flatMap((cell, i) =>
					// A margin of error is not the name of anything.
					typeof cell !== "string" || cell === "" || columns[i] === "± %"
						? []
						: [i && columns[i] ? `${columns[i]} ${cell}` : cell],
				)
				.join(", ");
			return row.flatMap((cell, i) => {
				if (typeof cell === "string") return [];
				const name = columns[i] ?? "";
				const where = { group, title, subject, name };
				return figureOf(where, cell);
			});
		}),
	);
}

/**
 * @param {Pick<ResultFigure, "group" | "title" | "subject" | "name">} where
 * @param {import("./table.mjs").Figure} cell
 * @returns {ResultFigure[]}
 */
function figureOf(where, cell) {
	const values = (cell.samples ?? cell.values).filter(Number.isFinite);
	if (values.length === 0) return [];
	const [, unit = "", usual = "neither"] =
		HEADINGS.find(([heading]) => heading.test(where.name)) ?? [];
	const better = isRival(where.subject) ? "neither" : usual;
	const { n: _, ...figures } = estimateOf(cell);
	const { group, title, subject, name } = where;
	return [
		{
			id: [group, title, subject, name].map(slug).join("/"),
			...where,
			unit: cell.unit ?? unit,
			better: cell.better ?? better,
			exact: cell.exact ?? false,
			values,
			...figures,
		},
	];
}

/** @param {string} text */
function slug(text) {
	return text
		.toLowerCase()
		.replaceAll("×", "times ")
		.replaceAll("→", "to ")
		.replaceAll(/[^a-z0-9µ]+/g, "-")
		.replaceAll(/^-|-$/g, "");
}

/**
 * @param {import("./machine.mjs").Machine} machine
 * @param {Result["method"]} method
 * @param {Parameters<typeof figuresOf>[0]} sections
 * @returns {Result}
 */
export function resultOf(machine, method, sections) {
	return checked({
		schema: SCHEMA,
		machine,
		method,
		figures: figuresOf(sections),
		notes: sections.flatMap(({ group = "", title, note }) =>
			note ? [{ group, title, note }] : [],
		),
		aims: sections.flatMap(({ aims = [] }) => aims.map(judged)),
	});
}

const validate = new Ajv({ allErrors: true }).compile(
	JSON.parse(readFileSync(SCHEMA_FILE, "utf8")),
);

/** Of places that do not fit, so many are named. */
const FAULTS = 5;

/**
 * @param {unknown} result
 * @returns {Result}
 * @throws with the first places that do not fit the schema
 */
export function checked(result) {
	if (validate(result)) return /** @type {Result} */ (result);
	const faults = (validate.errors ?? []).map(
		({ instancePath, message }) => `${instancePath || "/"} ${message}`,
	);
	const more = faults.length - FAULTS;
	const rest = more > 0 ? `; and ${more} more` : "";
	throw new Error(
		`not a result of ${SCHEMA}: ${faults.slice(0, FAULTS).join("; ")}${rest}`,
	);
}

/**
 * @param {string} file
 * @returns {Result}
 */
export function readResult(file) {
	try {
		return checked(JSON.parse(readFileSync(file, "utf8")));
	} catch (error) {
		throw new Error(`${file}: ${/** @type {Error} */ (error).message}`);
	}
}

/**
 * @param {Result} result
 * @param {string} [folder]
 * @param {string} [suffix]
 * @returns {string} the file, `<arch>-<commit>.json`, with `-quick` where that was asked for
 */
export function writeResult(result, folder = FOLDER, suffix = "") {
	const { arch, commit } = result.machine;
	mkdirSync(folder, { recursive: true });
	const quick = result.method.quick ? "-quick" : "";
	const file = join(folder, `${arch}-${commit}${suffix}${quick}.json`);
	return saveResult(file, result);
}

/**
 * @param {string | undefined} file
 * @param {Result} result
 * @param {string} [suffix] where no file is named
 * @returns {string} the file
 */
export function saveResult(file, result, suffix) {
	if (file === undefined) return writeResult(result, FOLDER, suffix);
	writeFileSync(resolve(file), `${JSON.stringify(result, null, "\t")}\n`);
	return file;
}
