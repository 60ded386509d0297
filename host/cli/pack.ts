import { basename, relative, resolve } from "node:path";
import { type KnownParams, unknownParam } from "../config/params.js";
import { inspectModule } from "../module/inspect.js";
import { writeArchive } from "../pack/archive.js";
import { type Bundle, bundleOf, topOf } from "../pack/bundle.js";
import {
	buildImage,
	type ImageOptions,
	PLATFORMS,
	type Platform,
} from "../pack/image.js";
import {
	formatReference,
	parseReference,
	type Reference,
} from "../pack/reference.js";
import {
	ARCHITECTURES,
	type Architecture,
	buildStandalone,
	type Runtime,
} from "../pack/standalone.js";
import { readInput } from "../store/whole.js";
import { openStore, STORE_HELP, writeOutput } from "./images.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions } from "./options.js";
import { performanceOf } from "./performance.js";
import { usage } from "./report.js";
import { buildWazero } from "./wazero.js";

export const packVerb: Verb = {
	name: "pack",
	summary: "make a container image of a module",
	help: `usage: wasieve pack MODULE -t NAME:TAG [-o IMAGE.tar] [--platform wasi/wasm] [--wasm-layer]
                    [--param K=V]… [--source URL] [--licence SPDX] [--performance FILE.json | --no-label]
       wasieve pack MODULE -t NAME:TAG --standalone [--arch amd64,arm64,arm/v7,riscv64] …

Makes a FROM scratch image with nothing but MODULE in it, without Docker. It lies in the store
afterwards, for \`wasieve push\`. The same MODULE, label and options make the same bytes everywhere.

  -t NAME:TAG         its name, as registry.example:5000/line-3/overheat:1.2
  -o FILE             also write an archive: \`docker load -i\`, \`ctr image import --local\`,
                      \`skopeo copy oci-archive:FILE …\`
  --platform P        wasi/wasm (default) or wasip1/wasm, as your shim calls it
  --wasm-layer        the module itself as layer (application/wasm) instead of a file system
                      with it; containerd's loader reads that, older tools do not
  --standalone        a Linux image with a static runtime (wazero) and the module instead, for any
                      Docker, without a shim; needs Go 1.25 to compile the runtime
  --arch LIST         the machines it is for (default: amd64,arm64,arm/v7,riscv64)
  --param K=V         a parameter and its default; may be given again (default: what MODULE's source
                      says, in modules that \`wasieve build\` made)
  --source URL        where its source is
  --licence SPDX      its licence, as Apache-2.0
  --performance FILE  a performance label: JSON, at most 4 KB, as \`wasieve bench --json\` writes it
                      (default: MODULE with .label.json for .wasm, where that file is; it says so)
  --no-label          no label, whatever lies beside MODULE
${STORE_HELP}  --json              print {"name", "digest", "bytes", "module"} on stdout

Exit codes: 0 packed, 1 a file cannot be written, 2 wrong command line, 3 not a usable module.

Example:
  wasieve pack build/overheat.wasm -t localhost:5000/overheat:1.2 -o overheat.tar --param LIMIT=85
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("pack", argv, {
			tag: { type: "string", short: "t" },
			out: { type: "string", short: "o" },
			platform: { type: "string" },
			"wasm-layer": { type: "boolean" },
			standalone: { type: "boolean" },
			arch: { type: "string" },
			param: { type: "string", multiple: true },
			source: { type: "string" },
			licence: { type: "string" },
			performance: { type: "string" },
			"no-label": { type: "boolean" },
			store: { type: "string" },
			json: { type: "boolean" },
		});
		const file = resolve(io.cwd, oneOperand("pack", "MODULE", positionals));
		const { tag: written, out, source, licence, performance } = values;
		if (written === undefined) throw usage("pack", "-t NAME:TAG is missing");
		const name = named(written);
		const module = readInput(
			file,
			"E_MODULE_READ",
			"`wasieve build` makes one",
		);
		const labelled = performance && resolve(io.cwd, performance);
		const bare = values["no-label"] === true;
		if (bare && labelled)
			throw usage("pack", "--no-label does not go with --performance");
		const found = bare ? undefined : performanceOf(file, module, labelled);
		const { digest, params } = inspectModule(module);
		const given = paramsOf(values.param ?? [], params);
		const options: ImageOptions = {
			platform: platformOf(values.platform ?? "wasi/wasm"),
			wasmLayer: values["wasm-layer"] === true,
			title: basename(file, ".wasm"),
			version: name.tag,
			...(source !== undefined && { source }),
			...(licence !== undefined && { licence }),
			params: { ...defaultsOf(params), ...given },
			...(found && { performance: found.label }),
		};
		const machines = machinesOf(values);
		const bundle = machines
			? await standalone(module, machines, options, io)
			: bundleOf(buildImage(module, options));
		const archive = writeArchive(bundle, name);
		if (out !== undefined) writeOutput(resolve(io.cwd, out), archive);
		await openStore(values, io).add(bundle, name);
		const told = {
			name: formatReference(name),
			digest: topOf(bundle).digest,
			bytes: archive.length,
			module: digest,
		};
		io.stdout.write(
			values.json
				? `${JSON.stringify(told)}\n`
				: `${told.name}@${told.digest}\n${out ?? "archive"}: ${archive.length} bytes, ${archive.length - module.length} more than the module\n${found ? `with label ${relative(io.cwd, found.file)}\n` : ""}`,
		);
		return EXIT.OK;
	},
};

/** A digest is a result, it cannot be asked for. */
function named(written: string): Reference & { tag: string } {
	const { tag, digest, ...rest } = parseReference(written);
	if (tag !== undefined && digest === undefined)
		return { ...rest, tag, digest };
	throw usage(
		"pack",
		`-t '${written}' has a digest; an image is named with a tag`,
	);
}

interface Given {
	platform?: string;
	"wasm-layer"?: boolean;
	standalone?: boolean;
	arch?: string;
}

/** Undefined: a Wasm image, which is for every machine. */
function machinesOf(values: Given): Architecture[] | undefined {
	const { arch, platform, standalone } = values;
	if (!standalone && arch !== undefined)
		throw usage("pack", "--arch is for --standalone images");
	if (!standalone) return undefined;
	if (platform !== undefined || values["wasm-layer"])
		throw usage(
			"pack",
			"--standalone makes Linux images: no --platform, no --wasm-layer",
		);
	const asked = new Set((arch ?? ARCHITECTURES.join(",")).split(","));
	const unknown = [...asked].find(
		(each) => !ARCHITECTURES.includes(each as Architecture),
	);
	if (unknown === undefined)
		return ARCHITECTURES.filter((each) => asked.has(each));
	throw usage(
		"pack",
		`--arch '${unknown}' is none of ${ARCHITECTURES.join(", ")}`,
	);
}

/** One after the other: each uses all processors. */
async function standalone(
	module: Buffer,
	machines: readonly Architecture[],
	options: ImageOptions,
	io: Io,
): Promise<Bundle> {
	const runtimes: Runtime[] = [];
	for (const machine of machines)
		runtimes.push(await buildWazero(machine, io.env));
	return buildStandalone(module, runtimes, options);
}

function platformOf(written: string): Platform {
	const found = PLATFORMS.find((each) => each === written);
	if (found) return found;
	throw usage(
		"pack",
		`--platform '${written}' is not ${PLATFORMS.join(" or ")}`,
	);
}

function paramsOf(
	written: readonly string[],
	known: KnownParams | undefined,
): Record<string, string> {
	const params: Record<string, string> = Object.create(null);
	for (const each of written) {
		const [, name, value] = /^([^=\0]+)=([^\0]*)$/s.exec(each) ?? [];
		if (name === undefined || value === undefined)
			throw usage("pack", `--param '${each}' is not of the form K=V`);
		const unknown = known && unknownParam(name, known);
		if (unknown)
			throw usage("pack", `--param ${name}: ${unknown.what} (${unknown.hint})`);
		params[name] = value;
	}
	return params;
}

/** What the module says of itself, as the environment would have it. */
function defaultsOf(known: KnownParams = {}): Record<string, string> {
	const told = Object.entries(known).filter(([, value]) => value !== null);
	return Object.fromEntries(told.map(([name, value]) => [name, `${value}`]));
}
