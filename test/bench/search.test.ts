import { describe, expect, it } from "vitest";
import { search } from "../../bench/cases/highest-rate.mjs";

/** Searches among rates that are carried up to `limit`; what was tried comes along. */
async function searchBelow(limit: number, first: number) {
	const tried: number[] = [];
	const found = await search(async (rate: number) => {
		tried.push(rate);
		return rate <= limit;
	}, first);
	return { found, tried };
}

describe("the search for the highest rate", () => {
	it.each([
		[70_000, 70_000],
		[70_000, 100_000],
		[70_000, 40_000],
		[31_000, 90_000],
	])("finds %i msg/s within 5 percent, from %i on", async (limit, first) => {
		const { found, tried } = await searchBelow(limit, first);
		expect(found).toBeLessThanOrEqual(limit);
		expect(found).toBeGreaterThan(limit / 1.06);
		expect(tried.length).toBeLessThanOrEqual(7);
	});

	it("says what it saw carried, not what it hopes for", async () => {
		const { found, tried } = await searchBelow(Number.POSITIVE_INFINITY, 1000);
		expect(found).toBe(tried.at(-1));
	});

	it("fails when nothing is carried", async () => {
		await expect(searchBelow(0, 20_000)).rejects.toThrow(/is carried/);
	});
});
