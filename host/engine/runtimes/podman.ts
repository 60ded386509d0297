import type { ContainerOptions } from "./container.js";
import { docker } from "./docker.js";
import type { Runtime } from "./runtime.js";

/** A Linux image as with docker, without a daemon. Measured with 4.3. */
export function podman(options: ContainerOptions): Runtime {
	return {
		...docker(options),
		name: "podman",
		program: "podman",
		version: {
			arguments: [
				...["info", "--format"],
				"{{.Version.Version}} {{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}",
			],
			pattern: /^(\d+\.\d+\.\d+)/m,
		},
		oldest: "3.0.0",
		install: "install podman",
	};
}
