import { join, type Piece, Reader, section, u32 } from "./binary.js";
import { type Body, findSections, readBodies, SECTION } from "./layout.js";

/**
 * Where a module's code came from, in a custom section of modules that are built for debugging:
 *
 *     | length | "wasieve.lines" | count | file name … | count | bytes on · file · line · column … |
 *
 * All numbers are unsigned LEB128. Files count from 1; 0 is code that the author did not write, and
 * has neither line nor column. A source map says the same at five times the length, in a file that is left behind
 * when the module travels.
 */
export const LINES = "wasieve.lines";

/** From this byte of the module on, code came from this place. Lines and columns count from 1. */
export interface Mark {
	at: number;
	/** Index in the files' names plus 1; 0 for none of them. */
	file: number;
	line: number;
	column: number;
}

export interface Lines {
	files: readonly string[];
	/** In order. */
	marks: readonly Mark[];
}

/** A module with one more section, the last. */
export function withLines(module: Uint8Array, lines: Lines): Uint8Array {
	const name = Buffer.from(LINES);
	const content = [[name.length], name, ...encode(lines)];
	return join([module, ...section(SECTION.custom, content)]);
}

/** The section's content, without its name. Throws E_MODULE_MALFORMED. */
export function readLines(content: Uint8Array): Lines {
	const r = new Reader(content, 0, content.length);
	const files = Array.from({ length: r.count() }, () => r.name());
	const marks: Mark[] = [];
	let at = 0;
	for (let n = r.count(); n > 0; n--) {
		at += r.u32();
		const file = r.u32();
		if (file === 0) marks.push({ at, file, line: 0, column: 0 });
		else marks.push({ at, file, line: r.u32(), column: r.u32() });
	}
	return { files, marks };
}

/** "filter.ts:12:3" for a byte of the module; undefined for code that the author did not write. */
export function lineAt(
	{ files, marks }: Lines,
	at: number,
): string | undefined {
	const mark = marks.findLast((each) => each.at <= at);
	const file = mark && files[mark.file - 1];
	return file && `${file}:${mark.line}:${mark.column}`;
}

function encode({ files, marks }: Lines): Piece[] {
	const names = files.map((file) => Buffer.from(file));
	let last = 0;
	const places = marks.flatMap(({ at, file, line, column }) => {
		const on = u32(at - last);
		last = at;
		return file === 0
			? [...on, 0]
			: [...on, ...u32(file), ...u32(line), ...u32(column)];
	});
	return [
		u32(files.length),
		...names.flatMap((name) => [u32(name.length), name]),
		u32(marks.length),
		places,
	];
}

/** Code that takes the place of bytes[at, end). */
export interface Insert {
	at: number;
	end: number;
	code: readonly number[];
}

/**
 * The lines of a module whose code was rewritten: as many functions as before, with these inserts in each.
 * What was inserted in front of an instruction belongs to it.
 */
export function moveLines(
	{ files, marks }: Lines,
	bodies: readonly Body[],
	inserts: (k: number) => readonly Insert[],
	rewritten: Uint8Array,
): Lines {
	const now = bodiesOf(rewritten);
	const moved: Mark[] = [];
	let next = 0;
	for (const [k, { at, end }] of bodies.entries()) {
		while (next < marks.length && (marks[next] as Mark).at < at) next++;
		let grown = (now[k]?.at ?? 0) - at;
		const all = inserts(k);
		let seen = 0;
		for (let mark = marks[next]; mark && mark.at < end; mark = marks[++next]) {
			for (let i = all[seen]; i && i.at < mark.at; i = all[++seen])
				grown += i.code.length - (i.end - i.at);
			moved.push({ ...mark, at: mark.at + grown });
		}
	}
	return { files, marks: moved };
}

/** The bodies of a module's functions. */
export function bodiesOf(module: Uint8Array): Body[] {
	const code = findSections(module).find(({ id }) => id === SECTION.code);
	return code ? readBodies(new Reader(module, code.at, code.end)) : [];
}
