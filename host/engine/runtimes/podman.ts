import { type ContainerOptions, run } from "./container.js";
import { docker } from "./docker.js";
import type { Container, Runtime } from "./runtime.js";

/** podman asks for a million of both by itself, which not every machine lets it have. */
const LIMITS = ["--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"];

/** A Linux image as with docker, without a daemon. Measured with 4.3. */
export function podman(options: ContainerOptions): Runtime {
	const like = docker(options);
	const stuck = "try the image by hand: podman run --rm -i IMAGE";
	return {
		...like,
		name: "podman",
		program: "podman",
		arguments: (launch) => run(options, launch, LIMITS),
		version: {
			arguments: [
				...["info", "--format"],
				"{{.Version.Version}} {{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}",
			],
			pattern: /^(\d+\.\d+\.\d+)/m,
		},
		oldest: "3.0.0",
		install: "install podman",
		container: { ...(like.container as Container), stuck },
	};
}
