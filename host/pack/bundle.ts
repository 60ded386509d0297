import { type Digest, isDigest } from "./digest.js";
import { type Blob, blob, type Image } from "./image.js";
import {
	chooseManifest,
	isIndex,
	manifestsOf,
	mediaTypeOf,
	parseManifest,
	readManifest,
} from "./manifest.js";

/** All that belongs to one name: an image, or an index with an image a platform. */
export interface Bundle {
	/** Layers and configs, each once. */
	readonly blobs: readonly Blob[];
	/** What names others stands after them: the last one is what a tag stands for. */
	readonly manifests: readonly Blob[];
}

/** Bytes by digest, verified; undefined when they are not there. */
export type Read = (digest: Digest) => Buffer | undefined;

export function bundleOf({ manifest, config, layer }: Image): Bundle {
	return { blobs: [layer, config], manifests: [manifest] };
}

/** What a tag stands for. */
export function topOf({ manifests }: Bundle): Blob {
	return manifests.at(-1) as Blob;
}

/**
 * Everything that a manifest or index names; undefined unless all of it is there.
 * @throws {WasieveError} E_IMAGE_FORMAT
 */
export function collect(top: Digest, read: Read): Bundle | undefined {
	const blobs = new Map<Digest, Blob>();
	const manifests: Blob[] = [];
	const add = (digest: Digest): boolean => {
		const bytes = read(digest);
		if (bytes === undefined) return false;
		const manifest = blob(mediaTypeOf(bytes), bytes);
		const whole = isIndex(manifest.mediaType)
			? manifestsOf(bytes).every((each) => add(each.digest))
			: addParts(bytes);
		manifests.push(manifest);
		return whole;
	};
	const addParts = (bytes: Buffer): boolean => {
		const { config, layers } = parseManifest(bytes);
		return [...layers, config].every(({ mediaType, digest }) => {
			const part = blobs.get(digest)?.bytes ?? read(digest);
			if (part) blobs.set(digest, blob(mediaType, part));
			return part !== undefined;
		});
	};
	return add(top) ? { blobs: [...blobs.values()], manifests } : undefined;
}

/**
 * The Wasm image that a manifest is or an index lists; undefined unless all of it is there.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS, E_IMAGE_PLATFORM
 */
export function wasmImage(top: Digest, read: Read): Image | undefined {
	const bytes = read(top);
	if (bytes === undefined) return undefined;
	const mediaType = mediaTypeOf(bytes);
	if (isIndex(mediaType)) return wasmImage(chooseManifest(bytes).digest, read);
	const { config, layer } = readManifest(bytes);
	const [configBytes, layerBytes] = [read(config.digest), read(layer.digest)];
	if (configBytes === undefined || layerBytes === undefined) return undefined;
	return {
		manifest: blob(mediaType, bytes),
		config: blob(config.mediaType, configBytes),
		layer: blob(layer.mediaType, layerBytes),
	};
}

/** {@link Read} of what is in a bundle. */
export function readerOf({ blobs, manifests }: Bundle): Read {
	const all = new Map(
		[...blobs, ...manifests].map(({ digest, bytes }) => [digest, bytes]),
	);
	return (digest) => (isDigest(digest) ? all.get(digest) : undefined);
}
