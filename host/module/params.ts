import { join, Reader, section } from "./binary.js";
import { SECTION, type Section } from "./layout.js";

/** Names and defaults of a filter's parameters; null when a default is not known. */
export type Params = Record<string, string | number | boolean | null>;

/** | length of the name | "wasieve.params" | JSON object | */
const NAME = "wasieve.params";

/** A module with one more section, the last, that names its parameters. 29 bytes for {"LIMIT":85}. */
export function withParams(module: Uint8Array, params: Params): Uint8Array {
	const name = Buffer.from(NAME);
	const content = Buffer.from(JSON.stringify(params));
	const added = section(SECTION.custom, [[name.length], name, content]);
	return join([module, ...added]);
}

/** The parameters that a module says it has; undefined when it says nothing, or nonsense. */
export function paramsOf(
	bytes: Uint8Array,
	sections: readonly Section[],
): Params | undefined {
	const found = sections.find(({ name }) => name === NAME);
	if (found === undefined) return undefined;
	const reader = new Reader(bytes, found.at, found.end);
	reader.name();
	try {
		const text = Buffer.from(bytes.subarray(reader.at, found.end)).toString();
		return checked(JSON.parse(text));
	} catch {
		return undefined;
	}
}

const KINDS = ["string", "number", "boolean"];
/** Names are printed and compared: what no environment could hold is nonsense. */
const NAMED = /^[^=\p{Cc}]{1,200}$/u;
const MOST = 1000;

function checked(value: unknown): Params | undefined {
	if (typeof value !== "object" || value === null || Array.isArray(value))
		return undefined;
	const entries = Object.entries(value);
	const fits = entries.every(
		([name, each]) =>
			NAMED.test(name) &&
			(each === null || KINDS.includes(typeof each)) &&
			!`${each}`.includes("\0"),
	);
	return fits && entries.length <= MOST
		? Object.assign(Object.create(null), value)
		: undefined;
}
