import { bodiesOf, type Lines, type Mark } from "../module/lines.js";

/**
 * What the compiler's source map (revision 3) says of the author's code. A generated column is a byte of
 * the module. From a line on everything in that function is that line's until the next: jumps have no place of
 * their own, and inlined pieces of the library belong to who asked for them.
 */
export function linesOf(map: string, module: Uint8Array): Lines {
	const { sources, mappings } = JSON.parse(map) as {
		sources: string[];
		mappings: string;
	};
	const files = sources.filter((each) => !each.startsWith("~lib/"));
	const found = segmentsOf(mappings).flatMap(([at, source, line, column]) => {
		const file = files.indexOf(sources[source ?? -1] ?? "") + 1;
		if (file === 0 || line === undefined || column === undefined) return [];
		return { at, file, line: line + 1, column: column + 1 };
	});
	const functions = bodiesOf(module).map(({ at }) => ({ ...NOBODY, at }));
	const all = [...functions, ...found].sort((a, b) => a.at - b.at);
	return { files, marks: all.filter((each, k) => !isSame(each, all[k - 1])) };
}

const NOBODY: Mark = { at: 0, file: 0, line: 0, column: 0 };

function isSame(a: Mark, b: Mark = NOBODY): boolean {
	return a.file === b.file && a.line === b.line && a.column === b.column;
}

type Segment = [at: number, source?: number, line?: number, column?: number];

/** A line of base64 numbers, each the difference from the one before in its place. */
function segmentsOf(mappings: string): Segment[] {
	const last = [0, 0, 0, 0];
	return mappings.split(",").map((text) => {
		const numbers = numbersOf(text).slice(0, 4);
		const segment = numbers.map((by, k) => (last[k] as number) + by);
		last.splice(0, segment.length, ...segment);
		return segment as Segment;
	});
}

const BASE64 =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** | more follow | 5 bits | of each letter, least ones first; the lowest bit of the whole is the sign. */
function numbersOf(text: string): number[] {
	const numbers: number[] = [];
	let value = 0;
	let shift = 0;
	for (const letter of text) {
		const bits = BASE64.indexOf(letter);
		value |= (bits & 31) << shift;
		shift += 5;
		if (bits & 32) continue;
		numbers.push(value & 1 ? -(value >> 1) : value >> 1);
		value = 0;
		shift = 0;
	}
	return numbers;
}
