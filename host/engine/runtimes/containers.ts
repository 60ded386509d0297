import type { Launch, Runtime } from "./runtime.js";

/** An image with the module in it, and how its container meets the network. */
export interface ContainerOptions {
	image: string;
	/** `none`, `host` or `container:NAME`. */
	network?: string;
}

/** Bytes a runtime may take besides the filter's memory. */
const AROUND = 64 * 1024 * 1024;

const DAEMON = {
	says: /cannot connect to the docker daemon|permission denied.*docker/i,
	message: "its daemon cannot be reached",
	hint: "start it, and let this user reach its socket (group docker) or set DOCKER_HOST",
};
const IMAGE = {
	says: /no such image|unable to find image|image not known|image.*not found/i,
	message: "the image is not on this machine",
	hint: "pull or load it first: a start does not wait for a download",
};
const PLATFORM = {
	says: /exec format error/,
	message: "the image is of another platform",
	hint: "docker runs Linux images; those of wasi/wasm need docker-wasm",
};
/** In the shim's words (libcontainer 0.5.4) and in those of an old runc. */
const TIME = {
	says: /invalid spec for new user namespace|namespace \{"time"/,
	message: "Docker 29.5 and later ask for a time namespace, which it lacks",
	hint: 'put "features": {"time-namespaces": false} into daemon.json and restart dockerd',
};
const SHIM = {
	says: /unknown or invalid runtime|runtime .* not installed|failed to start shim/i,
	message: "its Wasm shim is not there",
	hint: "put containerd-shim-wasmtime-v1 on the PATH of dockerd and containerd, and turn the containerd image store on",
};

/** docker run and podman run, as tight as both can: no network, nothing to write to, no rights. */
function run(
	{ image, network = "none" }: ContainerOptions,
	{ name, env, args, memory }: Launch,
	extra: readonly string[],
): string[] {
	return [
		...["run", "--rm", "-i", "--name", name, "--pull=never"],
		...["--network", network, "--log-driver", "none", "--read-only"],
		...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
		...["--pids-limit", "64", "--memory", `${memory + AROUND}b`],
		...extra,
		...env.flatMap((each) => ["-e", each]),
		image,
		...args,
	];
}

/** `stop` waits ten seconds for a process that does not hear SIGTERM; `kill` takes 70 ms. */
const end = (name: string) => [
	["kill", name],
	["rm", "--force", name],
];

/** A Linux image that holds a static runtime and the module. Needs no shim, sees the end of stdin. */
export function docker(options: ContainerOptions): Runtime {
	return {
		name: "docker",
		program: "docker",
		arguments: (launch) => run(options, launch, []),
		version: {
			arguments: ["version", "--format", "{{.Server.Version}}"],
			pattern: /^(\d+\.\d+\.\d+)/m,
		},
		oldest: "20.10.0",
		trap: /wasm (error|trap): .*/,
		refusals: [DAEMON, IMAGE, PLATFORM],
		limits: "memory",
		start: 30_000,
		install: "install Docker Engine and start it",
		container: {
			end,
			failures: [125, 126, 127],
			stuck: "look at `docker events` while it starts",
		},
	};
}

/** The same by podman. */
export function podman(options: ContainerOptions): Runtime {
	return {
		...docker(options),
		name: "podman",
		program: "podman",
		version: {
			arguments: ["--version"],
			pattern: /podman version (\d+\.\d+\.\d+)/,
		},
		oldest: "3.0.0",
		install: "install podman",
	};
}

/**
 * A wasi/wasm image in containerd's wasmtime shim. The end of stdin never arrives there, so the
 * filter is ended in band, and signals do not reach it: the container is killed by its name.
 * dockerd cannot make a network for it: it waits for ever with the container "Created".
 */
export function dockerWasm(options: ContainerOptions): Runtime {
	const shim = ["--runtime", "io.containerd.wasmtime.v1"];
	return {
		...docker(options),
		name: "docker-wasm",
		arguments: (launch) =>
			run(options, launch, [...shim, "--platform", "wasi/wasm"]),
		oldest: "23.0.0",
		refusals: [DAEMON, IMAGE, TIME, SHIM],
		install: "install Docker Engine and the wasmtime shim of runwasi",
		container: {
			end,
			failures: [125, 126, 127],
			stuck:
				'a container that stays "Created" waits for a network: use network: host or container:NAME, where NAME is a Linux container that sleeps with --network none',
		},
	};
}

/** The same shim without Docker: containerd's own command, which makes no network at all. */
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

/** Ways to run an image, by the name that configs have for them. */
export const CONTAINERS: Readonly<
	Record<string, (options: ContainerOptions) => Runtime>
> = { docker, podman, "docker-wasm": dockerWasm, ctr };

/** Networks that dockerd need not make, so that the shim can start. */
export function suitsShim(network: string | undefined): boolean {
	return network === "host" || /^container:./.test(network ?? "");
}
