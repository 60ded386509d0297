import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { GatewayConfig } from "../../config/types.js";
import { type Disk, diskOf, measureSync } from "../../store/disk.js";
import { refuseUnwritable, writableFolder } from "../../store/folder.js";
import {
	type Around,
	type Finding,
	fail,
	failure,
	ok,
	warn,
} from "./finding.js";
import { usesImages } from "./needs.js";

const MIB = 2 ** 20;
/** Bytes free. */
const FULL = 10 * MIB;
const LITTLE = 100 * MIB;
/** Files that may still be made. */
const FEW = 1000;
/** ms an append may take until the disk has it: with QoS 1 readings wait for the quarantine. */
const SLOW = 20;
/** ms for measuring that. */
const BUDGET = 300;

/** What is wrong with keeping data there, for a file system that is. */
const KINDS: Readonly<Record<string, readonly [why: string, mend: string]>> = {
	tmpfs: ["gone after a restart", "name a folder on a disk"],
	ramfs: ["gone after a restart", "name a folder on a disk"],
	overlay: [
		"gone with the container",
		"docker run -v wasieve-data:/data, and folders below /data",
	],
	...Object.fromEntries(
		["nfs", "cifs", "smb2", "9p", "fuse", "ceph"].map((kind) => [
			kind,
			["not this machine's disk: slow, or away with the network"] as const,
		]),
	),
	vfat: ["damaged by power cuts", "mkfs.ext4"],
	exfat: ["damaged by power cuts", "mkfs.ext4"],
	squashfs: ["read-only", "name a folder on a disk that is not"],
};

interface Place {
	/** What it is to the gateway. */
	readonly use: string;
	readonly folder: string;
	/** Bytes that may come to lie there. */
	readonly most?: number;
}

/** Where the gateway keeps what must not be lost: whether it may, whether there is room, how fast and how lasting it is. */
export async function lookAtFolders(around: Around): Promise<Finding[]> {
	const { config, cwd } = around;
	const places = config
		? placesOf(config)
		: [{ use: "this folder", folder: cwd }];
	const found = await Promise.all(places.map(lookAtPlace));
	return [...(config ? lookAtFiles(config) : []), ...found.flat()];
}

/** Each folder once. */
function placesOf(config: GatewayConfig): Place[] {
	const { quarantine, images } = config;
	const pipelines = Object.values(config.pipelines);
	const most = quarantine.maxBytes * pipelines.length;
	const outputs = sinksOf(config).filter(isOrdinary).map(dirname);
	return [
		{ use: "quarantine", folder: quarantine.dir, most },
		...(usesImages(config) ? [{ use: "images", folder: images.dir }] : []),
		...[...new Set(outputs)].map((folder) => ({ use: "outputs", folder })),
	];
}

function sinksOf({ pipelines }: GatewayConfig): string[] {
	return Object.values(pipelines).flatMap(({ to }) =>
		to.kind === "file" ? [to.path] : [],
	);
}

/** Pipes and devices lie on no disk. */
function isOrdinary(file: string): boolean {
	try {
		return statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
	} catch {
		return true;
	}
}

/** A file that another user made is not this one's, though the folder may be. */
function lookAtFiles(config: GatewayConfig): Finding[] {
	const kept = Object.values(config.pipelines).map(
		({ quarantine }) => quarantine.file,
	);
	const files = [...kept, ...sinksOf(config)];
	return files.flatMap((file) => {
		// A folder that is missing or closed is told once, by its own line.
		if (!existsSync(file)) return [];
		try {
			refuseUnwritable(file);
			return [];
		} catch (thrown) {
			return [failure("data", thrown)];
		}
	});
}

async function lookAtPlace(place: Place): Promise<Finding[]> {
	try {
		const real = writableFolder(place.folder);
		const disk = await diskOf(real);
		return [await lookAtDisk(place, real, disk), ...lookAtKind(place, disk)];
	} catch (thrown) {
		return [failure("data", thrown, ` (${place.use})`)];
	}
}

async function lookAtDisk(
	{ use, folder, most = 0 }: Place,
	real: string,
	disk: Disk,
): Promise<Finding> {
	const sync = await measureSync(real, BUDGET);
	const what = `${use} ${folder}: ${size(disk.free)} free on ${disk.kind}, ${sync.toFixed(1)} ms a sync`;
	const room = `df -h ${real}`;
	if (disk.free < FULL) return fail("data", `${what}: it is full`, room);
	if (disk.free < LITTLE) return warn("data", `${what}: little room`, room);
	if (disk.files !== undefined && disk.files < FEW)
		return warn(
			"data",
			`${what}: room for ${disk.files} files`,
			`df -i ${real}`,
		);
	if (disk.free < most)
		return warn(
			"data",
			`${what}: it may grow to ${size(most)}`,
			"set quarantine.maxBytes, which is each pipeline's",
		);
	if (sync > SLOW)
		return warn(
			"data",
			`${what}: slow, and readings wait for it`,
			`name a folder on a faster disk than the one of ${real}`,
		);
	return ok("data", what);
}

function lookAtKind({ use, folder }: Place, { kind }: Disk): Finding[] {
	const [why, mend] = KINDS[kind] ?? [];
	if (why === undefined) return [];
	return [warn("data", `${use} ${folder} is on ${kind}: ${why}`, mend)];
}

function size(bytes: number): string {
	const [unit, name] =
		bytes < 10_240 * MIB ? [MIB, "MiB"] : [1024 * MIB, "GiB"];
	return `${Math.floor(bytes / (unit as number))} ${name}`;
}
