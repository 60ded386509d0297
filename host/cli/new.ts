import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { WasieveError } from "../errors.js";
import { makeFolder } from "../store/folder.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions } from "./options.js";
import { specFrom } from "./own-spec.js";
import { type Project, projectFiles } from "./project.js";
import { packageFolder, version } from "./version.js";

export const newVerb: Verb = {
	name: "new",
	summary: "make a folder with a filter, its fixtures and a test",
	help: `usage: wasieve new DIR [--wasieve SPEC] [--json]

Makes DIR (which must not exist or be empty) with a filter to start from, fixtures, a test and
a gateway file. In it: npm install, then npm test.

  --wasieve SPEC   what DIR's package.json asks npm for as "wasieve": a version, a tarball, file:…
                   (default: this version; what this one was installed from, when it is a tarball;
                   this folder, when it is a checkout)
  --json           print {"dir", "files"} on stdout

Exit codes: 0 made, 1 DIR is not empty or cannot be written, 2 wrong command line.

Example:
  wasieve new too-hot && cd too-hot && npm install && npm test
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("new", argv, {
			wasieve: { type: "string" },
			json: { type: "boolean" },
		});
		const dir = resolve(io.cwd, oneOperand("new", "DIR", positionals));
		const files = projectFiles(describeProject(dir, values.wasieve));
		refuseOccupied(dir);
		writeFiles(dir, files);
		tell(io, dir, Object.keys(files), values.json === true);
		return EXIT.OK;
	},
};

/** The name of a folder becomes the name of filter, module and package. */
function describeProject(dir: string, spec: string | undefined): Project {
	const name = basename(dir)
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.replace(/^-+|-+$/g, "");
	return {
		name: name || "filter",
		wasieve: spec ?? specFrom(packageFolder(), version(), dir),
	};
}

function refuseOccupied(dir: string): void {
	if (!existsSync(dir)) return;
	if (read(dir).length === 0) return;
	throw new WasieveError("E_NEW_EXISTS", `${dir} is there and not empty`, {
		hint: "name a folder that does not exist yet",
	});
}

function read(dir: string): string[] {
	try {
		return readdirSync(dir);
	} catch (cause) {
		throw notWritten(dir, cause);
	}
}

function writeFiles(
	dir: string,
	files: Readonly<Record<string, string>>,
): void {
	for (const [name, text] of Object.entries(files)) {
		try {
			makeFolder(dirname(join(dir, name)));
			writeFileSync(join(dir, name), text, { flag: "wx" });
		} catch (cause) {
			throw notWritten(join(dir, name), cause);
		}
	}
}

function notWritten(path: string, cause: unknown): WasieveError {
	const why = (cause as NodeJS.ErrnoException).code ?? "unknown";
	return new WasieveError("E_FILE_WRITE", `${path} cannot be made (${why})`, {
		hint: "name a folder whose parent you may write",
		cause,
	});
}

function tell(io: Io, dir: string, files: string[], json: boolean): void {
	if (json) {
		io.stdout.write(`${JSON.stringify({ dir, files })}\n`);
		return;
	}
	const near = relative(io.cwd, dir) || ".";
	const shown = near.startsWith("..") ? dir : near;
	io.stdout.write(`made ${shown} (${files.join(", ")})\n`);
	io.stdout.write(`next: cd ${quoted(shown)} && npm install && npm test\n`);
}

/** As a shell takes it. */
function quoted(word: string): string {
	if (/^[\w./-]+$/.test(word)) return word;
	return `'${word.replaceAll("'", "'\\''")}'`;
}
