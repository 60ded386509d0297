import { expect, test } from "vitest";
import type { Log } from "#host/contract.js";
import { WasieveError } from "#host/errors.js";
import { Throttle } from "#host/pipeline/throttle.js";

function throttle() {
	const lines: object[] = [];
	const log = { warn: (fields: object) => lines.push(fields) };
	let now = 0;
	const noise = new Throttle(log as unknown as Log, () => now);
	return {
		lines,
		say: (
			at: number,
			code: "E_GUEST_TRAP" | "E_GUEST_REJECT",
			message = "no",
		) => {
			now = at;
			const error = new WasieveError(code, message, { hint: "mend" });
			noise.warn("hot", error, { topic: "t/1" });
		},
	};
}

test("one line a code in ten seconds; the next one counts what was left out", () => {
	const { lines, say } = throttle();
	for (const at of [0, 1, 9_999]) say(at, "E_GUEST_TRAP");
	say(5, "E_GUEST_REJECT");
	say(10_000, "E_GUEST_TRAP");
	say(20_000, "E_GUEST_TRAP");
	const line = { pipeline: "hot", topic: "t/1", hint: "mend" };
	expect(lines).toEqual([
		{ ...line, code: "E_GUEST_TRAP" },
		{ ...line, code: "E_GUEST_REJECT" },
		{ ...line, code: "E_GUEST_TRAP", repeated: 2 },
		{ ...line, code: "E_GUEST_TRAP" },
	]);
});

test("what differs is told apart, but for numbers, up to eight messages of a code", () => {
	const { lines, say } = throttle();
	for (const message of ["a", "b", "b", "9 bytes", "10 bytes"])
		say(0, "E_GUEST_REJECT", message);
	expect(lines).toHaveLength(3);
	for (const letter of "cdefghijkl") say(1, "E_GUEST_REJECT", letter);
	expect(lines).toHaveLength(9); // c to g, and one line for h to l
	say(10_001, "E_GUEST_REJECT", "z");
	expect(lines.at(-1)).toMatchObject({ repeated: 4 });
});
