import { expect, test } from "vitest";
import { Backoff } from "#host/mqtt/backoff.js";

/** Pauses before `count` attempts; each connection holds `held` ms, undefined when there is none. */
function pauses(count: number, held?: number): number[] {
	const backoff = new Backoff({ min: 200, max: 120_000 });
	return Array.from({ length: count }, () => {
		if (held !== undefined) backoff.held(held);
		return backoff.next();
	});
}

test("pauses double from min to max, and at least half of each is kept", () => {
	pauses(20).forEach((pause, k) => {
		const full = Math.min(120_000, 200 * 2 ** k);
		expect(pause).toBeGreaterThanOrEqual(full / 2);
		expect(pause).toBeLessThanOrEqual(full);
	});
});

test("a broker that closes at once, each time, is left alone longer and longer", () => {
	expect(pauses(20, 50).at(-1)).toBeGreaterThanOrEqual(60_000);
});

test("a broker that cuts every ten seconds is waited for no longer than at first", () => {
	expect(Math.max(...pauses(20, 10_000))).toBeLessThanOrEqual(200);
});

test("it is short again after a connection that held, however long it was before", () => {
	const backoff = new Backoff({ min: 200, max: 120_000 });
	for (let k = 0; k < 20; k++) backoff.next();
	backoff.held(10_000);
	expect(backoff.next()).toBeLessThanOrEqual(200);
});
