import { arch, cpus } from "node:os";
import { gzipSync } from "node:zlib";
import type { Gauge } from "../engine/gauge.js";
import { LF, linesIn } from "../engine/lines.js";
import { WasieveError } from "../errors.js";
import { digestOf } from "../pack/digest.js";
import { watchOthers } from "./others.js";
import { type Counted, type Outcomes, outcomesOf } from "./outcomes.js";
import { usage } from "./report.js";

/** A figure that depends on the machine: the middle of its rounds, and where the true one lies with 95 %. */
export interface Measured {
	median: number;
	low: number;
	high: number;
	rounds: number;
}

/** What a filter costs, on the input that it was measured with. */
export interface PerformanceLabel {
	schema: "wasieve-label/1";
	module: string;
	/** sha256 of the module. */
	digest: string;
	/** Same on every machine. */
	size: { bytes: number; gzip: number };
	input: { readings: number; bytes: number };
	output: { lines: number; bytes: number };
	/** Of the readings; null when the module does not say, because it was not made with the SDK. */
	outcomes: Outcomes | null;
	/** Same on every machine; null when the module cannot be counted. */
	instructionsPerReading: number | null;
	/** Bytes of linear memory at most; same on every machine. */
	peakMemory: number;
	/** By architecture, as Node names it: x64, arm64 … */
	machines: Record<string, MachineLabel>;
}

export interface MachineLabel {
	cpu: string;
	node: string;
	/** Cores that other processes kept busy meanwhile. */
	othersBusy: number;
	compileMs: Measured;
	instantiateUs: Measured;
	readingsPerSecond: Measured;
}

/** Readings a timed run has at least: below, the clock and the first calls show. */
const READINGS_MIN = 20_000;
/** A round lasts so long at least: shorter ones differ more from one run of bench to the next than they say. */
const ROUND_MS = 100;
const INPUT_MAX = 64 * 1024 * 1024;
const STARTS = 30;
const COMPILES = 5;

/** The input as lines, each ended. Throws E_USAGE when there is none. */
export function readingsOf(input: Uint8Array): {
	bytes: Uint8Array;
	readings: number;
} {
	const ended = input.at(-1) === LF ? input : Buffer.concat([input, LINE_END]);
	let readings = 0;
	let from = 0;
	for (let at = ended.indexOf(LF); at !== -1; at = ended.indexOf(LF, from)) {
		if (at > from) readings++;
		from = at + 1;
	}
	if (readings === 0) throw usage("bench", "--input has no reading");
	return { bytes: ended, readings };
}

const LINE_END = Buffer.from("\n");

/**
 * Measures a module: first what is the same on every machine, then, `rounds` times, its speed
 * here. `open` compiles it anew.
 */
export function labelOf(
	name: string,
	module: Uint8Array,
	input: Uint8Array,
	open: () => Gauge,
	rounds: number,
): PerformanceLabel {
	const { bytes, readings } = readingsOf(input);
	const gauge = open();
	const first = gauge.run(bytes);
	const outcomes = acceptable(outcomesOf(gauge, bytes), readings);
	return {
		schema: "wasieve-label/1",
		module: name,
		digest: digestOf(module),
		size: { bytes: module.length, gzip: gzipSync(module, { level: 9 }).length },
		input: { readings, bytes: bytes.length },
		output: { lines: linesIn(first.output), bytes: first.output.length },
		outcomes,
		instructionsPerReading: instructions(gauge, bytes, readings),
		peakMemory: first.memory,
		machines: { [arch()]: timed(gauge, open, bytes, readings, rounds) },
	};
}

/** What it costs to reject is not what the filter costs. */
function acceptable(
	outcomes: Counted | undefined,
	readings: number,
): Outcomes | null {
	if (outcomes === undefined) return null;
	const { rejected, dropped, why } = outcomes;
	if (rejected < readings) return { rejected, dropped };
	throw new WasieveError(
		"E_GUEST_REJECT",
		`all ${readings} readings were rejected, the first for: ${why}`,
		{ hint: "--input needs readings as the filter expects them" },
	);
}

/**
 * A label of the same module on the same input, measured on another architecture before, has its figures
 * beside these; any other text is replaced.
 */
export function joined(
	label: PerformanceLabel,
	before: string,
): PerformanceLabel {
	const fixed = (of: object) => JSON.stringify({ ...of, machines: {} });
	try {
		const old = JSON.parse(before) as PerformanceLabel;
		if (fixed(old) !== fixed(label)) return label;
		return { ...label, machines: { ...old.machines, ...label.machines } };
	} catch {
		return label;
	}
}

/** Without what starting and ending cost, which no reading pays. */
function instructions(
	gauge: Gauge,
	bytes: Uint8Array,
	readings: number,
): number | null {
	const all = gauge.count(bytes);
	const none = gauge.count(new Uint8Array(0));
	if (all === undefined || none === undefined) return null;
	return Math.round(((all - none) / readings) * 100) / 100;
}

function timed(
	gauge: Gauge,
	open: () => Gauge,
	bytes: Uint8Array,
	readings: number,
	rounds: number,
): MachineLabel {
	const copies = Math.max(
		1,
		Math.min(
			Math.ceil(READINGS_MIN / readings),
			Math.floor(INPUT_MAX / bytes.length),
		),
	);
	const long = Buffer.concat(Array.from({ length: copies }, () => bytes));
	gauge.run(long); // Until here V8 has compiled it with its first, quick compiler only.
	const times = (count: number, what: () => number) =>
		measured(Array.from({ length: count }, what));
	const othersBusy = watchOthers();
	const figures = {
		compileMs: times(COMPILES, () => open().compileMs),
		instantiateUs: times(STARTS, () => {
			return gauge.run(new Uint8Array(0)).instantiateMs * 1000;
		}),
		readingsPerSecond: times(rounds, () => {
			return readings * copies * runsPerSecond(gauge, long);
		}),
	};
	return {
		cpu: cpus()[0]?.model ?? "unknown",
		node: process.version,
		othersBusy: Math.round(othersBusy() * 100) / 100,
		...figures,
	};
}

function runsPerSecond(gauge: Gauge, input: Uint8Array): number {
	let [runs, ms] = [0, 0];
	for (; ms < ROUND_MS; runs++) ms += gauge.run(input).runMs;
	return (runs / ms) * 1000;
}

/**
 * The median, and an interval for it from order statistics: ranks n/2 ± 0.98 √n, which hold the
 * true median with 95 % whatever the distribution (binomial, normal approximation).
 */
export function measured(values: readonly number[]): Measured {
	const sorted = [...values].sort((a, b) => a - b);
	const n = sorted.length;
	const at = (rank: number) =>
		sorted[Math.max(0, Math.min(n - 1, rank))] as number;
	const half = 0.98 * Math.sqrt(n);
	return {
		median: (at(Math.ceil(n / 2) - 1) + at(Math.floor(n / 2))) / 2,
		low: at(Math.floor(n / 2 - half)),
		high: at(Math.ceil(n / 2 + half) - 1),
		rounds: n,
	};
}
