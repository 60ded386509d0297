import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packer } from "#host/cli/packed-modules.js";
import type { CommandOptions } from "#host/engine/command.js";
import { ctr } from "#host/engine/runtimes/ctr.js";
import { docker } from "#host/engine/runtimes/docker.js";
import { dockerWasm } from "#host/engine/runtimes/docker-wasm.js";
import { customRuntime, RUNTIMES } from "#host/engine/runtimes/index.js";
import { podman } from "#host/engine/runtimes/podman.js";
import type { Runtime } from "#host/engine/runtimes/runtime.js";
import { CACHE, WORKSHOP } from "../../engine/engines.js";
import { NO_DOCKER, socketIn, startDocker, stopDocker } from "./daemon.js";
import { obtain } from "./obtain.js";

/** An engine for the suite. */
export interface Candidate {
	name: string;
	runtime: Runtime;
	/** Why it cannot be run here, or "". */
	why: string;
	/** What it needs besides. */
	options: Partial<CommandOptions>;
	/** Has less of WASI than Go's runtime needs. */
	small: boolean;
}

/** WASIEVE_TEST_ENGINES=wazero,docker: only these. */
const asked = (process.env.WASIEVE_TEST_ENGINES ?? "").split(",");
export const everyEngine = asked.join() === "";

const NODE = fileURLToPath(
	new URL("../../engine/node-runtime.mjs", import.meta.url),
);
const COMMANDS: Record<string, Runtime> = {
	"command (Node's own WebAssembly)": customRuntime([
		...[process.execPath, NODE, "{module}", "{param}"],
	]),
};

/** Everything that can be had here is obtained and started; the rest says why not. */
export async function findCandidates(): Promise<{
	candidates: Candidate[];
	close(): Promise<void>;
}> {
	const dir = mkdtempSync(join(tmpdir(), "wasieve-engines-"));
	const isAsked = (name: string) =>
		everyEngine || asked.some((each) => name === each);
	const programs = Object.entries({ ...RUNTIMES, ...COMMANDS })
		.filter(([name]) => isAsked(name))
		.map(([name, runtime]) => program(name, runtime));
	const daemon = isAsked("docker") ? await dockerIn(dir) : { why: "" };
	const containers = [
		container(docker({}), daemon.why, { DOCKER_HOST: socketIn(dir) }),
		container(podman({}), NO_GO || withoutPodman(dir), {
			CONTAINERS_CONF: join(dir, "containers.conf"),
			CONTAINERS_STORAGE_CONF: join(dir, "storage.conf"),
		}),
		container(dockerWasm({}), NO_SHIM, {}),
		container(ctr(), NO_SHIM, {}),
	].filter(({ name }) => isAsked(name));
	const close = async () => {
		await stopDocker(daemon.process);
		// podman leaves its store mounted on itself.
		spawnSync("umount", [join(dir, "graph/overlay")]);
		await rm(dir, { recursive: true, force: true });
	};
	return { candidates: [...programs, ...containers], close };
}

/** Images for Linux hold wazero, which is compiled with Go. */
const NO_GO =
	spawnSync("go", ["version"]).status === 0
		? ""
		: "its image cannot be made without Go";

async function dockerIn(
	dir: string,
): Promise<{ why: string; process?: ChildProcess }> {
	const why = NO_DOCKER || NO_GO;
	if (why) return { why };
	try {
		return { why, process: await startDocker(dir) };
	} catch (thrown) {
		const last = (thrown as Error).message.trim().split("\n").at(-1);
		return { why: `Docker does not start: ${last}` };
	}
}

const NO_SHIM =
	"no registry has the Wasm shim (runwasi's releases are on GitHub); its launcher is tested with a docker that behaves as measured";

function program(name: string, runtime: Runtime): Candidate {
	const mine = runtime.program === process.execPath;
	const why = mine ? "" : obtain(runtime.program);
	return { name, runtime, why, options: {}, small: name.startsWith("command") };
}

function container(
	runtime: Runtime,
	why: string,
	places: Record<string, string>,
): Candidate {
	const surroundings = { ...WORKSHOP.surroundings, ...places };
	const workshop = { ...WORKSHOP, surroundings };
	const image = packer(CACHE, workshop, process.env);
	const options = { workshop, image };
	return { name: runtime.name, runtime, why, options, small: false };
}

/**
 * podman's own folders, and runc: crun cannot work where control groups are of both versions, which
 * is what many virtual machines have.
 */
function withoutPodman(dir: string): string {
	if (spawnSync("podman", ["--version"]).status !== 0)
		return "it is not on this machine";
	if (process.getuid?.() !== 0) return "it is tried as root only";
	const storage = `[storage]\ndriver = "overlay"\nrunroot = "${dir}/run"\ngraphroot = "${dir}/graph"\n`;
	const engine = `[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n`;
	mkdirSync(dir, { recursive: true });
	writeFileSync(join(dir, "storage.conf"), storage);
	writeFileSync(join(dir, "containers.conf"), engine);
	return "";
}
