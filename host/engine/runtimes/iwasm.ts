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
