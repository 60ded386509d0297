import {
	type ContainerOptions,
	DAEMON,
	end,
	IMAGE,
	NETWORK,
	PLATFORM,
	REFUSED,
	run,
	SHIM,
	STORE,
	TIME,
} from "./container.js";
import { docker } from "./docker.js";
import type { Flaw, Runtime } from "./runtime.js";

/** Whether it is turned off the client does not tell: `wasieve doctor` reads the daemon's settings. */
const TIME_NAMESPACES: Flaw = {
	id: "time-namespaces",
	what: 'the Wasm shim starts only with "features": {"time-namespaces": false} in daemon.json, from Docker 29.5 on',
	affects: [["29.5.0", "Infinity"]],
};

/**
 * A wasi/wasm image in containerd's wasmtime shim. The end of stdin never arrives there, so the
 * filter is ended in band, and signals do not reach it: the container is killed by its name.
 * dockerd cannot make a network for it: it waits for ever with the container "Created".
 * Measured with Docker 28.5 and 29.7 and the shim of runwasi (wasmtime 36).
 */
export function dockerWasm(options: ContainerOptions): Runtime {
	const shim = ["--runtime", "io.containerd.wasmtime.v1"];
	// Nothing can be executed in a container of the shim: a health check of the image would fail for ever.
	const platform = ["--platform", "wasi/wasm", "--no-healthcheck"];
	return {
		...docker(options),
		name: "docker-wasm",
		flaws: [TIME_NAMESPACES],
		arguments: (launch) => run(options, launch, [...shim, ...platform]),
		oldest: "23.0.0",
		refusals: [DAEMON, IMAGE, TIME, SHIM, PLATFORM, NETWORK, REFUSED],
		install: "install Docker Engine and the wasmtime shim of runwasi",
		container: {
			...STORE,
			end,
			failures: [125, 126, 127],
			stuck:
				'a container that stays "Created" waits for a network: use network: host or container:NAME, where NAME is a Linux container that sleeps with --network none',
			deaf: true,
			platform: "wasi/wasm",
		},
	};
}

/** Networks that dockerd need not make, so that the shim can start. */
export function suitsShim(network: string | undefined): boolean {
	return network === "host" || /^container:./.test(network ?? "");
}
