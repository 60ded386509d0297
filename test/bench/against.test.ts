import { describe, expect, it } from "vitest";
import { merged } from "../../bench/against.mjs";
import { compare } from "../../bench/comparison.mjs";
import { around, sampleResult } from "./samples.js";

const RATE = "in-module/in-the-module/overheat/readings-s-at-4-kib";

/** A turn whose machine was `mood` times as fast as usual. */
const turn = (mood: number) => sampleResult({ rate: around(2e6 * mood, 0.1) });
const moods = [1, 0.6, 1.4, 0.8, 1.1];

function side(commit: string, gain: number) {
	return merged(
		moods.map((mood) => turn(mood * gain)),
		{ commit, rounds: moods.length },
	);
}

describe("turns of A and B", () => {
	it("have one value each, whatever lies within a turn", () => {
		const { machine, method, figures } = side("base", 1);
		expect(machine.commit).toBe("base");
		expect(method).toMatchObject({ rounds: 5, paired: true });
		const rate = figures.find(({ id }) => id === RATE);
		expect(rate?.values).toEqual(moods.map((mood) => mood * 2e6));
		expect(rate?.median).toBe(2e6);
	});

	it("are compared side by side: a machine that changes its mood changes no ratio", () => {
		const found = compare(side("base", 1), side("branch", 1.05));
		const rate = found.find(({ id }) => id === RATE);
		expect(rate?.verdict).toBe("better");
		expect(rate?.low).toBeCloseTo(1.05, 6);
		expect(rate?.high).toBeCloseTo(1.05, 6);
	});

	it("are not compared so with a result of another run", () => {
		const alone = { ...side("base", 1), method: turn(1).method };
		const found = compare(alone, side("branch", 1.05));
		expect(found.find(({ id }) => id === RATE)?.verdict).toBe("unstable");
	});

	it("keep what is exact as it is", () => {
		const found = compare(side("base", 1), side("branch", 1));
		const exact = found.filter((each) => each.exact);
		expect(exact.length).toBeGreaterThan(0);
		expect(exact.every(({ verdict }) => verdict === "same")).toBe(true);
	});
});
