import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { asWasieveError, WasieveError } from "../errors.js";
import { readArchive } from "../pack/archive.js";
import { type Bundle, readerOf, topOf } from "../pack/bundle.js";
import type { Digest } from "../pack/digest.js";
import { ANNOTATION } from "../pack/image.js";
import { describeTop, type Looked, lookUp } from "../pack/pull.js";
import {
	parseRegistryReference,
	type RegistryReference,
} from "../pack/reference.js";
import { readInput } from "../store/whole.js";
import {
	openStore,
	REGISTRY_HELP,
	REGISTRY_OPTIONS,
	type RegistryValues,
	registryOf,
} from "./images.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions } from "./options.js";
import { printable } from "./report.js";

export const inspectVerb: Verb = {
	name: "inspect",
	summary: "say what an image is, in a registry or an archive",
	help: `usage: wasieve inspect REF|IMAGE.tar [--json]

Says what the image is and says of itself: digest, platform, module, parameters, annotations. Of an
image in a registry only the manifest and the config are fetched, and nothing is kept. What the registry
does not have, or while it does not answer, is looked for in the store.

${REGISTRY_HELP}  --json              print {"digest", "platforms", "layers", "params", "annotations"} on stdout

Exit codes: 0 found, 1 failed, 2 wrong command line.

Example:
  wasieve inspect localhost:5000/overheat:1.2
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("inspect", argv, {
			...REGISTRY_OPTIONS,
			json: { type: "boolean" },
		});
		const written = oneOperand("inspect", "REF or IMAGE.tar", positionals);
		const found = await describe(written, values, io);
		const { digest, platforms, layers, params, annotations } = found;
		const told = { digest, platforms, layers, params, annotations };
		io.stdout.write(
			values.json ? `${JSON.stringify(told)}\n` : linesOf(found).join(""),
		);
		return EXIT.OK;
	},
};

/** A name that ends in .tar, or of a file, is an archive. */
async function describe(
	written: string,
	values: RegistryValues,
	io: Io,
): Promise<Looked> {
	const file = resolve(io.cwd, written);
	if (!written.endsWith(".tar") && !existsSync(file)) {
		const reference = parseRegistryReference(written);
		try {
			return await lookUp(registryOf(reference, values, io), reference);
		} catch (thrown) {
			return lookInStore(asWasieveError(thrown), reference, values, io);
		}
	}
	const hint =
		"inspect takes a reference or an archive that `wasieve pack -o` wrote";
	const bytes = readInput(file, "E_FILE_READ", hint);
	if (isModule(bytes)) throw notAnImage(written);
	const { bundle } = readArchive(bytes);
	return describeBundle(bundle);
}

function isModule(bytes: Buffer): boolean {
	return bytes.subarray(0, 4).equals(MAGIC);
}

const MAGIC = Buffer.from("\0asm");

function notAnImage(written: string): WasieveError {
	const what = `${written} is a module and no image`;
	return new WasieveError("E_IMAGE_FORMAT", what, {
		hint: `wasieve check ${written} says what it is; \`wasieve pack\` makes an image of it`,
	});
}

function describeBundle(bundle: Bundle): Promise<Looked> {
	const inside = readerOf(bundle);
	const read = async (digest: Digest) => inside(digest) as Buffer;
	return describeTop(topOf(bundle), read, read);
}

/** What has been packed and not pushed is no registry's yet. */
function lookInStore(
	error: WasieveError,
	reference: RegistryReference,
	values: RegistryValues,
	io: Io,
): Promise<Looked> {
	if (!["E_REGISTRY_CONNECT", "E_IMAGE_MISSING"].includes(error.code))
		throw error;
	const store = openStore(values, io);
	const bundle = store.bundle(reference);
	if (bundle === undefined) throw error;
	io.stderr.write(
		printable(`${error.message}; this is what lies in ${store.dir}`).concat(
			"\n",
		),
	);
	return describeBundle(bundle);
}

function linesOf(found: Looked): string[] {
	const { digest, platforms, layers, params, annotations } = found;
	const settings = Object.entries(params).map((each) => each.join("="));
	return [
		`digest    ${digest}\n`,
		`platform  ${platforms.map(printable).join(", ")}\n`,
		...layers.map(
			({ mediaType, size }) =>
				`layer     ${printable(mediaType)}, ${size} bytes\n`,
		),
		...(settings.length > 0
			? [`params    ${settings.map(printable).join(" ")}\n`]
			: []),
		...Object.entries(annotations)
			.filter(([key]) => key !== ANNOTATION.params)
			.map(([key, value]) => `${printable(key)}  ${printable(value)}\n`),
	];
}
