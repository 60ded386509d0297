import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { referenceDocs } from "#host/cli/docs.js";
import { type Key, SCHEMA } from "#host/config/schema.js";
import { parseUnit } from "#host/config/units.js";
import { ROOT } from "./sources.js";

test.each(Object.entries(referenceDocs()))(
	"docs/%s is what `npm run docs` writes",
	(name, text) => {
		expect(readFileSync(join(ROOT, "docs", name), "utf8")).toBe(text);
	},
);

/** What is said of the seed rule in prose, a sentence of which holds its size. */
test.each([
	["README.md", /The seed rule above is ([\d,]+) bytes/],
	["CHANGELOG.md", /`overheat` \(([\d,]+) bytes\)/],
	["docs/sdk.md", /the same job in the same run: ([\d,]+) bytes/],
	["docs/bench.md", /overheat · bytes was ([\d,]+) bytes/],
])("%s has the size of overheat that the build makes", (name, said) => {
	const { size } = statSync(join(ROOT, "build/overheat.wasm"));
	const [, told] = said.exec(readFileSync(join(ROOT, name), "utf8")) ?? [];
	expect(told).toBe(size.toLocaleString("en-US"));
});

/** Every key with its path, and where it stands in the schema. */
function keysOf(key: Key, path = "", pointer = ""): [string, Key, string][] {
	const named = key.additionalProperties;
	const children: [string, Key, string][] = Object.entries(
		key.properties ?? {},
	).map(([name, child]) => [name, child, `properties/${name}`]);
	if (typeof named === "object" && named.properties) {
		children.push(["NAME", named, "additionalProperties"]);
	}
	return children.flatMap(([name, child, step]) => {
		const full = path === "" ? name : `${path}.${name}`;
		const at = `${pointer}/${step}`;
		return [[full, child, at], ...keysOf(child, full, at)];
	});
}

describe("the schema", () => {
	const keys = keysOf(SCHEMA);
	const leaves = keys.filter(([, key]) => key.properties === undefined);

	test("is JSON Schema, and so is what editors get", () => {
		const { meta } = { meta: new Ajv({ strict: false }) };
		expect(meta.validateSchema(SCHEMA)).toBe(true);
		const editor = JSON.parse(referenceDocs()["gateway.schema.json"] ?? "");
		expect(meta.validateSchema(editor)).toBe(true);
		expect(JSON.stringify(editor)).not.toMatch(
			/"(unit|least|most|secret|defaultText)":/,
		);
	});

	test("accepts the file that docs/config.md begins with, in an editor too", () => {
		const docs = readFileSync(join(ROOT, "docs/config.md"), "utf8");
		const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(docs) ?? [];
		const editor = JSON.parse(referenceDocs()["gateway.schema.json"] ?? "");
		const check = new Ajv({ strict: false }).compile(editor);
		expect(check(parseDocument(yaml ?? "").toJS())).toBe(true);
	});

	test("every key is described, every leaf has an example", () => {
		expect(keys.length).toBeGreaterThan(60);
		for (const [path, key] of keys)
			expect(key.description, path).toMatch(/[.…]$/);
		for (const [path, key] of leaves)
			expect(key.examples, path).not.toHaveLength(0);
		expect(leaves.filter(([, key]) => key.examples === undefined)).toEqual([]);
	});

	test("defaults and examples are what the key takes", () => {
		const ajv = new Ajv({ strict: false }).addSchema(SCHEMA, "gateway");
		for (const [path, key, pointer] of keys) {
			const values = [...(key.examples ?? [])];
			if ("default" in key) values.push(key.default);
			const check = ajv.compile({ $ref: `gateway#${pointer}` });
			for (const value of values) {
				expect(check(value), `${path}: ${JSON.stringify(value)}`).toBe(true);
				if (key.unit === undefined) continue;
				const parsed = parseUnit(key.unit, value as string);
				expect(parsed, path).toBeGreaterThanOrEqual(key.least ?? 0);
				expect(parsed, path).toBeLessThanOrEqual(key.most ?? 0);
			}
		}
	});
});
