// What ajv makes of the gateway file's schema, written out as a module when the host is built: a start then
// neither loads ajv (20 ms, 2 MiB) nor compiles a schema (50 ms).
import { writeFileSync } from "node:fs";
import { _, Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { OWN_WORDS, SCHEMA } from "../build/host/config/schema.js";

const FILE = new URL("../build/host/config/schema-check.js", import.meta.url);

/** Writes the check next to what calls it (host/config/shape.ts). */
export function writeSchemaCheck() {
	const ajv = makeAjv();
	const check = standalone.default(ajv, ajv.compile(SCHEMA));
	if (check.includes("require("))
		throw new Error("the check of the schema would load ajv at run time");
	const imports = [
		'import { SCHEMA } from "./schema.js";',
		'import { unitFault } from "./unit-fault.js";',
	];
	writeFileSync(FILE, `${imports.join("\n")}\n${withoutCopies(check)}\n`);
}

function makeAjv() {
	const ajv = new Ajv({
		allErrors: true,
		messages: false,
		allowUnionTypes: true,
		strictRequired: false,
		// "object with items, array with properties": deliberate, see Key
		strictTypes: false,
		inlineRefs: false,
		// Lengths are asked for as "not empty" alone; counting code points would need ajv at run time.
		unicode: false,
		logger: false, // it warns of the line above
		code: { source: true, esm: true },
	});
	for (const keyword of OWN_WORDS) ajv.addKeyword(keyword);
	ajv.addKeyword({ keyword: "unit", type: ["string", "number"], code: unit });
	return ajv;
}

/**
 * `unitFault(value, key)` says whether a value with a unit is wrong.
 *
 * @param {import("ajv").KeywordCxt} context
 */
function unit(context) {
	const { gen, data, it } = context;
	const fault = gen.scopeValue("func", { ref: unit, code: _`unitFault` });
	const key = _`${it.topSchemaRef}${it.schemaPath}`;
	context.fail(_`${fault}(${data}, ${key}) !== undefined`);
}

/**
 * ajv writes the schema out wherever it looks something up in it: it is there already.
 *
 * @param {string} check
 */
function withoutCopies(check) {
	return check.replaceAll(JSON.stringify(SCHEMA), "SCHEMA");
}
