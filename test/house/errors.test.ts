import { describe, expect, test } from "vitest";
import { ADVICE } from "#host/cli/advice.js";
import { CODES } from "#host/errors.js";
import { hostSources } from "./sources.js";

/** The two lists of all codes; everything else is a use. */
const LISTS = ["errors.ts", "cli/advice.ts"];
const uses = new Map<string, string[]>();
for (const { path, code } of hostSources()) {
	if (LISTS.includes(path)) continue;
	for (const [, found] of code.matchAll(/"(E_[A-Z0-9_]+)"/g)) {
		if (found === undefined) continue;
		uses.set(found, [...(uses.get(found) ?? []), path]);
	}
}

describe("error codes", () => {
	test("every code that the host names is in the table", () => {
		const codes = Object.keys(CODES);
		const unknown = [...uses].filter(
			// "E_MODULE" stands for all of E_MODULE_…
			([code]) => !codes.some((known) => `${known}_`.startsWith(`${code}_`)),
		);
		expect(unknown).toEqual([]);
	});

	test("every code of the table is used", () => {
		expect(Object.keys(CODES).filter((code) => !uses.has(code))).toEqual([]);
	});

	test("each has a meaning and an advice, in sentences", () => {
		for (const [code, text] of [
			...Object.entries(CODES),
			...Object.entries(ADVICE),
		]) {
			expect(text, code).toMatch(/^([A-Z`"]|docs\/).+\.$/);
		}
		expect(Object.keys(ADVICE).sort()).toEqual(Object.keys(CODES).sort());
	});
});
