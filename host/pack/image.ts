import { type Digest, digestOf } from "./digest.js";
import { writeTar } from "./tar.js";

/** Media types of the OCI image specification, and Docker's older names for the same. */
export const MEDIA = {
	index: "application/vnd.oci.image.index.v1+json",
	manifest: "application/vnd.oci.image.manifest.v1+json",
	config: "application/vnd.oci.image.config.v1+json",
	layer: "application/vnd.oci.image.layer.v1.tar",
	layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
	wasm: "application/wasm",
	dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
	dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
	dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** What a manifest says of something it refers to. */
export interface Descriptor {
	readonly mediaType: string;
	readonly digest: Digest;
	/** Bytes. */
	readonly size: number;
}

/** Bytes with what a manifest says of them. */
export interface Blob extends Descriptor {
	readonly bytes: Buffer;
}

/** One module as an image: three blobs, the manifest names the other two. */
export interface Image {
	readonly manifest: Blob;
	readonly config: Blob;
	readonly layer: Blob;
}

/** Platforms that the shim and its successors run: containerd's older name and the newer one. */
export const PLATFORMS = ["wasi/wasm", "wasip1/wasm"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** The module's place in the image; what `docker run IMAGE` starts. */
export const ENTRYPOINT = "/filter.wasm";

/** Keys of our own annotations; the others are those of the OCI image specification. */
export const ANNOTATION = {
	title: "org.opencontainers.image.title",
	version: "org.opencontainers.image.version",
	source: "org.opencontainers.image.source",
	licence: "org.opencontainers.image.licenses",
	module: "io.wasieve.module.digest",
	params: "io.wasieve.params",
	performance: "io.wasieve.performance",
} as const;

export interface ImageOptions {
	platform: Platform;
	/** The module itself as a layer of type application/wasm instead of a file system with it. */
	wasmLayer: boolean;
	title: string;
	version: string;
	source?: string;
	/** An SPDX expression. */
	licence?: string;
	/** Parameters and their defaults. */
	params: Readonly<Record<string, string>>;
	/** A performance label, any JSON. */
	performance?: unknown;
}

/**
 * A `FROM scratch` image of a module. The same module and options make the same bytes on every machine:
 * nothing is compressed, nothing carries a date.
 */
export function buildImage(module: Buffer, options: ImageOptions): Image {
	const layer = options.wasmLayer
		? blob(MEDIA.wasm, module)
		: blob(MEDIA.layer, rootfs(module));
	const config = blob(MEDIA.config, json(configOf(layer, options)));
	const manifest = blob(
		MEDIA.manifest,
		json({
			schemaVersion: 2,
			mediaType: MEDIA.manifest,
			config: descriptor(config),
			layers: [descriptor(layer)],
			annotations: annotationsOf(module, options),
		}),
	);
	return { manifest, config, layer };
}

/** A file system with nothing but the module, which anybody may execute. */
export function rootfs(module: Buffer): Buffer {
	return writeTar([{ name: ENTRYPOINT.slice(1), bytes: module, mode: 0o755 }]);
}

/**
 * `diff_ids` lists the layers that are unpacked as a file system. A Wasm layer is not, and containerd
 * refuses the image ("mismatched image rootfs and manifest layers") if it is listed all the same.
 */
function configOf(layer: Blob, options: ImageOptions): object {
	const [os, architecture] = options.platform.split("/");
	const env = Object.entries(options.params).map((pair) => pair.join("="));
	return {
		created: "1970-01-01T00:00:00Z",
		architecture,
		os,
		config: {
			...(env.length > 0 && { Env: env }),
			Entrypoint: [ENTRYPOINT],
		},
		rootfs: {
			type: "layers",
			diff_ids: options.wasmLayer ? [] : [layer.digest],
		},
	};
}

export function annotationsOf(
	module: Buffer,
	options: Omit<ImageOptions, "platform" | "wasmLayer">,
): Record<string, string> {
	const { title, version, source, licence, params, performance } = options;
	return {
		[ANNOTATION.title]: title,
		[ANNOTATION.version]: version,
		...(source !== undefined && { [ANNOTATION.source]: source }),
		...(licence !== undefined && { [ANNOTATION.licence]: licence }),
		[ANNOTATION.module]: digestOf(module),
		...(Object.keys(params).length > 0 && {
			[ANNOTATION.params]: JSON.stringify(params),
		}),
		...(performance !== undefined && {
			[ANNOTATION.performance]: JSON.stringify(performance),
		}),
	};
}

export function blob(mediaType: string, bytes: Buffer): Blob {
	return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** Without the bytes, as it stands in a manifest. */
export function descriptor({
	mediaType,
	digest,
	size,
}: Descriptor): Descriptor {
	return { mediaType, digest, size };
}

export function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}
