import { describe, expect, it } from "vitest";
import { distance, nearest } from "#host/config/nearest.js";

describe("nearest", () => {
	it.each([
		["", "", 0],
		["run", "run", 0],
		["run", "rnu", 1],
		["exce", "exec", 1],
		["buidl", "build", 1],
		["chekc", "check", 1],
		["chek", "check", 1],
		["demos", "demo", 1],
		["kitten", "sitting", 3],
	])("%s to %s takes %i edits", (a, b, edits) => {
		expect(distance(a, b)).toBe(edits);
		expect(distance(b, a)).toBe(edits);
	});

	it("finds the word that was meant", () => {
		expect(nearest("chekc", ["new", "check", "exec"])).toBe("check");
	});

	it("takes small letters for capitals", () => {
		expect(nearest("limit", ["TOPIC", "LIMIT"])).toBe("LIMIT");
	});

	it("suggests nothing far-fetched", () => {
		expect(nearest("deploy", ["new", "check", "exec", "demo"])).toBe(undefined);
	});
});
