import { statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { type Compiled, compileFilter } from "./compile.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { parseOptions } from "./options.js";
import { usage } from "./report.js";

export const buildVerb: Verb = {
	name: "build",
	summary: "compile AssemblyScript filters to WASI modules",
	help: `usage: wasieve build FILE… [-o OUT] [--simd] [--debug] [--readings FILE] [--json]

Compiles each FILE.ts to a module that exports _start (for any WASI runtime) and pump (for
wasieve's own engine), and prints its size and what it imports.

  -o OUT     the module's file; a folder with several FILEs, when OUT is a folder or ends in /
             (default: NAME.wasm in the current folder)
  --simd     the fast one: 128-bit SIMD, which the runtime must have, and a fifth larger
  --debug    assertions, names and a source map (OUT.map) instead of optimization; what ends the
             filter names its line on stderr
  --readings FILE
             readings, one a line: refuses a filter that asks for a field which none of them has
  --json     print [{"name", "out", "bytes", "imports", "fields"}] on stdout

Exit codes: 0 built, 1 a filter does not compile or a file cannot be read or written, 2 wrong
command line, 3 the module would be refused (it imports what is not WASI, say).

Example:
  wasieve build src/filter.ts -o build/filter.wasm
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("build", argv, {
			out: { type: "string", short: "o" },
			simd: { type: "boolean" },
			debug: { type: "boolean" },
			readings: { type: "string" },
			json: { type: "boolean" },
		});
		if (positionals.length === 0) throw usage("build", "FILE is missing");
		const built: Compiled[] = [];
		for (const target of targets(positionals, values.out, io.cwd)) {
			const { simd = false, debug = false, readings } = values;
			const { file, out } = target;
			const fixtures = readings && { readings: resolve(io.cwd, readings) };
			built.push(await compileFilter(file, { out, simd, debug, ...fixtures }));
			if (!values.json) tell(io, built.at(-1) as Compiled);
		}
		if (values.json)
			io.stdout.write(`${JSON.stringify(built.map(summarize))}\n`);
		return EXIT.OK;
	},
};

interface Target {
	file: string;
	out: string;
}

/** What becomes of which file. Two filters of one name would overwrite each other. */
function targets(
	files: readonly string[],
	out: string | undefined,
	cwd: string,
): Target[] {
	const folder = out === undefined || files.length > 1 || isFolder(out, cwd);
	const targets = files.map((file) => ({
		file: resolve(cwd, file),
		out: folder
			? join(
					resolve(cwd, out ?? "."),
					`${basename(file).replace(/\.ts$/, "")}.wasm`,
				)
			: resolve(cwd, out as string),
	}));
	const twice = targets.find(
		(a, i) => targets.findIndex((b) => b.out === a.out) < i,
	);
	if (twice)
		throw usage(
			"build",
			`two of the files would become ${relative(cwd, twice.out)}`,
		);
	return targets;
}

function isFolder(out: string, cwd: string): boolean {
	if (/[\\/]$/.test(out)) return true;
	try {
		return statSync(resolve(cwd, out)).isDirectory();
	} catch {
		return false; // writing to it says why, if it cannot be
	}
}

function tell(io: Io, { out, bytes, imports }: Compiled): void {
	const shown = relative(io.cwd, out as string);
	const size = bytes.length.toLocaleString("en-US");
	const names = imports.map((each) =>
		each.replace(/^wasi_snapshot_preview1\./, ""),
	);
	io.stdout.write(`${shown}  ${size} bytes  imports ${names.join(", ")}\n`);
}

function summarize({ name, out, bytes, imports, fields }: Compiled) {
	return { name, out, bytes: bytes.length, imports, fields };
}
