import { describe, expect, it } from "vitest";
import { median, quantile, ratios, summarize } from "../../bench/stats.mjs";

describe("median", () => {
	it.each([
		[[3], 3],
		[[10, 9, 100], 10],
		[[4, 1, 3, 2], 2.5],
		[[-1, -3, -2], -2],
	])("of %j is %d", (values, expected) => {
		expect(median(values)).toBe(expected);
	});

	it("of nothing is not a number", () => {
		expect(median([])).toBeNaN();
	});

	it("leaves its input in order", () => {
		const values = [3, 1, 2];
		median(values);
		expect(values).toEqual([3, 1, 2]);
	});
});

describe("quantile", () => {
	const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);

	it.each([
		[0, 1],
		[0.5, 50],
		[0.99, 99],
		[1, 100],
	])("%d of 1..100 is %d", (q, expected) => {
		expect(quantile(hundred, q)).toBe(expected);
	});

	it("of nothing is not a number", () => {
		expect(quantile([], 0.5)).toBeNaN();
	});
});

describe("summarize", () => {
	it("calls a figure unstable when its range is wider than a fifth of its median", () => {
		expect(summarize([100, 90, 110])).toEqual({
			n: 3,
			median: 100,
			min: 90,
			max: 110,
			spread: 0.2,
			unstable: false,
		});
		expect(summarize([100, 89, 110]).unstable).toBe(true);
	});

	it("calls a single value and equal values stable", () => {
		expect(summarize([7]).unstable).toBe(false);
		expect(summarize([0, 0, 0])).toMatchObject({ spread: 0, unstable: false });
	});
});

it("ratios pair the rounds", () => {
	expect(ratios([10, 40, 90], [5, 10])).toEqual([2, 4]);
});
