import type { Writable } from "node:stream";
import { count, type PipelineAccount } from "./summary.js";

/** How often the line is written: on a terminal it is rewritten, in a pipe each is a line of its own. */
const EVERY_MS = { terminal: 100, pipe: 1000 };

export interface LiveView {
	/** Stops, and leaves a last line standing with the rate over all. */
	stop(): void;
}

/** What the line shows, at one moment. */
export interface Progress {
	/** Readings to come in all. */
	total: number;
	/** Alerts that came back from the broker. */
	alerts: number;
	pipelines: readonly PipelineAccount[];
}

/** Shows how far the pipelines are until stopped. */
export function showLive(
	out: Writable,
	isTTY: boolean,
	progress: () => Progress,
): LiveView {
	const began = { at: performance.now(), taken: 0 };
	let before = began;
	const write = (since: typeof began, end: string) => {
		const now = { at: performance.now(), taken: taken(progress()) };
		const rate = ((now.taken - since.taken) * 1000) / (now.at - since.at);
		const line = liveLine((now.at - began.at) / 1000, rate, progress());
		before = now;
		out.write(`${isTTY ? "\r\x1b[K" : ""}${line}${end}`);
	};
	const every = isTTY ? EVERY_MS.terminal : EVERY_MS.pipe;
	const timer = setInterval(() => write(before, isTTY ? "" : "\n"), every);
	return {
		stop() {
			clearInterval(timer);
			write(began, "\n");
		},
	};
}

/** One line, at most 100 columns. "x 4": each pipeline takes every reading, and outcomes are summed over all. */
export function liveLine(
	seconds: number,
	rate: number,
	progress: Progress,
): string {
	const { total, alerts, pipelines } = progress;
	const sum = (key: "dropped" | "failed") =>
		count(pipelines.reduce((n, each) => n + each[key], 0));
	const p99 = Math.max(0, ...pipelines.map((each) => each.p99ms));
	return [
		`${seconds.toFixed(1).padStart(5)} s`,
		`${count(taken(progress)).padStart(6)}/${count(total)} readings x ${pipelines.length}`,
		`${count(Math.round(rate)).padStart(6)}/s`,
		`alerts ${count(alerts)}`,
		`dropped ${sum("dropped")}`,
		`failed ${sum("failed")}`,
		`p99 ${p99.toFixed(1)} ms`,
	].join("  ");
}

/** Each pipeline takes every reading; the furthest tells how far the demo is. */
function taken({ pipelines }: Progress): number {
	return Math.max(0, ...pipelines.map((each) => each.taken));
}
