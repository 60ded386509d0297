import type { Runtime } from "./runtime.js";

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
	trap: /execution failed: .*/,
	limits: "memory",
	start: 5000,
	install: "see wasmedge.org, or set WASIEVE_ENGINES to the folder it lies in",
};
