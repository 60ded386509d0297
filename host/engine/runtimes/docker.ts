import {
	type ContainerOptions,
	DAEMON,
	end,
	IMAGE,
	NETWORK,
	PLATFORM,
	REFUSED,
	run,
	STORE,
} from "./container.js";
import { RUNC } from "./runc.js";
import type { Runtime } from "./runtime.js";

/**
 * A Linux image that holds a static runtime and the module. Needs no shim, sees the end of stdin.
 * Measured with 20.10, 28.5 and 29.7.
 */
export function docker(options: ContainerOptions): Runtime {
	return {
		name: "docker",
		program: "docker",
		arguments: (launch) => run(options, launch, []),
		version: {
			arguments: [
				...["version", "--format"],
				"{{.Server.Version}}{{range .Server.Components}} {{.Name}} {{.Version}}{{end}}",
			],
			pattern: /^(\d+\.\d+\.\d+)/m,
		},
		oldest: "20.10.0",
		flaws: RUNC,
		trap: /wasm (error|trap): .*/,
		refusals: [DAEMON, IMAGE, PLATFORM, NETWORK, REFUSED],
		limits: "memory",
		start: 30_000,
		install: "install Docker Engine and start it",
		container: {
			...STORE,
			end,
			failures: [125, 126, 127],
			stuck: "look at `docker events` while it starts",
			deaf: false,
			platform: "linux",
		},
	};
}
