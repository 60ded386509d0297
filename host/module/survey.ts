import { Reader, refuse } from "./binary.js";
import { type ImportStatus, objection, WASI } from "./imports.js";
import { Unmeterable } from "./instructions.js";
import {
	checkMagic,
	type Export,
	type FunctionType,
	findSections,
	type GlobalType,
	type Import,
	type Limits,
	readExports,
	readFunctions,
	readGlobals,
	readImports,
	readMemories,
	readTables,
	readTypes,
	SECTION,
	type Section,
	type TableType,
} from "./layout.js";
import {
	MEMORY,
	MODULE_SIZE,
	type ModuleLimits,
	PAGE,
	TABLE_ELEMENTS,
} from "./limits.js";

/** Each costs the engine some hundred bytes, however few elements it has. */
const TABLES_MAX = 100;

/** A module that passed all checks, taken apart. */
export interface Survey {
	bytes: Uint8Array;
	sections: Section[];
	types: (FunctionType | undefined)[];
	imports: (Import & { status: ImportStatus })[];
	/** Type index of each function, imported ones first. */
	functions: number[];
	tables: TableType[];
	/** What all tables may have, in elements. */
	tableCap: number;
	memory: Limits | undefined;
	/** In pages. */
	memoryCap: number;
	globals: GlobalType[];
	exports: Export[];
	hasStart: boolean;
	/** Why the meter cannot take it, when that shows in its declarations. */
	unmeterable: string | undefined;
}

/** Takes a module apart; throws E_MODULE_SIZE, _MAGIC, _MALFORMED, _IMPORT, _MEMORY, _TABLE. */
export function survey(bytes: Uint8Array, limits: ModuleLimits): Survey {
	checkSize(bytes, limits.size ?? MODULE_SIZE);
	checkMagic(bytes);
	const sections = findSections(bytes);
	const read = <T>(id: number, how: (r: Reader) => T[]): T[] => {
		const found = sections.find((section) => section.id === id);
		return found ? how(new Reader(bytes, found.at, found.end)) : [];
	};
	const types = read(SECTION.type, readTypes);
	const imports = checkImports(read(SECTION.import, readImports), types);
	const tables = read(SECTION.table, readTables);
	const memories = read(SECTION.memory, readMemories);
	const tableCap = limits.table ?? TABLE_ELEMENTS;
	const memoryCap = Math.min(
		Math.floor((limits.memory ?? MEMORY) / PAGE),
		65_536,
	);
	checkTables(tables, tableCap);
	checkMemory(memories, memoryCap);
	let unmeterable: string | undefined;
	let globals: GlobalType[] = [];
	try {
		globals = read(SECTION.global, readGlobals);
	} catch (thrown) {
		if (!(thrown instanceof Unmeterable)) throw thrown;
		unmeterable = thrown.message;
	}
	if (sections.some((section) => section.id === SECTION.tag)) {
		unmeterable = "it uses exceptions";
	}
	const exports = read(SECTION.export, readExports);
	checkValid(bytes);
	return {
		bytes,
		sections,
		types,
		imports,
		functions: [
			...imports.map((each) => each.type as number),
			...read(SECTION.function, readFunctions),
		],
		tables,
		tableCap,
		memory: memories[0],
		memoryCap,
		globals,
		exports,
		hasStart: sections.some((section) => section.id === SECTION.start),
		unmeterable,
	};
}

function checkSize(bytes: Uint8Array, size: number): void {
	if (bytes.length <= size) return;
	throw refuse(
		"E_MODULE_SIZE",
		`the module has ${bytes.length} bytes, ${size} are allowed`,
		"build it without debug information; a gateway whose config raises limits.module takes it",
	);
}

function checkImports(
	imports: Import[],
	types: readonly (FunctionType | undefined)[],
): Survey["imports"] {
	const objections = imports.flatMap(({ module, name, kind, type, at }) => {
		const signature = type === undefined ? undefined : types[type]?.signature;
		const why = objection(module, name, kind, signature);
		return why === undefined ? [] : [`${why} (at byte ${at})`];
	});
	if (objections.length > 0) {
		const rest = objections.length - SHOWN;
		throw refuse(
			"E_MODULE_IMPORT",
			`the module imports what no filter may have: ${objections.slice(0, SHOWN).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`,
			"a filter may import functions of wasi_snapshot_preview1 only: build for wasm32-wasip1; docs/modules.md lists them",
		);
	}
	return imports.map((each) => ({
		...each,
		status: WASI.get(each.name)?.status ?? "refused",
	}));
}

/** Refused imports named in one message. */
const SHOWN = 5;

function checkTables(tables: readonly TableType[], cap: number): void {
	const min = tables.reduce((sum, table) => sum + table.min, 0);
	if (min > cap) {
		throw refuse(
			"E_MODULE_TABLE",
			`the module's tables have ${min} elements, ${cap} are allowed`,
			"a table of a filter holds its indirectly called functions: a few dozen",
		);
	}
	if (tables.length > TABLES_MAX) {
		throw refuse(
			"E_MODULE_TABLE",
			`the module has ${tables.length} tables, ${TABLES_MAX} are allowed`,
			"compilers need one",
		);
	}
}

function checkMemory(memories: readonly Limits[], cap: number): void {
	if (memories.length > 1) {
		throw refuse(
			"E_MODULE_MEMORY",
			`the module has ${memories.length} memories at byte ${memories[1]?.at}`,
			"build without multi-memory",
		);
	}
	const min = memories[0]?.min ?? 0;
	if (min > cap) {
		throw refuse(
			"E_MODULE_MEMORY",
			`the module begins with ${min} pages of memory (${min * PAGE} bytes), ${cap} pages (${cap * PAGE} bytes) are allowed`,
			"build it with less initial memory, or raise limits.memory",
		);
	}
}

/** The engine's own check has the last word: what it accepts is what runs. */
function checkValid(bytes: Uint8Array): void {
	if (isValid(bytes)) return;
	let why = "";
	try {
		new WebAssembly.Module(bytes as BufferSource);
	} catch (thrown) {
		why = (thrown as Error).message.replace(/^WebAssembly\.Module\(\): /, "");
	}
	throw refuse(
		"E_MODULE_MALFORMED",
		`the module does not validate: ${why}`,
		"build the module again; it may need a feature that this version of Node.js does not have",
	);
}

export function bodiesSection({ sections, bytes }: Survey): Reader | undefined {
	const code = sections.find((section) => section.id === SECTION.code);
	return code && new Reader(bytes, code.at, code.end);
}

export function isValid(bytes: Uint8Array): boolean {
	return WebAssembly.validate(bytes as BufferSource);
}
