import type { Around, Said } from "./finding.js";

/** What a Docker daemon says of itself, as far as it did. */
export interface Daemon {
	/** As "29.7.2". */
	readonly version: string;
	readonly containerd: string | undefined;
	readonly runc: string | undefined;
	/** Whether images lie in containerd's store, where those of wasi/wasm can lie. */
	readonly containerdStore: boolean;
	/** False: the kernel does not let it limit containers' memory. */
	readonly limitsMemory: boolean;
}

/** The daemon, or the words of the client that did not reach it. */
export async function askDaemon({
	run,
}: Pick<Around, "run">): Promise<Daemon | string> {
	const format = ["--format", "{{json .}}"];
	const [version, info] = await Promise.all([
		run("docker", "version", ...format),
		run("docker", "info", ...format),
	]);
	const server = parse<VersionAnswer>(version)?.Server;
	if (!server?.Version) return wordsOf(version);
	const part = (name: string) =>
		server.Components?.find((each) => each.Name === name)?.Version;
	const { DriverStatus, MemoryLimit } = parse<InfoAnswer>(info) ?? {};
	return {
		version: server.Version,
		containerd: part("containerd"),
		runc: part("runc"),
		containerdStore: (DriverStatus ?? []).some(
			([key, value]) => key === "driver-type" && /snapshotter/.test(value),
		),
		limitsMemory: MemoryLimit !== false,
	};
}

interface VersionAnswer {
	Server?: {
		Version?: string;
		Components?: { Name: string; Version: string }[];
	} | null;
}

interface InfoAnswer {
	DriverStatus?: [string, string][] | null;
	MemoryLimit?: boolean;
}

function parse<T>({ out }: Said): T | undefined {
	try {
		return JSON.parse(out) as T;
	} catch {
		return undefined;
	}
}

/** The first line, which says it. */
export function wordsOf({ err, out }: Said): string {
	const [line = ""] = (err || out).split("\n");
	return line.slice(0, 200) || "it said nothing";
}

/** Names and command lines of running programs are there for everybody; their environment for root and their owner. */
export interface Process {
	readonly arguments: readonly string[];
	/** Folders of its PATH; undefined when that is not for us. */
	readonly path: readonly string[] | undefined;
}

/** The running programs of that name; whoever likes can run one, so that its owner counts. */
export function processesOf(
	name: string,
	{ list, read, trusts }: Pick<Around, "list" | "read" | "trusts">,
): Process[] {
	return list("/proc")
		.filter((each) => /^\d+$/.test(each) && trusts(`/proc/${each}`))
		.filter((each) => read(`/proc/${each}/comm`)?.trim() === name)
		.map((each) => ({
			arguments: (read(`/proc/${each}/cmdline`) ?? "").split("\0"),
			path: pathIn(read(`/proc/${each}/environ`)),
		}));
}

function pathIn(environ: string | undefined): string[] | undefined {
	const found = environ?.split("\0").find((each) => each.startsWith("PATH="));
	return found?.slice("PATH=".length).split(":").filter(Boolean);
}

/** dockerd's own settings: those of the file that it was started with. */
export function settingsOf(
	around: Pick<Around, "list" | "read" | "trusts">,
):
	| { readonly file: string; readonly features: Record<string, unknown> }
	| undefined {
	const [daemon] = processesOf("dockerd", around);
	const named = optionOf(daemon?.arguments ?? [], "--config-file");
	const file = named ?? "/etc/docker/daemon.json";
	const text = around.read(file);
	if (text === undefined) return { file, features: {} };
	try {
		return { file, features: { ...JSON.parse(text).features } };
	} catch {
		return undefined;
	}
}

function optionOf(args: readonly string[], option: string): string | undefined {
	const at = args.findIndex((each) => each.split("=")[0] === option);
	if (at < 0) return undefined;
	const [, value] = (args[at] as string).split("=");
	return value ?? args[at + 1];
}
