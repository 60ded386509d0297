// The machine the numbers come from, and whether it is quiet enough to believe them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem } from "node:os";
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
		arch: arch(),
		cores: cores.length,
		governor: governor(),
		memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
		kernel: `Linux ${release()}`,
		node: process.version,
		engines: await engines(),
		commit: commit(),
		date: new Date().toISOString().slice(0, 16).replace("T", " "),
		load: loadavg()[0]?.toFixed(2) ?? "?",
		busy: (after.busy - before.busy) / (LOOK_MS * 1000),
		stolen: (after.stolen - before.stolen) / (LOOK_MS * 1000),
	};
}

/** @typedef {Awaited<ReturnType<typeof describeMachine>>} Machine */

/** What the kernel does with the clock rate, where it says so. */
function governor() {
	try {
		return readFileSync(GOVERNOR, "utf8").trim();
	} catch {
		return "unknown"; // Most virtual machines do not know it.
	}
}

const GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

/** @returns {Promise<Record<string, string>>} versions of what was found beside Node */
async function engines() {
	/** @type {Record<string, string>} */
	const found = { v8: process.versions.v8 };
	const mosquitto = mosquittoVersion();
	if (mosquitto) found.mosquitto = mosquitto;
	// Only who measures has a build: reports and comparisons know machines without one.
	const { externalEngines } = await import("./engines.mjs");
	for (const { name, version } of (await externalEngines()).engines)
		found[name] = version;
	const docker = dockerVersion();
	if (docker) found.docker = docker;
	return found;
}

/** @returns {string | undefined} of the daemon, if there is one */
function dockerVersion() {
	const args = ["version", "--format", "{{.Server.Version}}"];
	try {
		return execFileSync("docker", args, {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
			timeout: 5000,
		}).trim();
	} catch {
		return undefined;
	}
}

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
	const { busy, stolen, load, engines, date, ...fixed } = machine;
	const dated = { ...fixed, date: `${date} UTC`, ...engines };
	const facts = Object.entries(dated).map(([key, value]) => `${key} ${value}`);
	const mood = `load ${load}, ${busy.toFixed(2)} cores busy and ${stolen.toFixed(2)} stolen before the start`;
	return `${facts.join(" · ")} · ${mood}`;
}

/**
 * @param {Machine} machine
 * @param {boolean} timed whether anything is measured that a busy machine changes
 * @returns {string | undefined}
 */
export function warningOf(machine, timed) {
	if (!timed || !isBusy(machine)) return undefined;
	const { busy, stolen, cores } = machine;
	return [
		"!".repeat(72),
		`!! NOT QUIET: ${busy.toFixed(2)} of ${cores} cores are busy and ${stolen.toFixed(2)} stolen before anything has begun.`,
		"!! The figures below compare at best; do not quote them.",
		"!".repeat(72),
	].join("\n");
}

/** @type {(machine: Pick<Machine, "busy" | "stolen">) => boolean} */
function isBusy({ busy, stolen }) {
	return busy + stolen > NOISY;
}

/**
 * @param {Pick<import("./results.mjs").Result, "machine" | "figures">} result
 * @returns {boolean} whether some of its figures are not to be quoted
 */
export function isNoisy({ machine, figures }) {
	return isBusy(machine) && !figures.every(isCounted);
}

/**
 * What is stored is weighed once and has no noise, also where the Go or the zlib at hand decide it.
 *
 * @param {Pick<import("./results.mjs").ResultFigure, "exact" | "group">} figure
 */
export function isCounted({ exact, group }) {
	return exact || group === "size";
}
