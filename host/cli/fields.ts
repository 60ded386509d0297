import { nearest } from "../config/nearest.js";
import { WasieveError } from "../errors.js";
import type { Field } from "./compile.js";

/**
 * Compares what a filter asks for with readings of its fixtures: a name that none of them has is a typo, or a case
 * that no fixture covers.
 *
 * @param lines NDJSON; what is no JSON is there to be rejected
 * @throws WasieveError E_BUILD_FIELD with all such fields
 */
export function checkFields(
	fields: readonly Field[],
	lines: string,
	file: string,
): void {
	const readings = lines.split("\n").flatMap(parse);
	const missing = fields.filter(({ path }) =>
		readings.every((reading) => valueAt(reading, path) === undefined),
	);
	if (missing.length === 0) return;
	const known = [...new Set(readings.flatMap((each) => pathsOf(each)))];
	const told = missing.map(({ path, place }) => {
		const close = nearest(path, known);
		const meant = close === undefined ? "" : `, did you mean "${close}"?`;
		return `${place}: no reading in ${file} has a field "${path}"${meant}`;
	});
	throw new WasieveError("E_BUILD_FIELD", [...new Set(told)].join("\n"), {
		hint: `mend the name, or add a reading that has the field to ${file}`,
	});
}

function parse(line: string): unknown[] {
	try {
		return [JSON.parse(line)];
	} catch {
		return [];
	}
}

/**
 * What is at a path of parsed JSON, undefined when nothing is. As Reading finds it (assembly/path.ts): of a name with
 * dots or brackets the longest that is there comes first.
 */
export function valueAt(value: unknown, path: string): unknown {
	if (path === "" || value === undefined) return value;
	if (Array.isArray(value)) {
		const [, index, rest = ""] = /^\[(\d+)\]\.?(.*)$/s.exec(path) ?? [];
		return index && valueAt(value[Number(index)], rest);
	}
	if (typeof value !== "object" || value === null) return undefined;
	for (let end = path.length; end >= 0; end--) {
		if (end < path.length && !".[".includes(path[end] as string)) continue;
		const name = path.slice(0, end);
		if (!Object.hasOwn(value, name)) continue;
		const inner = (value as Record<string, unknown>)[name];
		const found = valueAt(inner, path.slice(end).replace(/^\./, ""));
		if (found !== undefined) return found;
	}
	return undefined;
}

/** Every path into a value, of which there are not too many to compare. */
function pathsOf(value: unknown, before = ""): string[] {
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value)
		.slice(0, 100)
		.flatMap(([name, inner]) => {
			const step = Array.isArray(value) ? `[${name}]` : name;
			const path =
				before === "" || step !== name ? before + step : `${before}.${step}`;
			return [path, ...pathsOf(inner, path)];
		});
}
