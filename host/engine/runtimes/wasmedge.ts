import type { Runtime } from "./runtime.js";

/** Not measured: no package registry has it. */
export const wasmedge: Runtime = {
	name: "wasmedge",
	program: "wasmedge",
	arguments: ({ module, args, env, memory }) => [
		"--memory-page-limit",
		String(Math.floor(memory / 65_536)),
		...env.flatMap((each) => ["--env", each]),
		module,
		...args,
	],
	version: { arguments: ["--version"], pattern: /(\d+\.\d+\.\d+)/ },
	oldest: "0.9.0",
	flaws: [
		{
			id: "CVE-2025-69261",
			what: "a module can crash it by a memory access out of bounds (mended in 0.16.0)",
			affects: [["0", "0.16.0"]],
		},
	],
	trap: /execution failed: .*/,
	limits: "memory",
	start: 5000,
	install: "see wasmedge.org, or set WASIEVE_ENGINES to the folder it lies in",
};
