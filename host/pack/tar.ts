import { WasieveError } from "../errors.js";

/** A regular file of a tar archive. */
export interface TarFile {
	readonly name: string;
	readonly bytes: Uint8Array;
	/** Permission bits; 0o644 by default. */
	readonly mode?: number;
}

const BLOCK = 512;
/** Two empty blocks end an archive (POSIX pax, ustar interchange format). */
const END = Buffer.alloc(2 * BLOCK);

/**
 * A ustar archive that depends on nothing but the files: no times, no owners, in the order given.
 * Names are ASCII, at most 100 bytes.
 */
export function writeTar(files: readonly TarFile[]): Buffer {
	const parts = files.flatMap(({ name, bytes, mode = 0o644 }) => [
		header(name, bytes.length, mode),
		bytes,
		Buffer.alloc(padding(bytes.length)),
	]);
	return Buffer.concat([...parts, END]);
}

function padding(size: number): number {
	return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 *   0 name      100 mode   108 uid   116 gid   124 size   136 mtime   148 checksum   156 type   257 "ustar\0" "00"
 */
function header(name: string, size: number, mode: number): Buffer {
	const block = Buffer.alloc(BLOCK);
	block.write(name, 0, 100, "latin1");
	block.write(octal(mode, 7), 100, "latin1");
	block.write(octal(0, 7), 108, "latin1");
	block.write(octal(0, 7), 116, "latin1");
	block.write(octal(size, 11), 124, "latin1");
	block.write(octal(0, 11), 136, "latin1");
	block.write("        ", 148, "latin1"); // the checksum is taken with blanks in its place
	block.write("0", 156, "latin1");
	block.write("ustar\x0000", 257, "latin1");
	block.write(`${octal(checksum(block), 6)}\0 `, 148, "latin1");
	return block;
}

function octal(value: number, digits: number): string {
	return value.toString(8).padStart(digits, "0");
}

function checksum(block: Uint8Array): number {
	let sum = 0;
	for (let i = 0; i < BLOCK; i++) {
		sum += i >= 148 && i < 156 ? 0x20 : (block[i] as number);
	}
	return sum;
}

/**
 * The regular files of an archive, as views. What other tools add (folders, links, pax headers) is
 * passed over; a name is never used as a path on this machine.
 * @throws {WasieveError} E_IMAGE_FORMAT
 */
export function readTar(archive: Buffer): TarFile[] {
	const files: TarFile[] = [];
	let at = 0;
	while (at + BLOCK <= archive.length) {
		const block = archive.subarray(at, at + BLOCK);
		if (block[0] === 0) return files;
		if (number(block, 148, 8) !== checksum(block))
			throw broken(`its header at byte ${at} is damaged`);
		const size = number(block, 124, 12);
		const start = at + BLOCK;
		if (start + size > archive.length)
			throw broken(`it ends within the file at byte ${at}`);
		const type = block[156] as number;
		if (type === 0x30 || type === 0)
			files.push({
				name: nameOf(block),
				bytes: archive.subarray(start, start + size),
				mode: number(block, 100, 8),
			});
		at = start + size + padding(size);
	}
	return files;
}

/** Without `./` and `/` in front, which some tools write. */
function nameOf(block: Buffer): string {
	const ustar = block.toString("latin1", 257, 262) === "ustar";
	const prefix = ustar ? text(block, 345, 155) : "";
	const name = text(block, 0, 100);
	return (prefix === "" ? name : `${prefix}/${name}`).replace(/^(\.?\/)+/, "");
}

function text(block: Buffer, at: number, length: number): string {
	const end = block.indexOf(0, at);
	const stop = end < 0 ? at + length : Math.min(end, at + length);
	return block.toString("utf8", at, stop);
}

function number(block: Buffer, at: number, length: number): number {
	const digits = text(block, at, length).trim();
	if (!/^[0-7]*$/.test(digits)) throw broken("a number in it is not octal");
	return Number.parseInt(digits || "0", 8);
}

function broken(why: string): WasieveError {
	return new WasieveError("E_IMAGE_FORMAT", `the archive is broken: ${why}`, {
		hint: "it was cut or damaged: pack or copy it again",
	});
}
