import { digestOf } from "./digest.js";
import type { ImportStatus } from "./imports.js";
import { isNumber } from "./instructions.js";
import { SECTION } from "./layout.js";
import { PAGE } from "./limits.js";
import { type Params, paramsOf } from "./params.js";
import type { Code } from "./rewrite.js";
import type { Survey } from "./survey.js";

/** What a module is, as `wasieve check` tells it. */
export interface ModuleInfo {
	/** "sha256:" and 64 hexadecimal digits, of the file as it is on disk. Computed when it is asked for. */
	readonly digest: string;
	/** Bytes. */
	size: number;
	imports: {
		module: string;
		name: string;
		kind: string;
		status: ImportStatus;
	}[];
	exports: { name: string; kind: string }[];
	/** `min` and `max` in pages of 64 KiB as declared, `bytes` at the beginning, `cap` in bytes when grown; undefined without a memory. */
	memory:
		| { min: number; max: number | undefined; bytes: number; cap: number }
		| undefined;
	/** Elements as declared. */
	tables: { min: number; max: number | undefined }[];
	mutableGlobals: number;
	hasStart: boolean;
	/** Uses 128-bit SIMD in its code; unknown (false) where the meter gave up. */
	simd: boolean;
	/** Exports `_start`, a function without parameters and results. */
	program: boolean;
	/** sdk: exports `pump` and `_start`, so that the embedded engine can call it batch by batch. */
	kind: "sdk" | "foreign";
	/** Whether it runs on the thread of the pipeline's sockets; otherwise it gets a worker. */
	inline: boolean;
	notInlineBecause?: string;
	customSections: { name: string; size: number }[];
	/** Parameters with their defaults, as `wasieve build` found them in the source; undefined when the module does not say. */
	params: Params | undefined;
}

export function infoOf(found: Survey, code: Code): ModuleInfo {
	const { bytes, memory, memoryCap } = found;
	const kind = kindOf(found);
	const because = kind === "sdk" ? obstacle(found, code) : NO_PUMP;
	return {
		get digest() {
			return digestOf(bytes);
		},
		size: bytes.length,
		imports: found.imports.map(({ module, name, kind, status }) => ({
			module,
			name,
			kind,
			status,
		})),
		exports: found.exports.map(({ name, kind }) => ({ name, kind })),
		memory: memory && {
			min: memory.min,
			max: memory.max,
			bytes: memory.min * PAGE,
			cap: Math.min(memory.max ?? memoryCap, memoryCap) * PAGE,
		},
		tables: found.tables.map(({ min, max }) => ({ min, max })),
		mutableGlobals: found.globals.filter(({ mutable }) => mutable).length,
		hasStart: found.hasStart,
		simd: code.weighed.some(({ simd }) => simd),
		program: canCall(found, "_start"),
		kind,
		inline: because === undefined,
		...(because === undefined ? {} : { notInlineBecause: because }),
		customSections: found.sections
			.filter(({ id }) => id === SECTION.custom)
			.map(({ name, at, end }) => ({ name: name ?? "", size: end - at })),
		params: paramsOf(found.bytes, found.sections),
	};
}

const NO_PUMP =
	"it was not made with the SDK (no exports memory, _start and pump)";

/** The exports that the inline engine calls, with their types. */
function kindOf(found: Survey): "sdk" | "foreign" {
	const memory = found.exports.some(
		({ name, kind }) => name === "memory" && kind === "memory",
	);
	const called = canCall(found, "_start") && canCall(found, "pump");
	return memory && called ? "sdk" : "foreign";
}

/** Whether this export is a function without parameters and results. */
function canCall({ exports, functions, types }: Survey, wanted: string) {
	const it = exports.find(({ name }) => name === wanted);
	if (it?.kind !== "function") return false;
	return types[functions[it.index] ?? -1]?.signature === ":";
}

/** Why a module with a pump still cannot run inline: no meter, or state that no checkpoint sees. */
function obstacle(found: Survey, code: Code): string | undefined {
	if (code.why !== undefined) return code.why;
	const stateful = code.weighed.find((each) => each.stateful !== undefined);
	if (stateful) {
		return `its state is more than memory and globals: ${stateful.stateful}`;
	}
	const odd = found.globals.findIndex((g) => g.mutable && !isNumber(g.type));
	if (odd >= 0) return `global ${odd} cannot be copied: it is no number`;
	return undefined;
}
