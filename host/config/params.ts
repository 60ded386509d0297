import { nearest } from "./nearest.js";
import type { Path, Report } from "./problem.js";

/** Parameters that a module says it has, with their defaults; null for one that is not known. */
export type KnownParams = Readonly<
	Record<string, string | number | boolean | null>
>;

/** What is wrong with a parameter's name, and what to do; undefined when the filter has it. */
export function unknownParam(
	name: string,
	known: KnownParams,
): { what: string; hint: string } | undefined {
	if (Object.hasOwn(known, name)) return undefined;
	const names = Object.keys(known);
	const close = nearest(name, names);
	return {
		what: `the filter has no parameter "${name}"${close ? `, did you mean "${close}"?` : ""}`,
		hint: names.length > 0 ? `it has ${names.join(", ")}` : "it has none",
	};
}

/** Compares what a config gives with what the module takes: names, and whether a value can be read as the default can. */
export function checkParams(
	given: Readonly<Record<string, string>>,
	known: KnownParams,
	path: Path,
	report: Report,
): void {
	for (const [name, value] of Object.entries(given)) {
		const at = [...path, name];
		const unknown = unknownParam(name, known);
		if (unknown)
			report.add("E_CONFIG_KEY", at, unknown.what, unknown.hint, "key");
		else checkValue(value, known[name] as KnownParams[string], at, report);
	}
}

/** RFC 8259, as param() reads it: white space around it does not count. */
const NUMBER = /^[ \t\r]*-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?[ \t\r]*$/;

function checkValue(
	value: string,
	fallback: KnownParams[string],
	path: Path,
	report: Report,
): void {
	if (typeof fallback !== "number" || NUMBER.test(value)) return;
	const what = `must be a number, not "${value}"`;
	report.value(path, what, `the filter's default is ${fallback}`);
}
