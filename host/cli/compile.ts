import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { asWasieveError, WasieveError } from "../errors.js";
import { inspectModule } from "../module/inspect.js";
import { withLines } from "../module/lines.js";
import { withParams } from "../module/params.js";
import { makeFolder } from "../store/folder.js";
import { readInput } from "../store/whole.js";
import { type Absent, absentIn } from "./absent.js";
import { type Asked, readAsked } from "./asked.js";
import { checkFields } from "./fields.js";
import { withoutBlocks } from "./slim.js";
import { linesOf } from "./source-map.js";
import { ownSources, type Source } from "./syntax.js";
import { markStatements } from "./trace.js";
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
	/** NDJSON, in which every field must be that the filter asks for. */
	readings?: string;
	/** More flags for asc. */
	flags?: readonly string[];
	/** Not held to what a runtime of ours would load: for builds whose imports measure them. */
	unchecked?: boolean;
}

export interface Compiled {
	/** As a list of the filter's folder would name it: no folder, no `.ts`. */
	name: string;
	bytes: Uint8Array;
	/** Where it was written, if it was. */
	out: string | undefined;
	/** "module.name" of every import, in the module's order. */
	imports: string[];
	/** What the source asks readings for, where it says so in a string literal. */
	fields: readonly Field[];
}

export interface Field {
	/** As the source has it: "motor.temp". */
	path: string;
	/** file:line:column */
	place: string;
}

/**
 * Compiles one AssemblyScript filter to a WASI module that exports `_start` (any runtime) and
 * `pump` (the embedded engine).
 *
 * @throws WasieveError E_BUILD with the compiler's messages, E_BUILD_MISSING without a
 * compiler, E_BUILD_FIELD, E_BUILD_RUN, E_FILE_READ, E_FILE_WRITE, E_MODULE_* for what no runtime of ours would load
 */
export async function compileFilter(
	file: string,
	options: CompileOptions = {},
): Promise<Compiled> {
	const files = new Sources(resolve(file));
	// Unoptimized in half a second: wrong programs end here, and names tell who allocates.
	const probe = await compile(files, [...PROBE, ...features(options)]);
	if (!options.unchecked) checkRun(probe.asked, files.path);
	const runtime = allocates(probe.module) ? "incremental" : "stub";
	const { module, map } = await compile(files, [
		...flavour(options),
		...["--runtime", runtime],
		...(probe.asked.flat ? ["--use", "WASIEVE_FLAT=1"] : []),
		...features(options),
	]);
	const { params } = probe.asked;
	const fields = probe.asked.fields.map(({ path, file, at }) => ({
		path,
		place: files.place(file, at),
	}));
	const { readings } = options;
	if (readings !== undefined)
		checkFields(
			fields,
			readText(readings, "--readings names an NDJSON file"),
			readings,
		);
	const slim =
		options.debug || runtime !== "stub" ? module : withoutBlocks(module);
	const lined = map === undefined ? slim : withLines(slim, linesOf(map, slim));
	const bytes = params ? withParams(lined, params) : lined;
	const imports = importsOf(bytes, options, probe.absent, files);
	if (options.out) save(options.out, bytes, map);
	return {
		name: basename(files.path).replace(/\.ts$/, ""),
		bytes,
		out: options.out,
		imports,
		fields,
	};
}

const PROBE = ["--runtime", "stub", "--debug"];
const DEBUG = ["--debug", "--sourceMap"];
const RELEASE = ["-O3", "--converge", "--noAssert"];
/** With inlining left to the SDK's own decorators: a third slower, and nine tenths of the size. */
const SMALL = ["--shrinkLevel", "2"];

function flavour({ debug, simd }: CompileOptions): string[] {
	if (debug) return DEBUG;
	return simd ? RELEASE : [...RELEASE, ...SMALL];
}

function features(options: CompileOptions): string[] {
	return [
		...["--exportStart", "_start", "--use", "abort=wasieve_abort"],
		...["--maximumMemory", String(options.maximumMemory ?? 256)],
		...(options.simd ? ["--enable", "simd"] : []),
		...(options.flags ?? []),
	];
}

