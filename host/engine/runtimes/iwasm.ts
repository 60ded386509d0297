import type { Runtime } from "./runtime.js";

/** WAMR's command. It writes why a module trapped to stdout, and has no limits of its own. */
export const iwasm: Runtime = {
	name: "iwasm",
	program: "iwasm",
	arguments: ({ module, args, env }) => [
		...env.map((each) => `--env=${each}`),
		module,
		...args,
	],
	version: { arguments: ["--version"], pattern: /iwasm (\d+\.\d+\.\d+)/ },
	oldest: "1.1.0",
	flaws: [
		{
			id: "CVE-2025-64713",
			what: "a module can make its fast interpreter write out of bounds (mended in 2.4.4)",
			affects: [["0", "2.4.4"]],
		},
		...["CVE-2026-54912", "CVE-2026-54913", "CVE-2026-54914"].map((id) => ({
			id,
			what: "a module can overflow its heap or read what it should not (mended in 2.4.5)",
			affects: [["0", "2.4.5"]] as const,
		})),
	],
	trap: /Exception: .*/,
	refusals: [
		{
			says: /WASM module load failed/,
			message: "it cannot load the module",
			hint: "this build may lack SIMD or bulk memory: build WAMR with them or the filter without",
		},
	],
	limits: "nothing",
	start: 5000,
	install:
		"build it from github.com/bytecodealliance/wasm-micro-runtime (product-mini), or set WASIEVE_ENGINES to the folder it lies in",
};
