import { malformed, Reader, refuse, tooMany } from "./binary.js";
import { isKnownType, skipConstant, Unmeterable } from "./instructions.js";
import { GLOBALS, SECTIONS } from "./limits.js";

export interface Section {
	id: number;
	/** Of the id byte. */
	start: number;
	/** Content: bytes[at, end). */
	at: number;
	end: number;
	/** Custom sections only. */
	name?: string;
}

export const SECTION = {
	custom: 0,
	type: 1,
	import: 2,
	function: 3,
	table: 4,
	memory: 5,
	global: 6,
	export: 7,
	start: 8,
	element: 9,
	code: 10,
	data: 11,
	dataCount: 12,
	tag: 13,
} as const;

/** Order of the known sections (core spec 5.5.2); tags of the exceptions proposal stand between memories and globals. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** Parameters and results as "iIi:i": i32 i, i64 I, f32 f, f64 F, v128 v, references r. */
export interface FunctionType {
	signature: string;
	parameters: number;
	results: number;
}

export interface Limits {
	min: number;
	max: number | undefined;
	/** Where the flags byte is, and where what follows the limits begins. */
	at: number;
	end: number;
}

export interface TableType extends Limits {
	/** Of the element type. */
	start: number;
}

export interface GlobalType {
	type: number;
	mutable: boolean;
}

const KINDS = ["function", "table", "memory", "global", "tag"];

const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** Magic number and version 1; tells apart what people mistake for a module. */
export function checkMagic(bytes: Uint8Array): void {
	const starts = (with_: readonly number[], at = 0) =>
		with_.every((byte, k) => bytes[at + k] === byte);
	if (starts(MAGIC) && starts([1, 0, 0, 0], 4)) return;
	if (bytes.length === 0) throw notWasm("the file is empty");
	if (!starts(MAGIC)) throw notWasm("the file is no WebAssembly module");
	if (bytes.length < 8) throw notWasm("the file ends within its first 8 bytes");
	throw starts([0x0d, 0, 1, 0], 4)
		? notWasm("the file is a WebAssembly component")
		: notWasm(
				`the file is of WebAssembly version ${bytes.slice(4, 8).join(".")}`,
			);
}

function notWasm(what: string): Error {
	return refuse(
		"E_MODULE_MAGIC",
		what,
		"build a core module for wasm32-wasip1 (preview 1); `wasieve build` makes one",
	);
}

/** The sections with their bounds, in order, each known one at most once. */
export function findSections(bytes: Uint8Array): Section[] {
	const r = new Reader(bytes, 8, bytes.length);
	const sections: Section[] = [];
	let last = -1;
	while (!r.done) {
		const start = r.at;
		if (sections.length === SECTIONS)
			throw tooMany(SECTIONS + 1, SECTIONS, start, "sections");
		const id = r.byte();
		const size = r.u32();
		const at = r.at;
		if (size > bytes.length - at) {
			throw malformed(`section ${id} is longer than the file`, start);
		}
		r.skip(size);
		const found: Section = { id, start, at, end: r.at };
		if (id === SECTION.custom) found.name = new Reader(bytes, at, r.at).name();
		else last = checkOrder(id, last, start);
		sections.push(found);
	}
	return sections;
}

function checkOrder(id: number, last: number, start: number): number {
	const place = ORDER.indexOf(id);
	if (place < 0) throw malformed(`unknown section ${id}`, start);
	if (place <= last) throw malformed(`section ${id} out of order`, start);
	return place;
}

/** undefined for what is no function type. */
export function readTypes(r: Reader): (FunctionType | undefined)[] {
	const types: (FunctionType | undefined)[] = [];
	for (let n = r.count(); n > 0; n--) {
		if (r.peek() === 0x4e) {
			r.byte();
			for (let m = r.count(); m > 0; m--) types.push(readSubtype(r));
		} else types.push(readSubtype(r));
	}
	expectEnd(r, "types");
	return types;
}

/** Structs, arrays and subtypes of garbage collection are walked over. */
function readSubtype(r: Reader): FunctionType | undefined {
	if (r.peek() === 0x50 || r.peek() === 0x4f) {
		r.byte();
		for (let n = r.count(); n > 0; n--) r.u32();
	}
	const at = r.at;
	const form = r.byte();
	if (form === 0x60) return readFunctionType(r);
	if (form === 0x5f) for (let n = r.count(); n > 0; n--) readField(r);
	else if (form === 0x5e) readField(r);
	else throw malformed(`unknown type 0x${form.toString(16)}`, at);
	return undefined;
}

/** A type and whether it is mutable. */
function readField(r: Reader): void {
	readType(r);
	r.byte();
}

