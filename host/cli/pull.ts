import { resolve } from "node:path";
import { writeArchive } from "../pack/archive.js";
import { bundleOf } from "../pack/bundle.js";
import { readImage } from "../pack/manifest.js";
import { pullImage } from "../pack/pull.js";
import { formatReference, parseRegistryReference } from "../pack/reference.js";
import {
	openStore,
	REGISTRY_HELP,
	REGISTRY_OPTIONS,
	registryOf,
	writeOutput,
} from "./images.js";
import { EXIT, type Verb } from "./io.js";
import { oneOperand, parseOptions } from "./options.js";

export const pullVerb: Verb = {
	name: "pull",
	summary: "fetch an image from a registry",
	help: `usage: wasieve pull REF [-o FILE]

Fetches the image REF (registry.example:5000/line-3/overheat:1.2, with @sha256:… to be sure which)
into the store: only what is not there, continuing what was cut, every digest verified. A tag
stands for what it was at the last pull. Plain HTTP is spoken with localhost only.

  -o FILE             also write the module (FILE.wasm) or an archive of the image (FILE.tar)
${REGISTRY_HELP}  --json              print {"name", "digest", "before", "fetched", "module"} on stdout

Exit codes: 0 pulled, 1 failed, 2 wrong command line.

Example:
  wasieve pull localhost:5000/overheat:1.2 -o overheat.wasm
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("pull", argv, {
			...REGISTRY_OPTIONS,
			out: { type: "string", short: "o" },
			json: { type: "boolean" },
		});
		const written = oneOperand("pull", "REF", positionals);
		const reference = parseRegistryReference(written);
		const store = openStore(values, io);
		const registry = registryOf(reference, values, io);
		const pulled = await pullImage(registry, reference, store);
		const { image, digest, before, fetched } = pulled;
		const { module, moduleDigest } = readImage(image);
		const out = values.out && resolve(io.cwd, values.out);
		if (out?.endsWith(".tar"))
			writeOutput(
				out,
				writeArchive(bundleOf(image), { ...reference, digest: undefined }),
			);
		else if (out) writeOutput(out, module);
		const name = formatReference({ ...reference, digest: undefined });
		const told = { name, digest, before, fetched, module: moduleDigest };
		const was = before === undefined ? "" : `, it was ${before}`;
		io.stdout.write(
			values.json
				? `${JSON.stringify(told)}\n`
				: `${name}@${digest}${was}\nfetched ${fetched} bytes; the module is ${moduleDigest}\n`,
		);
		return EXIT.OK;
	},
};
