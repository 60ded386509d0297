import type { ErrorObject } from "ajv";
import { flow } from "./flow.js";
import { nearest } from "./nearest.js";
import type { Path, Report } from "./problem.js";
import { type Key, SCHEMA } from "./schema.js";
import { validate } from "./schema-check.js";
import { unitFault } from "./unit-fault.js";
import { UNITS } from "./units.js";

const HELP = "docs/config.md describes every key";

/**
 * Checks what every key is by itself: known, there, of the right type and range. What is wrong is
 * reported and taken out of `data`, so that later checks can trust what they find and look
 * at everything else.
 */
export function checkShape(data: unknown, report: Report): void {
	if (validate(data)) return;
	const wrong = (validate.errors ?? []).map((error) => wrongIn(data, error));
	for (const each of wrong) complain(each, report);
	for (const { error } of wrong) prune(data, error);
}

/** An error with what it is about. */
interface Wrong {
	readonly error: ErrorObject;
	readonly path: (string | number)[];
	readonly key: Key;
	readonly value: unknown;
}

/** An error's own path through the schema begins anew at each $ref: the data's way is followed instead. */
function wrongIn(data: unknown, error: ErrorObject): Wrong {
	const path = pathOf(error, data);
	let key = SCHEMA;
	let value = data;
	for (const step of path) {
		key = keyBelow(key, step);
		value = (value as Record<string | number, unknown>)[step];
	}
	return { error, path, key, value };
}

function keyBelow(key: Key, step: string | number): Key {
	const below =
		typeof step === "number"
			? key.items
			: (key.properties?.[step] ?? key.additionalProperties);
	return referred(below as Key);
}

/** `$ref` is `#/…`, a place in SCHEMA; what stands beside it is said of this place alone. */
function referred(key: Key): Key {
	if (key.$ref === undefined) return key;
	let there = SCHEMA as Record<string, unknown>;
	for (const step of key.$ref.split("/").slice(1))
		there = there[step] as Record<string, unknown>;
	return { ...there, ...key };
}

function complain(wrong: Wrong, report: Report): void {
	const { error, path, key } = wrong;
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
			report.value(path, `${expected(wrong)}${found(wrong)}`, hintFor(wrong));
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
function expected({ error, key, value }: Wrong): string {
	switch (error.keyword) {
		case "type":
			return `must be ${oneOf(typeNames(key))}`;
		case "enum":
			return `must be ${oneOf((key.enum ?? []).map(String))}`;
		case "unit":
			return unitFault(value as string | number, key) ?? "";
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
function found({ error, key, value }: Wrong): string {
	if (key.secret) return "";
	if (value === null) return ", but nothing stands there";
	if (Array.isArray(value)) return value.length === 0 ? "" : ", not a list";
	if (typeof value === "object") {
		return error.keyword === "type" ? ", not a map of keys" : "";
	}
	return value === "" ? "" : `, not ${JSON.stringify(value).slice(0, 80)}`;
}

/** What was probably meant goes before any example. */
function hintFor({ error, path, key, value }: Wrong): string {
	if (typeof value !== "string" || key.secret) return hintOf(key);
	if (error.keyword === "enum") {
		const close = nearest(value, (key.enum ?? []).map(String));
		if (close !== undefined) return `did you mean "${close}"?`;
	}
	const [inner, second] = key.required ?? [];
	if (error.keyword !== "type" || inner === undefined || second !== undefined)
		return hintOf(key);
	const name = path.at(-1);
	const meant = flow({ [inner]: value });
	return `write ${typeof name === "string" ? `${name}: ` : ""}${meant}`;
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
	// What a pipeline of a wrong name says can be right or wrong all the same.
	if (error.keyword === "propertyNames" && error.instancePath === "/pipelines")
		return;
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
