import { randomUUID } from "node:crypto";
import { closeSync, fdatasync, openSync, unlinkSync, write } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Disk {
	/** As the kernel calls it; its number in hexadecimal when it is not known here. */
	readonly kind: string;
	/** Bytes for somebody who is not root. */
	readonly free: number;
	/** Files that may still be made; undefined where that is not counted. */
	readonly files: number | undefined;
}

/** From statfs(2) and linux/magic.h. */
const KINDS: Readonly<Record<number, string>> = {
	16914836: "tmpfs",
	2240043254: "ramfs",
	2035054128: "overlay",
	26985: "nfs",
	4283649346: "cifs",
	4266872130: "smb2",
	16914839: "9p",
	1702057286: "fuse",
	12805120: "ceph",
	61267: "ext4",
	1481003842: "xfs",
	2435016766: "btrfs",
	4076150800: "f2fs",
	801189825: "zfs",
	19780: "vfat",
	538032816: "exfat",
	1936814952: "squashfs",
};

/** What a folder lies on. */
export async function diskOf(folder: string): Promise<Disk> {
	const { type, bavail, bsize, files, ffree } = await statfs(folder);
	const kind = KINDS[type >>> 0] ?? `0x${(type >>> 0).toString(16)}`;
	return {
		kind,
		free: bavail * bsize,
		files: files > 0 ? ffree : undefined,
	};
}

/** What an append writes at least. */
const BLOCK = Buffer.alloc(4096, "\n");

/**
 * ms that an append takes until the disk has it: the median of as many as fit into `budget` ms, at least one. The file
 * is nameless before anything else can happen in this process: nothing stays when it ends.
 */
export async function measureSync(
	folder: string,
	budget: number,
): Promise<number> {
	const file = openNameless(folder);
	try {
		return await median(file, budget);
	} finally {
		closeSync(file);
	}
}

function openNameless(folder: string): number {
	const name = join(folder, `.wasieve-${randomUUID()}`);
	const file = openSync(name, "wx", 0o600);
	unlinkSync(name);
	return file;
}

async function median(file: number, budget: number): Promise<number> {
	const times: number[] = [];
	const until = performance.now() + budget;
	do {
		const begun = performance.now();
		await append(file, BLOCK);
		await sync(file);
		times.push(performance.now() - begun);
	} while (performance.now() < until && times.length < 50);
	times.sort((a, b) => a - b);
	return times[times.length >> 1] as number;
}

const append = promisify(write);
const sync = promisify(fdatasync);