/** The same checks as before it runs: what would be refused there is not made here. */
function importsOf(
	module: Uint8Array,
	options: CompileOptions,
	absent: readonly Absent[],
	files: Sources,
): string[] {
	if (options.unchecked) return [];
	const memory = (options.maximumMemory ?? 256) * 65_536;
	try {
		const { imports } = inspectModule(module, { memory });
		return imports.map((each) => `${each.module}.${each.name}`);
	} catch (thrown) {
		const error = asWasieveError(thrown);
		if (error.code !== "E_MODULE_IMPORT" || absent.length === 0) throw error;
		// Its words are for who declares imports; here the language's library did.
		const told = absent.map(
			({ name, advice, file, at }) =>
				`${files.place(file, at)}: ${name}: ${advice}`,
		);
		throw failed(files.path, told, error);
	}
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
	files: Sources,
	options: string[],
): Promise<{
	module: Uint8Array;
	map: string | undefined;
	asked: Asked;
	absent: readonly Absent[];
}> {
	const [asc, language] = await loadCompiler();
	const marked = options.includes("--sourceMap");
	const mistakes: string[] = [];
	let asked: Asked | undefined;
	let absent: readonly Absent[] = [];
	const transform = {
		afterParse(parser: { sources: readonly Source[] }) {
			const own = ownSources(parser.sources, Object.keys(asc.libraryFiles));
			asked = readAsked(own);
			absent = own.flatMap(absentIn);
			if (marked) for (const each of own) markStatements(each, language);
		},
	};
	const { error } = await asc.main(
		[files.entry, PUMP, "--outFile", MODULE, ...options],
		{
			stdout: SILENT,
			stderr: SILENT,
			readFile: (wanted) => files.read(wanted),
			writeFile: (written, contents) => files.write(written, contents),
			listFiles: () => null,
			reportDiagnostic: (message) => {
				if (message.category >= ERROR) mistakes.push(describe(message, files));
			},
			// Its own type asks for methods that it gives itself.
			transforms: [transform as never],
		},
	);
	const module = files.written.get(MODULE);
	if (error || asked === undefined || !(module instanceof Uint8Array))
		throw failed(files.path, mistakes, error);
	const map = files.written.get(MAP) as string | undefined;
	return { module, map, asked, absent };
}

/** The other entry file's name, and what the compiler writes. */
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
	/** What the compiler calls the filter; modules made for debugging tell it in their messages. */
	readonly entry: string;
	readonly #filter: string;

	constructor(readonly path: string) {
		this.#filter = readText(path, "name an AssemblyScript file");
		this.entry = /\.ts$/.test(path) ? basename(path) : "filter.ts";
	}

	read(wanted: string): string | null {
		if (wanted === this.entry) return this.#filter;
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

	/** file:line:column of an offset. */
	place(name: string, at: number): string {
		const before = (this.read(name) ?? "").slice(0, at).split("\n");
		const column = (before.at(-1) as string).length + 1;
		const file = name === this.entry ? this.path : name;
		return `${file}:${before.length}:${column}`;
	}
}

function readIfThere(file: string): string | null {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return null;
	}
}

function readText(path: string, hint: string): string {
	return readInput(path, "E_FILE_READ", hint).toString();
}

type Compiler = [
	typeof import("assemblyscript/asc"),
	typeof import("assemblyscript"),
];

/** Only who builds filters pays for the compiler: 100 MB on disk, 0.5 s to load. */
async function loadCompiler(): Promise<Compiler> {
	try {
		return await Promise.all([
			import("assemblyscript/asc"),
			import("assemblyscript"),
		]);
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
	const { code, range, ...told } = diagnostic as Diagnostic;
	const meant = /^File '~lib\/wasieve(\/index)?\.ts' /.test(told.message);
	const message = meant
		? `${told.message.replace(/\.$/, "")}, did you mean "wasieve/assembly"?`
		: told.message;
	if (!range) return `${message} (AS${code})`;
	const place = files.place(range.source.normalizedPath, range.start);
	return `${place}: ${message} (AS${code})`;
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
		hint: `${guide()} lists what a filter may use, and what TypeScript has and a filter has not`,
		cause: error ?? undefined,
	});
}

/** Of this package, wherever it lies: an author's project has it among its packages. */
function guide(): string {
	const path = join(packageFolder(), "docs/sdk.md");
	const near = relative(process.cwd(), path);
	return near.startsWith("..") ? path : near;
}

function checkRun({ runs, runsInRow }: Asked, path: string): void {
	if (runs && runsInRow < 2) return;
	const what = runs
		? "calls run() more than once: only one of its functions would get readings"
		: "does not call run(): it would take no reading";
	throw new WasieveError("E_BUILD_RUN", `${path} ${what}`, {
		hint: `end it with one run((r: Reading): void => { … }), from wasieve/assembly; ${guide()} has examples`,
	});
}

/** One that a build for debugging left: it says nothing of this module. */
function isSourceMap(path: string): boolean {
	return readIfThere(path)?.includes('"~lib/wasieve/assembly/') ?? false;
}

function save(out: string, bytes: Uint8Array, map: string | undefined): void {
	try {
		makeFolder(dirname(resolve(out)));
		writeFileSync(out, bytes);
		if (map !== undefined) writeFileSync(`${out}.map`, map);
		else if (isSourceMap(`${out}.map`)) rmSync(`${out}.map`);
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
