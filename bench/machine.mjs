// The machine the numbers come from, and whether it is quiet enough to believe them.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { mosquittoVersion } from "./mosquitto.mjs";
import { cpuOfMachine } from "./proc.mjs";
import { ROOT } from "./subjects.mjs";

/** Busy cores before anything has been started, beyond which numbers are not to be trusted. */
const NOISY = 0.15;

const LOOK_MS = 1000;

export async function describeMachine() {
	const before = cpuOfMachine();
	await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	const after = cpuOfMachine();
	const cores = cpus();
	return {
		cpu: cores[0]?.model ?? "unknown",
		cores: cores.length,
		memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
		kernel: `Linux ${release()}`,
		node: process.version,
		mosquitto: mosquittoVersion() ?? "not installed",
		commit: commit(),
		date: new Date().toISOString().slice(0, 16).replace("T", " "),
		load: loadavg()[0]?.toFixed(2) ?? "?",
		busy: (after.busy - before.busy) / (LOOK_MS * 1000),
		stolen: (after.stolen - before.stolen) / (LOOK_MS * 1000),
	};
}

/** @typedef {Awaited<ReturnType<typeof describeMachine>>} Machine */

/** @returns {string} short hash, with a + when files differ from it */
function commit() {
	try {
		const git = (/** @type {string[]} */ ...args) =>
			execFileSync("git", ["-C", ROOT, ...args], {
				encoding: "utf8",
				stdio: ["ignore", "pipe", "ignore"],
			}).trim();
		const dirty = git("status", "--porcelain", "--untracked-files=no") !== "";
		return git("rev-parse", "--short", "HEAD") + (dirty ? "+" : "");
	} catch {
		return "unknown";
	}
}

/** @param {Machine} machine */
export function headerOf(machine) {
	const { busy, stolen, load, ...fixed } = machine;
	const facts = Object.entries(fixed).map(([key, value]) => `${key} ${value}`);
	const mood = `load ${load}, ${busy.toFixed(2)} cores busy and ${stolen.toFixed(2)} stolen before the start`;
	return `${facts.join(" · ")} (UTC) · ${mood}`;
}

/**
 * @param {Machine} machine
 * @returns {string | undefined}
 */
export function warningOf({ busy, stolen, cores }) {
	if (busy + stolen <= NOISY) return undefined;
	return [
		"!".repeat(72),
		`!! NOT QUIET: ${busy.toFixed(2)} of ${cores} cores are busy and ${stolen.toFixed(2)} stolen before anything has begun.`,
		"!! The figures below compare at best; do not quote them.",
		"!".repeat(72),
	].join("\n");
}
