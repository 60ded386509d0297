import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rounds } from "#host/mqtt/rounds.js";

let rounds: Rounds;
let sent: number;

beforeEach(() => {
	vi.useFakeTimers();
	sent = 0;
	rounds = new Rounds(() => sent++);
});
afterEach(() => {
	vi.useRealTimers();
});

test("a line that comes after SUBACK and silence is subscribed for, several at once", () => {
	rounds.granted();
	expect([rounds.next(), rounds.next()]).toEqual([1, 1]);
	vi.advanceTimersByTime(100);
	expect([sent, rounds.current]).toEqual([1, 1]);
	vi.advanceTimersByTime(10_000);
	expect(sent).toBe(1);
});

test("while SUBACK is awaited it waits, however long that takes", () => {
	rounds.next();
	vi.advanceTimersByTime(10_000);
	expect(sent).toBe(0);
	rounds.granted();
	vi.advanceTimersByTime(100);
	expect(sent).toBe(1);
	expect(rounds.next()).toBe(2); // SUBACK of the second is awaited again
	vi.advanceTimersByTime(10_000);
	expect(sent).toBe(1);
});

test("retained messages that come after SUBACK put it off, and so does a pause", () => {
	rounds.granted();
	rounds.next();
	for (let k = 0; k < 5; k++) {
		vi.advanceTimersByTime(90);
		rounds.wait();
	}
	rounds.hold(true);
	vi.advanceTimersByTime(10_000);
	expect(sent).toBe(0);
	rounds.hold(false);
	vi.advanceTimersByTime(90);
	expect(sent).toBe(0);
	vi.advanceTimersByTime(10);
	expect(sent).toBe(1);
});

test("a lost connection begins anew: the next SUBSCRIBE is for all", () => {
	rounds.granted();
	rounds.next();
	rounds.reset();
	vi.advanceTimersByTime(10_000);
	expect([sent, rounds.several, rounds.current]).toEqual([0, false, 0]);
});
