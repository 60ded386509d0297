import { afterAll, describe, expect, it } from "vitest";
import { openAllocations } from "../../bench/allocations.mjs";
import { bareGuest } from "../../bench/bare-guest.mjs";
import { sweep } from "../../bench/children.mjs";
import { readings } from "../../bench/filters.mjs";
import { jsonAs } from "../../bench/rivals/json-as.mjs";
import { jsonParse } from "../../bench/rivals/json-parse.mjs";
import { check } from "../../bench/shipped.mjs";

afterAll(sweep);

describe("rivals do the same work", () => {
	it("JSON.parse", () => {
		expect(() => check(jsonParse())).not.toThrow();
	});

	it("json-as", () => {
		expect(() => check(bareGuest(jsonAs(false)))).not.toThrow();
	});
});

describe("bytes allocated", () => {
	it("are none in a filter that keeps nothing", async () => {
		const allocated = await openAllocations("overheat", [], false);
		expect(allocated(readings(600))).toBe(0);
	});

	it("are counted in one that keeps a state for each device", async () => {
		const allocated = await openAllocations("deadband", ["BAND=10"], false);
		const bytes = allocated(readings(600));
		expect(bytes).toBeGreaterThan(600);
		// What it keeps is of the devices: the same readings again allocate no more.
		expect(allocated(readings(600))).toBeLessThanOrEqual(bytes);
	});
});
