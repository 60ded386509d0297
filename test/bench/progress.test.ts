import { expect, it } from "vitest";
import { openProgress } from "../../bench/progress.mjs";

/** To the line's begin, and clear it. */
const BACK = "\r\x1b[K";

function spoken(isTTY: boolean, columns = 60) {
	let now = 0;
	let text = "";
	const write = (more: string) => {
		text += more;
	};
	const stream = { isTTY, columns, write };
	const progress = openProgress(stream, () => now);
	return { progress, text: () => text, wait: (ms: number) => (now += ms) };
}

it("writes one line over on a terminal, cut to its width", () => {
	const { progress, text, wait } = spoken(true, 40);
	progress.begin("capacity", 2, 11);
	wait(65_000);
	progress.say("QoS 0, round 1/3: wasieve, and much more than fits");
	progress.say("next");
	expect(text()).toBe(
		`${BACK}[1:05 · 2/11 capacity] QoS 0, round 1/3${BACK}[1:05 · 2/11 capacity] next`,
	);
});

it("writes a line a second where nobody watches", () => {
	const { progress, text, wait } = spoken(false);
	progress.begin("cost", 1, 1);
	for (const each of ["a", "b", "c"]) {
		progress.say(each);
		wait(600);
	}
	expect(text()).toBe("[0:00 · 1/1 cost] a\n[0:01 · 1/1 cost] c\n");
});

it("keeps what is to stay, and clears before something else is printed", () => {
	const { progress, text } = spoken(true);
	progress.say("x");
	progress.tell("written: out.json");
	progress.clear();
	expect(text().endsWith(`${BACK}written: out.json\n${BACK}`)).toBe(true);
});
