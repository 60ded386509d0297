import type { Machine } from "../../bench/machine.mjs";
import { type Result, resultOf } from "../../bench/results.mjs";
import { exactly, figure } from "../../bench/table.mjs";

const MACHINE: Machine = {
	cpu: "Sample CPU",
	arch: "x64",
	cores: 2,
	governor: "performance",
	memory: "4 GiB",
	kernel: "Linux 6.1",
	node: "v20.20.2",
	engines: { v8: "11.3", mosquitto: "2.0.11" },
	commit: "abc1234",
	date: "2026-01-01 12:00",
	load: "0.10",
	busy: 0.02,
	stolen: 0,
};

/** Nine values around `middle`, by at most `spread` of it. */
export function around(middle: number, spread = 0.01): number[] {
	return [0, 5, -3, 8, -8, 2, -5, 10, -10].map(
		(step) => middle * (1 + (spread * step) / 10),
	);
}

/** A result with a rate, a cost and sizes; `rate` and `us` are all rounds of theirs. */
export function sampleResult(
	{
		rate = around(2_000_000),
		us = around(12),
		instructions = 3198.8,
		bytes = 7945,
	} = {},
	machine: Partial<Machine> = {},
): Result {
	const method = { quick: false, rounds: 9, warmMs: 0, ms: 100 };
	return resultOf({ ...MACHINE, ...machine }, method, [
		{
			group: "in-module",
			title: "In the module",
			columns: ["", "readings/s at 4 KiB", "readings/s at 64 KiB"],
			rows: [
				["overheat", figure(rate, 0), figure(rate, 0, 0.5)],
				["stuffy", figure(rate, 0, 2), figure(rate, 0, 1.5)],
			],
		},
		{
			group: "capacity",
			title: "Capacity",
			columns: ["", "QoS", "CPU µs/msg"],
			rows: [["wasieve", "1", figure(us)]],
		},
		{
			group: "cost",
			title: "Deterministic cost",
			columns: ["", "instructions/reading"],
			rows: [["overheat", exactly(instructions, "instructions")]],
		},
		{
			group: "size",
			title: "Modules",
			columns: ["", "bytes"],
			rows: [
				["overheat", exactly(bytes, "bytes")],
				["stuffy", exactly(bytes * 1.7, "bytes")],
			],
		},
	]);
}
