import { dockerWasm } from "./docker-wasm.js";
import type { Runtime } from "./runtime.js";

/** The wasmtime shim without Docker: containerd's own command, which makes no network at all. */
export function ctr(): Runtime {
	return {
		...dockerWasm({}),
		name: "ctr",
		program: "ctr",
		arguments: ({ module, name, env, args }) => [
			...["run", "--rm", "--runtime", "io.containerd.wasmtime.v1"],
			...env.flatMap((each) => ["--env", each]),
			...[module, name, ...args],
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
			deaf: true,
			platform: "wasi/wasm",
			// containerd 2 unpacks elsewhere, for a platform of its own, unless it is told --local.
			load: (archive) => [
				["image", "import", "--local", "--platform", "wasi/wasm", archive],
				["image", "import", "--platform", "wasi/wasm", archive],
			],
			forget: (image) => ["image", "rm", image],
		},
	};
}
