import type { Runtime } from "./runtime.js";

/** Measured with 1.12.0. Its time limit is for the whole life of a module, so the gateway's clock ends readings. */
export const wazero: Runtime = {
	name: "wazero",
	program: "wazero",
	arguments: ({ module, args, env }) => [
		"run",
		...env.map((each) => `-env=${each}`),
		module,
		"--",
		...args,
	],
	version: { arguments: ["version"], pattern: /(\d+\.\d+\.\d+)/ },
	oldest: "1.0.0",
	trap: /wasm error: .*/,
	limits: "nothing",
	start: 5000,
	install:
		"CGO_ENABLED=0 go install github.com/tetratelabs/wazero/cmd/wazero@v1.12.0, or set WASIEVE_ENGINES to the folder it lies in",
};
