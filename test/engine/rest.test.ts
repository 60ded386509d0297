import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rest } from "#host/engine/rest.js";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

const policy = { max: 8, backoff: { min: 100, max: 1000 } };

/** How long it rests after each of `count` failures in a row. */
function rests(rest: Rest, count: number): number[] {
	return Array.from({ length: count }, () => {
		const before = vi.getMockedSystemTime()?.getTime() ?? 0;
		rest.failed();
		if (rest.resting && !rest.stopped) vi.runAllTimers();
		return (vi.getMockedSystemTime()?.getTime() ?? 0) - before;
	});
}

test("rests double from the third failure in a row up to the longest", () => {
	const rest = new Rest(policy, () => {});
	expect(rests(rest, 7)).toEqual([0, 0, 100, 200, 400, 800, 1000]);
	expect(rest.stopped).toBe(false);
});

test("one success forgets them", () => {
	const rest = new Rest(policy, () => {});
	rests(rest, 5);
	rest.succeeded();
	expect(rests(rest, 3)).toEqual([0, 0, 100]);
});

test("one too many stops it until it is revived", () => {
	const wake = vi.fn();
	const rest = new Rest(policy, wake);
	rests(rest, 7);
	expect(rest.failed()).toBe(true);
	expect(rest.stopped && rest.resting).toBe(true);
	expect(vi.getTimerCount()).toBe(0);
	rest.revive();
	expect(rest.resting).toBe(false);
	expect(wake).toHaveBeenCalledTimes(5);
});

test("cancelled, it leaves no timer behind", () => {
	const rest = new Rest(policy, () => {});
	for (let k = 0; k < 4; k++) rest.failed();
	expect(rest.resting).toBe(true);
	rest.cancel();
	expect(rest.resting).toBe(false);
	expect(vi.getTimerCount()).toBe(0);
});
