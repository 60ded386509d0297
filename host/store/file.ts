import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { asWasieveError, WasieveError } from "../errors.js";
import { makeFolder } from "./folder.js";

/**
 * The file is either as before or whole, also after a power cut.
 * @throws {WasieveError} E_FILE_WRITE
 */
export async function replaceFile(
	file: string,
	bytes: Uint8Array,
): Promise<void> {
	const young = `${file}.${randomUUID()}`;
	try {
		makeFolder(dirname(file));
		const handle = await open(young, "wx", 0o644);
		try {
			await handle.writeFile(bytes);
			await handle.datasync();
		} finally {
			await handle.close();
		}
		await rename(young, file);
	} catch (cause) {
		rmSync(young, { force: true });
		throw notWritten(file, cause);
	}
}

export function notWritten(file: string, cause: unknown): WasieveError {
	const { message } = asWasieveError(cause);
	return new WasieveError("E_FILE_WRITE", `${file}: ${message}`, {
		cause,
		hint: "is there room on the disk, and may this user write there?",
	});
}
