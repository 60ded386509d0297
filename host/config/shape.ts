import { Ajv, type AnySchemaObject, type ErrorObject } from "ajv";
import { flow } from "./flow.js";
import { nearest } from "./nearest.js";
import type { Path, Report } from "./problem.js";
import { type Key, SCHEMA } from "./schema.js";
import { formatUnit, parseUnit, UNITS } from "./units.js";

/** Told by {@link Key.unit} and its neighbours; everything else is plain JSON Schema. */
const OWN_WORDS = ["least", "most", "secret", "defaultText"];

const HELP = "docs/config.md describes every key";

/**
 * Checks what every key is by itself: known, there, of the right type and range. What is wrong is
 * reported and taken out of `data`, so that later checks can trust what they find and look
 * at everything else.
 */
export function checkShape(data: unknown, report: Report): void {
	const check = compile();
	if (check(data)) return;
	const errors = check.errors ?? [];
	for (const error of errors) complain(error, pathOf(error, data), report);
	for (const error of errors) prune(data, error);
}

function compile() {
	const ajv = new Ajv({
		allErrors: true,
		verbose: true,
		allowUnionTypes: true,
		strictRequired: false,
		// "object with items, array with properties": deliberate, see Key
		strictTypes: false,
		// SCHEMA is ours and a test checks it: at start that would cost 30 ms.
		meta: false,
		validateSchema: false,
		inlineRefs: false,
		code: { optimize: false },
	});
	for (const keyword of OWN_WORDS) ajv.addKeyword(keyword);
	ajv.addKeyword({
		keyword: "unit",
		type: ["string", "number"],
		validate: (_: unknown, value: string | number, key?: AnySchemaObject) =>
			unitFault(value, key as Key) === undefined,
	});
	return ajv.compile(SCHEMA);
}

/** What is wrong with a value written with a unit. */
function unitFault(value: string | number, key: Key): string | undefined {
	if (key.unit === undefined) return undefined;
	const { unit, least = 0, most = Number.MAX_SAFE_INTEGER } = key;
	const parsed = parseUnit(unit, value);
	if (parsed === undefined) return `must be ${UNITS[unit].form}`;
	if (parsed >= least && parsed <= most) return undefined;
	return `must be between ${formatUnit(unit, least)} and ${formatUnit(unit, most)}`;
}

function complain(error: ErrorObject, path: Path, report: Report): void {
	const key = error.parentSchema as Key;
	switch (error.keyword) {
		case "additionalProperties":
			complainUnknown(error, path, key, report);
			return;
		case "required":
			report.add(
				"E_CONFIG_KEY",
				path,
				`the key "${error.params.missingProperty}" is missing`,
				missingHint(error.params.missingProperty, key),
				"key",
			);
			return;
		case "propertyNames":
			report.add(
				"E_CONFIG_KEY",
				[...path, error.params.propertyName],
				`"${error.params.propertyName}" cannot be a name`,
				NAME_HINTS[path.at(-1) ?? ""] ?? HELP,
				"key",
			);
			return;
		case "pattern": // said by propertyNames
			return;
		default:
			report.value(path, `${expected(error, key)}${found(error)}`, hintOf(key));
	}
}

const NAME_HINTS: Readonly<Record<string, string>> = {
	pipelines:
		"use letters, digits, _ . and -, beginning with a letter or digit, at most 64",
	params: "a parameter's name must not be empty nor hold = or NUL",
};

function complainUnknown(
	error: ErrorObject,
	path: Path,
	key: Key,
	report: Report,
): void {
	const name = error.params.additionalProperty as string;
	const known = Object.keys(key.properties ?? {});
	const close = nearest(name, known);
	report.add(
		"E_CONFIG_KEY",
		[...path, name],
		`unknown key "${name}"${close ? `, did you mean "${close}"?` : ""}`,
		close
			? `write "${close}" or remove the key`
			: `remove it; known here: ${known.join(", ")}`,
		"key",
	);
}

function missingHint(name: string, key: Key): string {
	const wanted = key.properties?.[name];
	return wanted === undefined ? HELP : hintOf(wanted, name);
}

/** "must be …" */
function expected(error: ErrorObject, key: Key): string {
	switch (error.keyword) {
		case "type":
			return `must be ${oneOf(typeNames(key))}`;
		case "enum":
			return `must be ${oneOf((key.enum ?? []).map(String))}`;
		case "unit":
			return unitFault(error.data as string | number, key) ?? "";
		case "minimum":
		case "maximum":
			return `must be between ${key.minimum} and ${key.maximum}`;
		default: // minLength, minItems, minProperties
			return "must not be empty";
	}
}

const TYPES: Readonly<Record<string, string>> = {
	object: "a map of keys",
	array: "a list",
	string: "a text",
	integer: "a whole number",
	number: "a number",
	boolean: "true or false",
};

function typeNames(key: Key): string[] {
	if (key.unit !== undefined) return [UNITS[key.unit].form];
	return [key.type ?? []].flat().map((type) => TYPES[type] ?? type);
}

function oneOf(words: readonly string[]): string {
	if (words.length < 2) return words.join("");
	return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** ", not …", unless that would say too much. */
function found(error: ErrorObject): string {
	const { data } = error;
	if ((error.parentSchema as Key).secret) return "";
	if (data === null) return ", but nothing stands there";
	if (Array.isArray(data)) return data.length === 0 ? "" : ", not a list";
	if (typeof data === "object") {
		return error.keyword === "type" ? ", not a map of keys" : "";
	}
	return data === "" ? "" : `, not ${JSON.stringify(data).slice(0, 80)}`;
}

function hintOf(key: Key, name?: string): string {
	const [example] = key.examples ?? [];
	if (example === undefined) return HELP;
	return `for example: ${name === undefined ? "" : `${name}: `}${flow(example)}`;
}

function pathOf(error: ErrorObject, data: unknown): (string | number)[] {
	let at = data;
	return error.instancePath
		.split("/")
		.slice(1)
		.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
		.map((step) => {
			const index = Array.isArray(at) ? Number(step) : step;
			at = (at as Record<string | number, unknown>)?.[index];
			return index;
		});
}

function prune(data: unknown, error: ErrorObject): void {
	// The pattern of propertyNames names no value: propertyNames itself follows.
	if (error.keyword === "required" || error.keyword === "pattern") return;
	const path = pathOf(error, data);
	const extra = error.params.additionalProperty ?? error.params.propertyName;
	if (extra !== undefined) path.push(extra);
	let parent = data as Record<string | number, unknown> | undefined;
	for (const step of path.slice(0, -1)) {
		parent = parent?.[step] as typeof parent;
	}
	const last = path.at(-1);
	if (last !== undefined && parent !== undefined) parent[last] = undefined;
}
