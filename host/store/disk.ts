import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";

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
 * is nameless before it is written: nothing stays, whatever happens.
 */
export async function measureSync(
	folder: string,
	budget: number,
): Promise<number> {
	const file = join(folder, `.wasieve-${randomUUID()}`);
	const how = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
	const handle = await open(file, how, 0o600);
	try {
		await unlink(file);
		return await median(handle, budget);
	} finally {
		await handle.close();
	}
}

async function median(handle: FileHandle, budget: number): Promise<number> {
	const times: number[] = [];
	const until = performance.now() + budget;
	do {
		const begun = performance.now();
		await handle.write(BLOCK);
		await handle.datasync();
		times.push(performance.now() - begun);
	} while (performance.now() < until && times.length < 50);
	times.sort((a, b) => a - b);
	return times[times.length >> 1] as number;
}
