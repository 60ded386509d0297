import { join, type Piece, Reader, s32, section, u32 } from "./binary.js";
import { type Body, type Limits, SECTION, type Section } from "./layout.js";
import {
	bodiesOf,
	type Insert,
	LINES,
	moveLines,
	readLines,
	withLines,
} from "./lines.js";
import { chargesOf, insertAll } from "./meter.js";
import { priceAll } from "./price.js";
import type { Survey } from "./survey.js";
import type { Weighed } from "./weigh.js";

/** All functions with code, or why they cannot be metered. */
export interface Code {
	bodies: Body[];
	weighed: Weighed[];
	why: string | undefined;
}

export interface Rewritten {
	bytes: Uint8Array;
	/** Export name of the fuel global. */
	fuel: string | undefined;
	/** Export names of the mutable globals. */
	state: string[];
}

/**
 * What the tank holds before anyone fills it: a start section runs before the host can. Some
 * 30 ms.
 */
export const START_FUEL = 10_000_000;

const I32 = 0x7f;
const GLOBAL = 3;
const CONST = 0x41;
const END = 0x0b;

/** Where a section that the module lacks goes: before the first of these. */
const BEHIND: Record<number, number[]> = {
	[SECTION.global]: [7, 8, 9, 12, 10, 11],
	[SECTION.export]: [8, 9, 12, 10, 11],
};

/**
 * Memory and tables get a maximum; the globals named get exports; with `code`, functions get
 * charges and the module a global with its fuel.
 */
export function rewrite(
	found: Survey,
	globals: readonly number[],
	code: Code | undefined,
): Rewritten {
	const prefix = freePrefix(found);
	const fuelIndex = found.globals.length;
	const added = globals.map((index) => ({ name: `${prefix}g${index}`, index }));
	const state = added.map(({ name }) => name);
	const fuel = code && `${prefix}fuel`;
	if (fuel) added.push({ name: fuel, index: fuelIndex });

	const parts = new Map<number, Piece[]>();
	if (found.tables.length > 0) parts.set(SECTION.table, capTables(found));
	if (found.memory) parts.set(SECTION.memory, capMemory(found.memory, found));
	if (fuel) parts.set(SECTION.global, append(found, SECTION.global, [TANK]));
	if (added.length > 0) {
		const entries = added.map(({ name, index }) => exportOf(name, index));
		parts.set(SECTION.export, append(found, SECTION.export, entries));
	}
	const charges = code && chargesIn(found, code, fuelIndex);
	if (code && charges) {
		const metered = meterAll(found.bytes, code.bodies, charges);
		parts.set(SECTION.code, metered);
	}
	const bytes = keepLines(found, assemble(found, parts), charges);
	return { bytes, fuel, state };
}

/** Exports whose names begin with NUL are ours; a module that has such ones gets longer names. */
export function freePrefix({ exports }: Survey): string {
	let prefix = "\0";
	while (exports.some(({ name }) => name.startsWith(prefix))) prefix += "\0";
	return prefix;
}

/** A mutable i32. */
const TANK = [I32, 1, CONST, ...s32(START_FUEL), END];

export function exportOf(name: string, index: number): number[] {
	const utf8 = Buffer.from(name);
	return [...u32(utf8.length), ...utf8, GLOBAL, ...u32(index)];
}

/** A section's content with entries added at its end. */
export function append(
	{ bytes, sections }: Survey,
	id: number,
	entries: readonly Piece[],
): Piece[] {
	const there = sections.find((each) => each.id === id);
	if (there === undefined) return [u32(entries.length), ...entries];
	const r = new Reader(bytes, there.at, there.end);
	const count = r.u32() + entries.length;
	return [u32(count), bytes.subarray(r.at, there.end), ...entries];
}

function capMemory({ min, max }: Limits, { memoryCap }: Survey): Piece[] {
	const cap = Math.min(max ?? memoryCap, memoryCap);
	return [[1, 1, ...u32(min), ...u32(cap)]];
}

/** What is left of the cap is divided evenly: each table may grow by its part. */
function capTables({ bytes, tables, tableCap }: Survey): Piece[] {
	const left = tableCap - tables.reduce((sum, { min }) => sum + min, 0);
	const part = Math.floor(left / tables.length);
	return [
		u32(tables.length),
		...tables.flatMap(({ start, at, min, max }) => [
			bytes.subarray(start, at),
			[1, ...u32(min), ...u32(Math.min(max ?? min + part, min + part))],
		]),
	];
}

/** What the k-th function with code gets. */
type Charges = (k: number) => Insert[];

function chargesIn(found: Survey, code: Code, fuel: number): Charges {
	const { memoryCap, tableCap } = found;
	const imported = found.imports.length;
	const prices = priceAll(code.weighed, imported);
	return (k) => {
		const type = found.types[found.functions[imported + k] as number];
		return chargesOf(
			code.bodies[k] as Body,
			code.weighed[k] as Weighed,
			prices[k] as NonNullable<(typeof prices)[number]>,
			type?.parameters ?? 0,
			{ fuel, memoryCap, tableCap },
		);
	};
}

function meterAll(
	bytes: Uint8Array,
	bodies: readonly Body[],
	charges: Charges,
): Piece[] {
	const pieces: Piece[] = [u32(bodies.length)];
	for (const [k, body] of bodies.entries()) {
		const metered = insertAll(bytes, body, charges(k));
		pieces.push(u32(metered.length), metered);
	}
	return pieces;
}

/** Some 50,000 places; each trap looks through them, in 3 ms then. */
const LINES_MAX = 256 * 1024;

/** A module built for debugging still tells where its code came from; one that tells nonsense tells nothing. */
function keepLines(
	{ bytes, sections }: Survey,
	rewritten: Uint8Array,
	charges: Charges = () => [],
): Uint8Array {
	const there = sections.find(({ name }) => name === LINES);
	if (there === undefined || there.end - there.at > LINES_MAX) return rewritten;
	try {
		const r = new Reader(bytes, there.at, there.end);
		r.name();
		const lines = readLines(bytes.subarray(r.at, there.end));
		const moved = moveLines(lines, bodiesOf(bytes), charges, rewritten);
		return withLines(rewritten, moved);
	} catch {
		return rewritten;
	}
}

/** The module with some sections replaced or added; where its code came from is left out. */
export function assemble(
	{ bytes, sections }: Survey,
	parts: Map<number, Piece[]>,
): Uint8Array {
	const pieces: Piece[] = [bytes.subarray(0, 8)];
	const missing = [SECTION.global, SECTION.export].filter(
		(id) => parts.has(id) && !sections.some((each) => each.id === id),
	);
	const add = (id: number) =>
		pieces.push(...section(id, parts.get(id) as Piece[]));
	const moved = parts.has(SECTION.code);
	for (const each of sections) {
		while (BEHIND[missing[0] ?? -1]?.includes(each.id)) {
			add(missing.shift() as number);
		}
		if (parts.has(each.id)) add(each.id);
		else if (each.name !== LINES && !(moved && pointsIntoCode(each))) {
			pieces.push(bytes.subarray(each.start, each.end));
		}
	}
	for (const id of missing) add(id);
	return join(pieces);
}

/** Sections that name places in the code, which are wrong once it is metered. */
function pointsIntoCode({ id, name }: Section): boolean {
	return (
		id === SECTION.custom &&
		/^(\.debug_|metadata\.code\.|reloc\.|linking$|sourceMappingURL$|external_debug_info$)/.test(
			name ?? "",
		)
	);
}
