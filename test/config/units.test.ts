import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUnit, parseUnit, unitPattern } from "#host/config/units.js";

test.each([
	["bytes", "16MiB", 16_777_216],
	["bytes", "64 KiB", 65_536],
	["bytes", "1.5MiB", 1_572_864],
	["bytes", "2MB", 2_000_000],
	["bytes", 512, 512],
	["bytes", "0", 0],
	["count", "10M", 10_000_000],
	["count", "2.5k", 2500],
	["count", 7, 7],
	["duration", "250ms", 250],
	["duration", "1.5s", 1500],
	["duration", "2h", 7_200_000],
	["duration", "0", 0],
] as const)("%s %s", (unit, written, value) => {
	expect(parseUnit(unit, written)).toBe(value);
});

test.each([
	["bytes", "16Mib"],
	["bytes", "16 M"],
	["bytes", "1.3B"],
	["bytes", "-1"],
	["bytes", ""],
	["bytes", "1e3"],
	["bytes", "9999999GiB"],
	["bytes", "1constructor"],
	["count", "10m"],
	["count", 1.5],
	["duration", "250"],
	["duration", "1min"],
] as const)("not %s: %s", (unit, written) => {
	expect(parseUnit(unit, written)).toBeUndefined();
});

describe("what is formatted", () => {
	test.each(["bytes", "count", "duration"] as const)(
		"parses to the same %s, and an editor's pattern agrees",
		(unit) => {
			fc.assert(
				fc.property(fc.maxSafeNat(), (value) => {
					const text = formatUnit(unit, value);
					expect(parseUnit(unit, text)).toBe(value);
					expect(text).toMatch(new RegExp(unitPattern(unit)));
				}),
			);
		},
	);

	test("is short", () => {
		expect(formatUnit("bytes", 65_536)).toBe("64KiB");
		expect(formatUnit("count", 10_000_000)).toBe("10M");
		expect(formatUnit("duration", 90_000)).toBe("90s");
	});
});
