import { resolve } from "node:path";
import { WasieveError } from "../errors.js";
import { readArchive } from "../pack/archive.js";
import type { Bundle } from "../pack/bundle.js";
import {
	formatReference,
	parseRegistryReference,
	type RegistryReference,
} from "../pack/reference.js";
import { pushImage } from "../pack/upload.js";
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
import { usage } from "./report.js";

export const pushVerb: Verb = {
	name: "push",
	summary: "send an image to a registry",
	help: `usage: wasieve push REF [--from IMAGE.tar]

Sends the image REF (registry.example:5000/line-3/overheat:1.2) from the store, or from an archive,
to the registry that REF names: only what the registry lacks, the tag last. Plain HTTP is spoken
with localhost only.

  --from FILE         an archive of one name (\`wasieve pack -o\`, or an oci-archive)
${REGISTRY_HELP}  --json              print {"name", "digest", "sent", "present"} on stdout

Exit codes: 0 pushed, 1 failed, 2 wrong command line.

Example:
  wasieve push localhost:5000/overheat:1.2
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("push", argv, {
			...REGISTRY_OPTIONS,
			from: { type: "string" },
			json: { type: "boolean" },
		});
		const written = oneOperand("push", "REF", positionals);
		const reference = parseRegistryReference(written);
		if (reference.digest !== undefined)
			throw usage("push", "REF has a digest; an image is pushed to a tag");
		const bundle = bundleIn(reference, values, io);
		const registry = registryOf(reference, values, io);
		const pushed = await pushImage(registry, reference, bundle);
		const name = formatReference(reference);
		io.stdout.write(
			values.json
				? `${JSON.stringify({ name, ...pushed })}\n`
				: `${name}@${pushed.digest}\nsent ${pushed.sent} bytes, ${pushed.present} were there\n`,
		);
		return EXIT.OK;
	},
};

function bundleIn(
	reference: RegistryReference,
	values: RegistryValues & { from?: string },
	io: Io,
): Bundle {
	if (values.from !== undefined) {
		const file = resolve(io.cwd, values.from);
		const hint = "--from names an archive that `wasieve pack -o` wrote";
		return readArchive(readInput(file, "E_FILE_READ", hint)).bundle;
	}
	const store = openStore(values, io);
	const bundle = store.bundle(reference);
	if (bundle) return bundle;
	const name = formatReference(reference);
	throw new WasieveError(
		"E_IMAGE_MISSING",
		`there is no image ${name} in the store ${store.dir}`,
		{
			hint: `\`wasieve pack MODULE -t ${name}\` makes it; --from takes an archive`,
		},
	);
}
