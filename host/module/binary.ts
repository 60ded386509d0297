import { type Code, WasieveError } from "../errors.js";
import { PARTS } from "./limits.js";

/** A module that breaks the binary format; `offset` counts bytes from the start of the file. */
export function malformed(what: string, offset: number): WasieveError {
	return new WasieveError(
		"E_MODULE_MALFORMED",
		`${what} at byte ${offset} (0x${offset.toString(16)})`,
		{ hint: "build the module again; the file may be truncated or damaged" },
	);
}

/** A module that would make the host swell while it is looked at. */
export function tooMany(
	count: number,
	most: number,
	offset: number,
	what = "entries",
): WasieveError {
	return refuse(
		"E_MODULE_SIZE",
		`the module has ${count} ${what} at byte ${offset}, ${most} are allowed`,
		"no compiler makes so many for a filter; build the module again",
	);
}

export function refuse(
	code: Code,
	message: string,
	hint: string,
): WasieveError {
	return new WasieveError(code, message, { hint });
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads [at, end) of a module; whatever would lie beyond the end is an E_MODULE_MALFORMED. */
export class Reader {
	constructor(
		readonly bytes: Uint8Array,
		public at: number,
		public end: number,
	) {}

	get done(): boolean {
		return this.at >= this.end;
	}

	byte(): number {
		if (this.at >= this.end) throw malformed("unexpected end", this.at);
		return this.bytes[this.at++] as number;
	}

	/** The next byte, not taken; −1 at the end. */
	peek(): number {
		return this.at < this.end ? (this.bytes[this.at] as number) : -1;
	}

	skip(count: number): void {
		if (count > this.end - this.at) throw malformed("unexpected end", this.at);
		this.at += count;
	}

	/** Unsigned LEB128 of at most 32 bits: five bytes, the last one below 0x10 (core spec, 5.2.2). */
	u32(): number {
		const from = this.at;
		let value = 0;
		for (let shift = 0; shift < 28; shift += 7) {
			const byte = this.byte();
			value |= (byte & 0x7f) << shift;
			if (byte < 0x80) return value >>> 0;
		}
		const last = this.byte();
		if (last > 0x0f) throw malformed("number longer than 32 bits", from);
		return (value | (last << 28)) >>> 0;
	}

	/** Takes a LEB128 of at most `bytes` bytes whose value nobody needs; validate() judges its bits. */
	leb(bytes: number): void {
		const from = this.at;
		for (let k = 0; k < bytes; k++) if (this.byte() < 0x80) return;
		throw malformed("number too long", from);
	}

	/** A count of things that take at least one byte each, so that no loop outlasts the file. */
	count(most = PARTS): number {
		const from = this.at;
		const count = this.u32();
		if (count > this.end - this.at) {
			throw malformed(`${count} entries do not fit`, from);
		}
		if (count > most) throw tooMany(count, most, from);
		return count;
	}

	name(): string {
		const length = this.u32();
		const from = this.at;
		this.skip(length);
		try {
			return UTF8.decode(this.bytes.subarray(from, this.at));
		} catch {
			throw malformed("name is not UTF-8", from);
		}
	}
}

/** Unsigned LEB128. */
export function u32(value: number): number[] {
	const bytes: number[] = [];
	let rest = value >>> 0;
	while (rest >= 0x80) {
		bytes.push((rest & 0x7f) | 0x80);
		rest >>>= 7;
	}
	bytes.push(rest);
	return bytes;
}

/** Signed LEB128 of an i32. */
export function s32(value: number): number[] {
	const bytes: number[] = [];
	let rest = value | 0;
	while (rest < -0x40 || rest > 0x3f) {
		bytes.push((rest & 0x7f) | 0x80);
		rest >>= 7;
	}
	bytes.push(rest & 0x7f);
	return bytes;
}

/** Pieces of a module under construction. */
export type Piece = Uint8Array | readonly number[];

export function join(pieces: readonly Piece[]): Uint8Array {
	const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}

/** id, length, content. */
export function section(id: number, content: readonly Piece[]): Piece[] {
	const size = content.reduce((sum, piece) => sum + piece.length, 0);
	return [[id, ...u32(size)], ...content];
}
