import { join } from "node:path";
import { processesOf } from "./daemon.js";
import { type Around, type Finding, fail, ok } from "./finding.js";
import { uses } from "./needs.js";

/** What a daemon has that was started without one. */
const USUAL = [
	...["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"],
	...["/sbin", "/bin"],
];
const SHIM = "containerd-shim-wasmtime-v1";
/** Shims that run Wasm, whatever runtime is in them. */
const WASM =
	/^containerd-shim-(wasmtime|wasmedge|wasmer|wamr|wws|spin|slight)-v\d$/;

/** The Wasm shims, looked for where dockerd and containerd look. */
export async function lookAtShims(around: Around): Promise<Finding[]> {
	const used = uses(around.config, "docker-wasm", "ctr");
	if (used === false) return [];
	const { folders, known } = searched(around);
	const found = folders.flatMap((folder) =>
		around
			.list(folder)
			.filter((name) => WASM.test(name))
			.map((name) => join(folder, name)),
	);
	const told = await Promise.all(
		found.map(async (path) => ok("shim", await tell(path, around))),
	);
	if (found.some((path) => path.endsWith(`/${SHIM}`))) return told;
	if (used) return [...told, missing(folders, known, around)];
	return [...told, ok("shim", `${SHIM} is not here`)];
}

/** The shim's binary is the same for Docker and containerd, and who starts it is containerd. */
function searched(around: Around): { folders: string[]; known: boolean } {
	const daemons = ["containerd", "dockerd"].flatMap((name) =>
		processesOf(name, around),
	);
	const paths = daemons.flatMap(({ path }) => (path ? [path] : []));
	const known = paths.length > 0;
	return { folders: [...new Set(known ? paths.flat() : USUAL)], known };
}

/** `-v` prints "PATH:\n  Version: 0.6.0\n  Revision: eb9967aa". */
async function tell(path: string, { run, trusts }: Around): Promise<string> {
	if (!trusts(path)) return `${path}, which is another user's: it is not run`;
	const { out, err } = await run(path, "-v");
	const version = /version:?\s+v?(\S+)/i.exec(`${out}\n${err}`)?.[1];
	return `${path}, ${version ? `version ${version}` : "which does not tell its version"}`;
}

function missing(
	folders: readonly string[],
	known: boolean,
	{ machine }: Around,
): Finding {
	const where = known
		? `the PATH of dockerd and containerd (${folders.slice(-4).join(", ")} …)`
		: "the usual folders (the PATH of dockerd and containerd cannot be seen)";
	const released = ["x64", "arm64"].includes(machine.arch);
	return fail(
		"shim",
		`${SHIM} is not in ${where}`,
		released
			? "install it from https://github.com/containerd/runwasi/releases into one of them"
			: "use engine: { docker: … } and an image of wasieve pack --standalone: the shim has no releases for this processor",
		"E_ENGINE_MISSING",
	);
}
