import type { Launch, Refusal } from "./runtime.js";

/** How a container meets the network. */
export interface ContainerOptions {
	/** `none`, `host` or `container:NAME`. */
	network?: string;
}

/** Networks that a container may be in: none of its own, or one that is there. */
export function isNetwork(network: string): boolean {
	return /^(none|host|container:.+)$/.test(network);
}

/** Bytes a runtime may take besides the filter's memory. */
const AROUND = 64 * 1024 * 1024;

export const DAEMON: Refusal = {
	says: /cannot connect to the docker daemon|permission denied.*docker/i,
	message: "its daemon cannot be reached",
	hint: "start it, and let this user reach its socket (group docker) or set DOCKER_HOST",
};
export const IMAGE: Refusal = {
	says: /no such image|unable to find image|image not known|image.*not found/i,
	message: "the image is not on this machine",
	hint: "pull or load it first: a start does not wait for a download",
};
export const PLATFORM: Refusal = {
	says: /exec format error|does not match the specified platform/,
	message: "the image is of another platform",
	hint: "docker and podman run Linux images of this machine's kind; docker-wasm runs those of wasi/wasm",
};
/** In the shim's words (libcontainer 0.5.4) and in those of an old runc. */
export const TIME: Refusal = {
	says: /invalid spec for new user namespace|namespace \{"time"/,
	message: "Docker 29.5 and later ask for a time namespace, which it lacks",
	hint: 'put "features": {"time-namespaces": false} into daemon.json and restart dockerd',
};
export const SHIM: Refusal = {
	says: /unknown (or invalid )?runtime|runtime .* not installed|failed to start shim/i,
	message: "its Wasm shim is not there",
	hint: "put containerd-shim-wasmtime-v1 on the PATH of dockerd and containerd, and turn the containerd image store on",
};

export const NETWORK: Refusal = {
	says: /no such container|no container with name|non running container/i,
	message: "the container whose network it is to share does not run",
	hint: "docker run -d --name NAME --network none --restart always alpine sleep infinity",
};
/** Anything else, after all others. */
export const REFUSED: Refusal = {
	says: /error response from daemon: ./i,
	message: "its daemon refuses",
	hint: "what it says tells why; `docker events` shows how far it came",
};

/** docker run and podman run, as tight as both can: no network, nothing to write to, no rights. */
export function run(
	{ network = "none" }: ContainerOptions,
	{ module, name, env, args, memory }: Launch,
	extra: readonly string[],
): string[] {
	return [
		...["run", "--rm", "-i", "--name", name, "--pull=never"],
		...["--network", network, "--log-driver", "none", "--read-only"],
		...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
		...["--pids-limit", "64", "--memory", `${memory + AROUND}b`],
		...extra,
		...env.flatMap((each) => ["-e", each]),
		module,
		...args,
	];
}

/** `stop` waits ten seconds for a process that does not hear SIGTERM; `kill` takes 70 ms. */
export function end(name: string): readonly (readonly string[])[] {
	return [
		["kill", name],
		["rm", "--force", name],
	];
}

/** How Docker and podman keep images. */
export const STORE = {
	has: (image: string) => ["image", "inspect", image],
	load: (archive: string) => [["load", "--input", archive]],
	forget: (image: string) => ["image", "rm", image],
};
