import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	type Stats,
	statfsSync,
	statSync,
} from "node:fs";
import { dirname } from "node:path";
import { WasieveError } from "../errors.js";

/**
 * Makes a folder and those on the way to it. Not with mkdir's `recursive`: where the file system takes no folders (/proc),
 * Node tries for ever.
 */
export function makeFolder(folder: string, mode = 0o777): void {
	if (existsSync(folder)) return;
	makeFolder(dirname(folder), mode);
	try {
		mkdirSync(folder, { mode });
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
	}
}

/** File systems that let root write and take no new file: proc, sysfs (linux/magic.h). */
const KERNELS = new Set([0x9fa0, 0x62656572]);

/**
 * The folder that exists on the way to `folder` and in which the rest would be made; itself when it exists.
 * @throws {WasieveError} E_FILE_WRITE when it cannot be made or written to by this user
 */
export function writableFolder(folder: string): string {
	const found = statOf(folder);
	if (found === undefined) return writableFolder(dirname(folder));
	if (!found.isDirectory())
		throw refused(`${folder} is not a folder`, "name another place");
	mayWrite(folder, constants.W_OK | constants.X_OK);
	if (KERNELS.has(statfsSync(folder).type))
		throw refused(
			`${folder} is the kernel's: it takes no files`,
			"name a folder on a disk",
		);
	return folder;
}

/**
 * A file that is to grow can be written, or made.
 * @throws {WasieveError} E_FILE_WRITE
 */
export function refuseUnwritable(file: string): void {
	const found = statOf(file);
	if (found === undefined) {
		writableFolder(dirname(file));
		return;
	}
	if (found.isDirectory())
		throw refused(`${file} is a folder`, "name a file in it");
	mayWrite(file, constants.W_OK);
}

function mayWrite(path: string, how: number): void {
	try {
		accessSync(path, how);
	} catch (cause) {
		throw closed(path, cause);
	}
}

/** Undefined when there is nothing, or a file where a folder would be on the way: its own turn comes. */
function statOf(path: string): Stats | undefined {
	try {
		return statSync(path, { throwIfNoEntry: false });
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
		throw closed(path, cause);
	}
}

function closed(path: string, cause: unknown): WasieveError {
	const { code } = cause as NodeJS.ErrnoException;
	const hint =
		code === "EROFS"
			? "name a folder on a disk that is not read-only"
			: `sudo chown "$(id -u)" ${path}, with the id of the gateway's user`;
	const what = `${path} cannot be written by this user (${code})`;
	return refused(what, hint, cause);
}

function refused(message: string, hint: string, cause?: unknown): WasieveError {
	return new WasieveError("E_FILE_WRITE", message, { hint, cause });
}
