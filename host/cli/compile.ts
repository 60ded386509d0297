import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { WasieveError } from "../errors.js";
import { makeFolder } from "../store/folder.js";
import { importsOf } from "./imports.js";
import { packageFolder } from "./version.js";

export interface CompileOptions {
	/** The module's file; nothing is written without it. */
	out?: string;
	/** Use 128-bit SIMD: faster over long strings, and not every runtime has it. */
	simd?: boolean;
	/** Keep assertions and names, write a source map beside the module. */
	debug?: boolean;
	/** Pages of 64 KiB the module may grow to (default 256, 16 MiB). */
	maximumMemory?: number;
	/** More flags for asc. */
	flags?: readonly string[];
}

export interface Compiled {
	/** As a list of the filter's folder would name it: no folder, no `.ts`. */
	name: string;
	bytes: Uint8Array;
	/** Where it was written, if it was. */
	out: string | undefined;
	/** "module.name" of every import, in the module's order. */
	imports: string[];
}

/**
 * Compiles one AssemblyScript filter to a WASI module that exports `_start` (any runtime) and
 * `pump` (the embedded engine).
 *
 * @throws WasieveError E_BUILD with the compiler's messages, E_BUILD_MISSING without a
 * compiler, E_FILE_READ, E_FILE_WRITE
 */
export async function compileFilter(
	file: string,
	options: CompileOptions = {},
): Promise<Compiled> {
	const path = resolve(file);
	const source = readFilter(path);
	// Unoptimized in half a second: wrong programs end here, and names tell who allocates.
	const probe = await compile(path, source, [...PROBE, ...features(options)]);
	const runtime = allocates(probe.module) ? "incremental" : "stub";
	const { module, map } = await compile(path, source, [
		...(options.debug ? DEBUG : RELEASE),
		...["--runtime", runtime],
		...features(options),
	]);
	if (options.out) save(options.out, module, map);
	return {
		name: basename(path).replace(/\.ts$/, ""),
		bytes: module,
		out: options.out,
		imports: importsOf(module),
	};
}

const PROBE = ["--runtime", "stub", "--debug"];
const DEBUG = ["--debug", "--sourceMap"];
/** -O3 with inlining left to the SDK's own decorators: as fast as without, and two thirds of the size. */
const RELEASE = ["-O3", "--shrinkLevel", "2", "--converge", "--noAssert"];

function features(options: CompileOptions): string[] {
	return [
		...["--exportStart", "_start", "--use", "abort=wasieve_abort"],
		...["--maximumMemory", String(options.maximumMemory ?? 256)],
		...(options.simd ? ["--enable", "simd"] : []),
		...(options.flags ?? []),
	];
}

/**
 * Whether the program ever asks for memory. Only then it needs the collector, and the shadow
 * stack that comes with it (10 ns of 140 a reading); `stub` never frees.
 */
function allocates(probe: Uint8Array): boolean {
	return Buffer.from(probe.buffer, probe.byteOffset, probe.length).includes(
		"~lib/rt/stub/__new",
	);
}

/** One run of the compiler. */
async function compile(
	path: string,
	source: string,
	options: string[],
): Promise<{ module: Uint8Array; map: string | undefined }> {
	const asc = await loadCompiler();
	const files = new Sources(path, source);
	const mistakes: string[] = [];
	const { error } = await asc.main(
		[FILTER, PUMP, "--outFile", MODULE, ...options],
		{
			stdout: SILENT,
			stderr: SILENT,
			readFile: (wanted) => files.read(wanted),
			writeFile: (written, contents) => files.write(written, contents),
			listFiles: () => null,
			reportDiagnostic: (message) => {
				if (message.category >= ERROR) mistakes.push(describe(message, files));
			},
		},
	);
	const module = files.written.get(MODULE);
	if (error || !(module instanceof Uint8Array))
		throw failed(path, mistakes, error);
	return { module, map: files.written.get(MAP) as string | undefined };
}

/** The entry files' names inside the compiler. */
const FILTER = "filter.ts";
const PUMP = "wasieve-pump.ts";
const MODULE = "filter.wasm";
const MAP = "filter.wasm.map";

/** The SDK beside this file's package: a filter is compiled with the SDK of the gateway that builds it. */
const SDK = join(packageFolder(), "assembly/");

/**
 * The files the compiler asks for. It looks for packages in node_modules folders, where the
 * SDK need not be (inside this repository it is not).
 */
class Sources {
	readonly written = new Map<string, string | Uint8Array>();

	constructor(
		readonly path: string,
		readonly filter: string,
	) {}

	read(wanted: string): string | null {
		if (wanted === FILTER) return this.filter;
		if (wanted === PUMP) return 'export { pump } from "wasieve/assembly";\n';
		const ours = wanted.match(/node_modules\/wasieve\/assembly\/(.*)$/);
		const file = ours
			? join(SDK, ours[1] as string)
			: join(dirname(this.path), wanted);
		return readIfThere(file);
	}

	write(written: string, contents: string | Uint8Array): void {
		this.written.set(written, contents);
	}
}

function readIfThere(file: string): string | null {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return null;
	}
}

function readFilter(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (cause) {
		const why = (cause as NodeJS.ErrnoException).code;
		throw new WasieveError("E_FILE_READ", `${path} cannot be read (${why})`, {
			hint: "name an AssemblyScript file",
			cause,
		});
	}
}

type Compiler = typeof import("assemblyscript/asc");

/** Only who builds filters pays for the compiler: 100 MB on disk, 0.5 s to load. */
async function loadCompiler(): Promise<Compiler> {
	try {
		return await import("assemblyscript/asc");
	} catch (cause) {
		throw new WasieveError(
			"E_BUILD_MISSING",
			"the package assemblyscript is not installed",
			{
				hint: "npm install --save-dev assemblyscript (or build elsewhere: a module runs without it)",
				cause,
			},
		);
	}
}

const SILENT = { write: () => true };
/** asc's DiagnosticCategory: pedantic 0, info 1, warning 2, error 3. */
const ERROR = 3;

/** As asc reports it; positions are UTF-16 offsets. */
interface Diagnostic {
	code: number;
	message: string;
	range: { start: number; source: { normalizedPath: string } } | null;
}

/** file:line:column: what is wrong */
function describe(diagnostic: unknown, files: Sources): string {
	const { code, message, range } = diagnostic as Diagnostic;
	if (!range) return `${message} (AS${code})`;
	const name = range.source.normalizedPath;
	const before = (files.read(name) ?? "").slice(0, range.start).split("\n");
	const column = (before.at(-1) as string).length + 1;
	const file = name === FILTER ? files.path : name;
	return `${file}:${before.length}:${column}: ${message} (AS${code})`;
}

function failed(
	path: string,
	mistakes: string[],
	error: Error | null,
): WasieveError {
	const told = mistakes.length
		? mistakes.join("\n")
		: (error?.message ?? "the compiler wrote no module");
	return new WasieveError("E_BUILD", `${path} does not compile\n${told}`, {
		hint: "docs/sdk.md lists what a filter may use",
		cause: error ?? undefined,
	});
}

function save(out: string, bytes: Uint8Array, map: string | undefined): void {
	try {
		makeFolder(dirname(resolve(out)));
		writeFileSync(out, bytes);
		if (map !== undefined) writeFileSync(`${out}.map`, map);
	} catch (cause) {
		const why = (cause as NodeJS.ErrnoException).code;
		throw new WasieveError(
			"E_FILE_WRITE",
			`${out} cannot be written (${why})`,
			{
				hint: "name a file in a folder that you may write",
				cause,
			},
		);
	}
}
