import type { ContainerOptions } from "./container.js";
import { dockerWasm } from "./docker-wasm.js";
import type { Runtime } from "./runtime.js";

/** The wasmtime shim without Docker: containerd's own command, which makes no network at all. */
export function ctr({ image }: ContainerOptions): Runtime {
	return {
		...dockerWasm({ image }),
		name: "ctr",
		program: "ctr",
		arguments: ({ name, env, args }) => [
			...["run", "--rm", "--runtime", "io.containerd.wasmtime.v1"],
			...env.flatMap((each) => ["--env", each]),
			...[image, name, ...args],
		],
		version: {
			arguments: ["--version"],
			pattern: /(\d+\.\d+\.\d+)/,
		},
		oldest: "1.7.0",
		flaws: [],
		limits: "nothing",
		install: "install containerd and the wasmtime shim of runwasi",
		container: {
			end: (name) => [
				["task", "kill", "--signal", "SIGKILL", name],
				["container", "rm", name],
			],
			failures: [],
			stuck:
				"look at containerd's log; images need `ctr image import --local --platform wasi/wasm`",
		},
	};
}
