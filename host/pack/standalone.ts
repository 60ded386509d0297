import type { Bundle } from "./bundle.js";
import {
	annotationsOf,
	type Blob,
	blob,
	descriptor,
	ENTRYPOINT,
	type ImageOptions,
	json,
	MEDIA,
	rootfs,
} from "./image.js";
import { writeTar } from "./tar.js";

/** Linux machines that a filter can be packed for, as Docker names them. */
export const ARCHITECTURES = ["amd64", "arm64", "arm/v7", "riscv64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** A static program that runs `RUNTIME run -env-inherit MODULE`. */
export interface Runtime {
	readonly architecture: Architecture;
	readonly bytes: Buffer;
	/** Name and version, for the annotation. */
	readonly name: string;
}

const RUNTIME = "/wazero";
/** nobody: the filter needs no rights at all. */
const USER = "65534:65534";

/**
 * A `FROM scratch` Linux image for each machine, in one index: a layer with the runtime, which stays the same from filter
 * to filter, and a layer with the module.
 */
export function buildStandalone(
	module: Buffer,
	runtimes: readonly Runtime[],
	options: Omit<ImageOptions, "platform" | "wasmLayer">,
): Bundle {
	const layer = blob(MEDIA.layer, rootfs(module));
	const blobs: Blob[] = [layer];
	const manifests = runtimes.map((runtime) => {
		const program = {
			name: RUNTIME.slice(1),
			bytes: runtime.bytes,
			mode: 0o755,
		};
		const base = blob(MEDIA.layer, writeTar([program]));
		const config = blob(
			MEDIA.config,
			json(configOf([base, layer], runtime, options.params)),
		);
		blobs.push(base, config);
		const annotations = {
			...annotationsOf(module, options),
			"io.wasieve.runtime": runtime.name,
		};
		return manifestOf(config, [base, layer], annotations);
	});
	return { blobs, manifests: [...manifests, indexOf(manifests, runtimes)] };
}

function platformOf(architecture: Architecture) {
	const [name, variant] = architecture.split("/");
	return { architecture: name, os: "linux", ...(variant && { variant }) };
}

/** Parameters reach the filter through the container's environment: `docker run -e LIMIT=90` sets one. */
function configOf(
	layers: readonly Blob[],
	{ architecture }: Runtime,
	params: Readonly<Record<string, string>>,
): object {
	const env = Object.entries(params).map((pair) => pair.join("="));
	return {
		created: "1970-01-01T00:00:00Z",
		...platformOf(architecture),
		config: {
			User: USER,
			...(env.length > 0 && { Env: env }),
			Entrypoint: [RUNTIME, "run", "-env-inherit", ENTRYPOINT],
		},
		rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
	};
}

function manifestOf(
	config: Blob,
	layers: readonly Blob[],
	annotations: object,
): Blob {
	return blob(
		MEDIA.manifest,
		json({
			schemaVersion: 2,
			mediaType: MEDIA.manifest,
			config: descriptor(config),
			layers: layers.map(descriptor),
			annotations,
		}),
	);
}

function indexOf(
	manifests: readonly Blob[],
	runtimes: readonly Runtime[],
): Blob {
	const listed = manifests.map((manifest, i) => ({
		...descriptor(manifest),
		platform: platformOf((runtimes[i] as Runtime).architecture),
	}));
	return blob(
		MEDIA.index,
		json({ schemaVersion: 2, mediaType: MEDIA.index, manifests: listed }),
	);
}
