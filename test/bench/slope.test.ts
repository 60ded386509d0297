import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slopeOf } from "../../bench/slope.mjs";
import { textOf, within } from "../../bench/table.mjs";

describe("a slope", () => {
	it("of points on a line is the line's, and certain", () => {
		const { median, low, high } = slopeOf([
			[0, 1],
			[1, 3],
			[2, 5],
			[3, 7],
		]);
		expect([low, median, high]).toEqual([2, 2, 2]);
	});

	it("has Student's interval", () => {
		// y = 0, 1, 0, 1: slope 0.2, residual variance 0.4, Sxx 5, t(2) = 4.303
		const { median, low, high } = slopeOf([
			[0, 0],
			[1, 1],
			[2, 0],
			[3, 1],
		]);
		expect(median).toBeCloseTo(0.2, 10);
		expect(high - median).toBeCloseTo(4.303 * Math.sqrt(0.4 / 5), 3);
		expect(median - low).toBeCloseTo(high - median, 10);
	});

	it("holds 0 in 95 of 100 runs of noise that does not grow", () => {
		const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
			minLength: 12,
			maxLength: 12,
		});
		const runs = fc.sample(noise, { seed: 1, numRuns: 1000 });
		const held = runs.filter((values) => {
			const { low, high } = slopeOf(values.map((y, x) => [x, y] as const));
			return low <= 0 && high >= 0;
		});
		expect(held.length).toBeGreaterThan(920);
	});

	it("is shown with its interval, however wide", () => {
		const cell = within({ median: 0.4, low: -2.13, high: 2.96 }, 1);
		expect(textOf(cell)).toBe("0.4 (-2.1–3.0)");
	});
});
