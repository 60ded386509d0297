import { expect, it } from "vitest";
import { notRun } from "../../bench/reasons.mjs";
import { absentOf, interleave, pluck } from "../../bench/rounds.mjs";

const own = { name: "own" };
const rival = { name: "rival", rival: true };

it("takes turns, and leaves a rival out that fails", async () => {
	const order: string[] = [];
	const samples = await interleave(
		[own, rival],
		3,
		async ({ name }, round) => {
			order.push(name);
			if (name === "rival" && round === 1) throw new Error("too much\nfor it");
			return { rate: round };
		},
		() => {},
	);
	expect(order).toEqual(["own", "rival", "own", "rival", "own"]);
	expect(pluck(samples.get(own), "rate")).toEqual([0, 1, 2]);
	expect(samples.get(rival)).toEqual([]);
	expect(notRun(absentOf(samples, "QoS 1"))).toBe(
		" Not run: rival, QoS 1 (too much).",
	);
});

it("ends when it is the gateway that fails", async () => {
	const fails = () => Promise.reject(new Error("3 alerts lost"));
	await expect(interleave([own], 1, fails, () => {})).rejects.toThrow(
		"3 alerts lost",
	);
});