function readFunctionType(r: Reader): FunctionType {
	const list = () =>
		Array.from({ length: r.count() }, () => letter(readType(r)));
	const parameters = list();
	const results = list();
	return {
		signature: `${parameters.join("")}:${results.join("")}`,
		parameters: parameters.length,
		results: results.length,
	};
}

/** The first byte of a value type; typed references (0x63, 0x64) have a heap type behind it. */
function readType(r: Reader): number {
	const type = r.byte();
	if (type === 0x63 || type === 0x64) r.leb(5);
	return type;
}

function letter(type: number): string {
	return "vFfIi"[type - 0x7b] ?? "r";
}

export interface Import {
	module: string;
	name: string;
	kind: string;
	/** Functions only: index of the type. */
	type: number | undefined;
	at: number;
}

export function readImports(r: Reader): Import[] {
	const imports: Import[] = [];
	for (let n = r.count(); n > 0; n--) imports.push(readImport(r));
	expectEnd(r, "imports");
	return imports;
}

function readImport(r: Reader): Import {
	const at = r.at;
	const module = r.name();
	const name = r.name();
	const kind = r.byte();
	const label = KINDS[kind];
	if (label === undefined)
		throw malformed(`import of unknown kind ${kind}`, at);
	const type = kind === 0 ? r.u32() : undefined;
	if (kind === 1) readTable(r);
	else if (kind === 2) readLimits(r);
	else if (kind === 3) readField(r);
	else if (kind === 4) {
		r.byte();
		r.u32();
	}
	return { module, name, kind: label, type, at };
}

export function readFunctions(r: Reader): number[] {
	const types = Array.from({ length: r.count() }, () => r.u32());
	expectEnd(r, "functions");
	return types;
}

/** Flags: 1 has a maximum, 2 shared, 4 64-bit; the last two are nothing a filter needs. */
export function readLimits(r: Reader): Limits {
	const at = r.at;
	const flags = r.byte();
	if ((flags & 2) !== 0) {
		throw refuse(
			"E_MODULE_MEMORY",
			`shared memory at byte ${at}`,
			"build without threads",
		);
	}
	if ((flags & 4) !== 0) {
		throw refuse(
			"E_MODULE_MEMORY",
			`64-bit memory or table at byte ${at}`,
			"build for wasm32",
		);
	}
	if (flags > 1) throw malformed(`unknown limits 0x${flags.toString(16)}`, at);
	const min = r.u32();
	const max = flags === 1 ? r.u32() : undefined;
	return { min, max, at, end: r.at };
}

export function readMemories(r: Reader): Limits[] {
	const memories: Limits[] = [];
	for (let n = r.count(); n > 0; n--) memories.push(readLimits(r));
	expectEnd(r, "memories");
	return memories;
}

export function readTables(r: Reader): TableType[] {
	const tables: TableType[] = [];
	for (let n = r.count(); n > 0; n--) tables.push(readTable(r));
	expectEnd(r, "tables");
	return tables;
}

function readTable(r: Reader): TableType {
	const start = r.at;
	if (r.peek() === 0x40) {
		throw refuse(
			"E_MODULE_TABLE",
			`table with an initial value at byte ${start}`,
			"build without typed function references",
		);
	}
	readType(r);
	return { ...readLimits(r), start };
}

/** Throws {@link Unmeterable} at an initial value that it does not know. */
export function readGlobals(r: Reader): GlobalType[] {
	const globals: GlobalType[] = [];
	for (let n = r.count(GLOBALS); n > 0; n--) {
		const at = r.at;
		const type = readType(r);
		const mutable = r.byte() === 1;
		if (!isKnownType(type))
			throw new Unmeterable(`typed reference at byte ${at}`);
		skipConstant(r);
		globals.push({ type, mutable });
	}
	expectEnd(r, "globals");
	return globals;
}

export interface Export {
	name: string;
	kind: string;
	index: number;
}

export function readExports(r: Reader): Export[] {
	const exports: Export[] = [];
	for (let n = r.count(); n > 0; n--) {
		const at = r.at;
		const name = r.name();
		const kind = KINDS[r.byte()];
		if (kind === undefined) throw malformed("export of unknown kind", at);
		exports.push({ name, kind, index: r.u32() });
	}
	expectEnd(r, "exports");
	return exports;
}

/** A function's body: its declarations of locals and its code, bytes[at, end). */
export interface Body {
	at: number;
	end: number;
}

export function readBodies(r: Reader): Body[] {
	const bodies: Body[] = [];
	for (let n = r.count(); n > 0; n--) {
		const size = r.u32();
		const at = r.at;
		r.skip(size);
		bodies.push({ at, end: r.at });
	}
	expectEnd(r, "functions' code");
	return bodies;
}

function expectEnd(r: Reader, what: string): void {
	if (!r.done) throw malformed(`${what} end before their section`, r.at);
}
