/** Bytes of modules that no assembler would write. */

/** Numbers, arrays and buffers in a row. */
export function bytes(
	...parts: (number | readonly number[] | Uint8Array)[]
): Uint8Array {
	const flat = parts.map((part) =>
		typeof part === "number" ? Buffer.of(part) : Buffer.from(part),
	);
	return Buffer.concat(flat);
}

/** An unsigned number in LEB128. */
export function leb(n: number): Uint8Array {
	const out: number[] = [];
	for (let rest = n; ; rest = Math.floor(rest / 128)) {
		if (rest < 128) return bytes([...out, rest]);
		out.push((rest % 128) | 0x80);
	}
}

/** A section: id, size, contents. */
export function section(id: number, contents: Uint8Array): Uint8Array {
	return bytes(id, leb(contents.length), contents);
}

/** A module whose _start is this code. */
export function started(...code: number[][]): Uint8Array {
	const body = bytes(0, ...code.map((each) => Buffer.from(each)), 0x0b);
	return bytes(
		[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
		section(1, bytes(1, 0x60, 0, 0)),
		section(3, bytes(1, 0)),
		section(7, bytes(1, 6, Buffer.from("_start"), 0, 0)),
		section(10, bytes(1, leb(body.length), body)),
	);
}
