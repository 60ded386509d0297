import { LINES, type Lines, lineAt, readLines } from "../module/lines.js";

/** Where in a module something was thrown, as far as it tells. */
export interface Whereabouts {
	/** "filter.ts:12:3", the author's own: of modules that `wasieve build --debug` made. */
	line?: string | undefined;
	/** The innermost function's name: of any module with names. */
	name?: string | undefined;
}

/** Longest name told, in characters: they are the module's, and end in logs. */
const NAME_MAX = 200;
/** Frames with longer names are left out: the pattern takes time with the square of it. */
const FRAME_MAX = 1000;

/**
 * V8 writes a frame of a module as
 *
 *     at NAME (wasm://wasm/f00ba4:wasm-function[12]:0x345)
 *
 * without NAME and brackets where the module has none; the last number is a byte of the module.
 */
const FRAME = /^\s+at (?:(.*) \()?wasm:\/\/.*:0x([0-9a-f]+)\)?$/;

/** Looks through the frames of `thrown`, ten at most (Error.stackTraceLimit), innermost first. */
export function whereabouts(
	thrown: unknown,
	module: WebAssembly.Module,
): Whereabouts {
	const frames = framesOf((thrown instanceof Error && thrown.stack) || "");
	if (frames.length === 0) return {};
	const lines = linesIn(module);
	const line = lines && firstOf(frames, ({ at }) => lineAt(lines, at));
	return { line: line && printable(line), name: printable(frames[0]?.name) };
}

function framesOf(stack: string): { name: string | undefined; at: number }[] {
	return stack.split("\n").flatMap((text) => {
		const [, name, at] = (text.length < FRAME_MAX && FRAME.exec(text)) || [];
		return at === undefined ? [] : [{ name, at: Number.parseInt(at, 16) }];
	});
}

function firstOf<From, To>(
	all: readonly From[],
	find: (each: From) => To | undefined,
): To | undefined {
	for (const each of all) {
		const found = find(each);
		if (found !== undefined) return found;
	}
	return undefined;
}

function linesIn(module: WebAssembly.Module): Lines | undefined {
	const [content] = WebAssembly.Module.customSections(module, LINES);
	if (content === undefined) return undefined;
	try {
		return readLines(new Uint8Array(content));
	} catch {
		return undefined;
	}
}

function printable(text: string | undefined): string | undefined {
	return text?.replaceAll(/\p{Cc}/gu, " ").slice(0, NAME_MAX);
}
