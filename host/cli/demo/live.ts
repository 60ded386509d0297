import type { Writable } from "node:stream";
import type { PipelineAccount } from "./summary.js";
import { count } from "./summary.js";

/** How often the line is written: on a terminal it is rewritten, in a pipe each is a line of its own. */
const EVERY_MS = { terminal: 100, pipe: 1000 };

export interface LiveView {
	/** Stops, and leaves the last line standing. */
	stop(): void;
}

/** Shows what the pipelines do until stopped. */
export function showLive(
	out: Writable,
	isTTY: boolean,
	total: number,
	accounts: () => PipelineAccount[],
): LiveView {
	const began = performance.now();
	let before = { at: began, taken: 0 };
	const write = (end: string) => {
		const at = performance.now();
		const now = accounts();
		const taken = most(now);
		const rate = ((taken - before.taken) * 1000) / Math.max(1, at - before.at);
		before = { at, taken };
		out.write(
			`${isTTY ? "\r\x1b[K" : ""}${liveLine((at - began) / 1000, taken, total, rate, now)}${end}`,
		);
	};
	const timer = setInterval(
		() => write(isTTY ? "" : "\n"),
		isTTY ? EVERY_MS.terminal : EVERY_MS.pipe,
	);
	return {
		stop() {
			clearInterval(timer);
			write("\n");
		},
	};
}

/** One line, at most 100 columns. */
export function liveLine(
	seconds: number,
	taken: number,
	total: number,
	rate: number,
	accounts: readonly PipelineAccount[],
): string {
	const of = (key: "outputs" | "dropped" | "failed") =>
		count(accounts.reduce((n, each) => n + each[key], 0));
	const p99 = Math.max(0, ...accounts.map((each) => each.p99ms));
	return [
		`${seconds.toFixed(1).padStart(5)} s`,
		`${count(taken).padStart(6)} of ${count(total)} readings`,
		`${count(Math.round(rate)).padStart(6)}/s`,
		`alerts ${of("outputs")}`,
		`dropped ${of("dropped")}`,
		`failed ${of("failed")}`,
		`p99 ${p99.toFixed(1)} ms`,
	].join("  ");
}

function most(accounts: readonly PipelineAccount[]): number {
	return Math.max(0, ...accounts.map((each) => each.taken));
}
