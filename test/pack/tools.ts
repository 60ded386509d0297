import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { finish, type Ran } from "../cli/child.js";

/** Whether a Debian tool is there; says so once when it is not. */
function has(tool: string): boolean {
	const found = spawnSync(tool, ["--version"]).status === 0;
	if (!found)
		console.warn(`skipped: ${tool} is not installed (apt-get install ${tool})`);
	return found;
}

/** What Debian 12 has of both gives the files of an OCI archive to root, their owner, which only root may do. */
const mayUnpack = process.getuid?.() === 0;
if (!mayUnpack)
	console.warn("skipped: skopeo and buildah unpack archives as root only");

export const hasSkopeo = has("skopeo");
export const skopeoUnpacks = hasSkopeo && mayUnpack;
export const hasBuildah = has("buildah") && mayUnpack;

/** Both ask for a policy about signatures; without /etc/containers there is none. */
export function policy(folder: string): string {
	const file = join(folder, "policy.json");
	writeFileSync(file, '{"default":[{"type":"insecureAcceptAnything"}]}');
	return file;
}

export function skopeo(folder: string, ...args: string[]): Promise<Ran> {
	return skopeoFor("wasi/wasm", folder, ...args);
}

/** As if this machine were another. */
export function skopeoFor(
	platform: string,
	folder: string,
	...args: string[]
): Promise<Ran> {
	const [os = "", arch = "", variant] = platform.split("/");
	const machine = ["--override-os", os, "--override-arch", arch];
	if (variant) machine.push("--override-variant", variant);
	return finish(
		["skopeo", "--policy", policy(folder), ...machine, ...args],
		{},
	);
}

/** With a storage of its own, without a daemon. */
export function buildah(folder: string, ...args: string[]): Promise<Ran> {
	const storage = [
		"--root",
		join(folder, "root"),
		"--runroot",
		join(folder, "run"),
		"--storage-driver",
		"vfs",
	];
	return finish(["buildah", ...storage, ...args], {
		env: { ...process.env, TMPDIR: folder },
	});
}
