import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "./folder.js";

const NEWLINE = 0x0a;
/** How far apart the looks back for the last line end are. */
const STEP = 64 * 1024;

/**
 * A file of lines that only grows at its end. Whatever happens, it holds whole lines: what a crash
 * or a full disk left half written is cut off, because nobody was told that it is kept.
 * Calls must not overlap.
 */
export class Appender {
	/** Bytes in the file, as of the last open() or append(). */
	size = 0;
	#handle: FileHandle | undefined;
	#inode = 0;
	/** False for pipes and devices: they have no end to mend and nothing to sync. */
	#regular = false;

	/** `sync`: an append is done when the disk has it, not only the kernel. */
	constructor(
		readonly file: string,
		readonly sync: boolean,
	) {}

	/** Opens the file if it is not open, or is no longer what its path leads to; makes folders. */
	async open(): Promise<void> {
		if (this.#handle !== undefined && (await this.#isThere())) return;
		await this.close();
		makeFolder(dirname(this.file), 0o700);
		// Append, so that two writers never write over each other; read, to look for the last line end.
		const handle = await openAppending(this.file);
		try {
			await this.#take(handle);
		} catch (thrown) {
			await handle.close();
			throw thrown;
		}
	}

	/** Writes whole lines, all of them or none. Throws what the system threw. */
	async append(lines: Buffer): Promise<void> {
		await this.open();
		const handle = this.#handle as FileHandle;
		let written = 0;
		try {
			while (written < lines.length) {
				const { bytesWritten } = await handle.write(lines, written);
				written += bytesWritten;
			}
			if (this.sync && this.#regular) await handle.datasync();
		} catch (thrown) {
			await this.#takeBack(handle, written);
			throw thrown;
		}
		this.size += lines.length;
	}

	async close(): Promise<void> {
		const handle = this.#handle;
		this.#handle = undefined;
		await handle?.close();
	}

	async #isThere(): Promise<boolean> {
		try {
			const { ino, size } = await stat(this.file);
			if (this.#regular) this.size = size;
			return ino === this.#inode;
		} catch {
			return false;
		}
	}

	async #take(handle: FileHandle): Promise<void> {
		const found = await handle.stat();
		this.#inode = found.ino;
		this.#regular = found.isFile();
		this.size = this.#regular ? await wholeLines(handle, found.size) : 0;
		if (this.#regular && this.size < found.size) {
			await handle.truncate(this.size);
		}
		if (this.sync && this.#regular && found.size === 0) {
			await syncFolder(dirname(this.file));
		}
		this.#handle = handle;
	}

	/** Removes what was written of lines that did not fit; when somebody else wrote as well, nothing is touched. */
	async #takeBack(handle: FileHandle, written: number): Promise<void> {
		try {
			const { size } = await handle.stat();
			if (this.#regular && size === this.size + written) {
				await handle.truncate(this.size);
			}
		} catch {
			// The next open() mends the end of the file.
		}
		await this.close().catch(() => {});
	}
}

/** Devices such as /dev/full cannot always be read: then they are only written. */
async function openAppending(file: string): Promise<FileHandle> {
	try {
		const { O_APPEND, O_CREAT, O_RDWR } = constants;
		return await open(file, O_APPEND | O_CREAT | O_RDWR, 0o600);
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== "EACCES") throw thrown;
		return await open(file, "a", 0o600);
	}
}

/** Bytes up to and including the last line end. */
async function wholeLines(handle: FileHandle, size: number): Promise<number> {
	const buffer = Buffer.allocUnsafe(STEP);
	for (let end = size; end > 0; ) {
		const from = Math.max(0, end - STEP);
		const { bytesRead } = await handle.read(buffer, 0, end - from, from);
		const found = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
		if (found >= 0) return from + found + 1;
		end = from;
	}
	return 0;
}

/** A new file survives a power cut only when its folder was synced as well. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}
