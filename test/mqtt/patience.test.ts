import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Account, Patience } from "#host/mqtt/patience.js";

let now = 0;
let looks = 0;
const patience = new Patience(() => looks++);

beforeEach(() => {
	vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
	now = 0;
	looks = 0;
});
afterEach(() => {
	patience.run(false);
	vi.useRealTimers();
});

function pass(ms: number): void {
	now += ms;
	vi.advanceTimersByTime(ms);
}

const fresh = (): Account => ({
	credit: Number.POSITIVE_INFINITY,
	counted: 0,
	held: 0,
});

/** A pause of a line of so many ms, while others could take; whether they waited for it. */
function hold(account: Account, ms: number): boolean {
	const waited = patience.begin(account);
	patience.run(waited);
	pass(ms);
	patience.run(false);
	patience.end(account);
	return waited;
}

test("a line has 100 ms at once", () => {
	const account = fresh();
	expect(patience.begin(account)).toBe(true);
	patience.run(true);
	pass(90);
	expect(patience.left(account)).toBeCloseTo(10);
	expect(looks).toBe(9);
	pass(20);
	expect(patience.left(account)).toBeLessThan(0);
});

test("time in which nobody else could take is not counted", () => {
	const account = fresh();
	patience.begin(account);
	pass(5000);
	expect(patience.left(account)).toBeCloseTo(100);
	expect(looks).toBe(0);
});

test("in the long run it has a twentieth of the time", () => {
	const account = fresh();
	let held = 0;
	while (now < 60_000) {
		if (hold(account, 10)) held += 10;
		pass(10);
	}
	expect(held).toBeGreaterThan(0.045 * now);
	expect(held).toBeLessThan(0.055 * now + 100);
});
