import { WasieveError } from "../errors.js";
import { type Digest, isDigest, verifyDigest } from "./digest.js";
import {
	type Blob,
	blob,
	descriptor,
	type Image,
	json,
	MEDIA,
} from "./image.js";
import { mediaTypeOf, readManifest } from "./manifest.js";
import { formatReference, fullName, type Reference } from "./reference.js";
import { readTar, writeTar } from "./tar.js";

/**
 * One file that is two things: an OCI image layout (oci-layout, index.json, blobs/) and a `docker save`
 * archive (manifest.json that points to the same blobs). There is exactly one manifest, so every
 * loader picks the same one.
 */
export function writeArchive(image: Image, name: Reference): Buffer {
	const { manifest, config, layer } = image;
	const blobs = [manifest, config, layer]
		.map(({ digest, bytes }) => ({ name: blobPath(digest), bytes }))
		.sort((a, b) => (a.name < b.name ? -1 : 1));
	return writeTar([
		...blobs,
		{ name: "index.json", bytes: json(indexOf(image, name)) },
		{
			name: "manifest.json",
			bytes: json([
				{
					Config: blobPath(config.digest),
					RepoTags: [formatReference({ ...name, digest: undefined })],
					Layers: [blobPath(layer.digest)],
				},
			]),
		},
		{ name: "oci-layout", bytes: LAYOUT },
	]);
}

/** The layout's version file [OCI image-layout]. */
export const LAYOUT = json({ imageLayoutVersion: "1.0.0" });
/** Name of an image in an index, as containerd writes and reads it. */
export const NAME = "io.containerd.image.name";
/** The same, as skopeo does. */
export const REF_NAME = "org.opencontainers.image.ref.name";

export function blobPath(digest: Digest): string {
	return `blobs/${digest.replace(":", "/")}`;
}

/** The platform stands here too: importers choose by it without opening the config. */
function indexOf({ manifest, config }: Image, name: Reference): object {
	const { os, architecture } = JSON.parse(config.bytes.toString());
	return {
		schemaVersion: 2,
		mediaType: MEDIA.index,
		manifests: [
			{
				...descriptor(manifest),
				platform: { architecture, os },
				annotations: {
					[NAME]: fullName({ ...name, digest: undefined }),
					[REF_NAME]: name.tag ?? "latest",
				},
			},
		],
	};
}

/** An image in an archive, and the name it has there. */
export interface Archived {
	image: Image;
	name: string | undefined;
}

/**
 * Reads an archive of one image, made here or by a tool that writes OCI layouts, and verifies every
 * digest in it.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS, E_IMAGE_DIGEST
 */
export function readArchive(archive: Buffer): Archived {
	const files = new Map(
		readTar(archive).map(({ name, bytes }) => [name, Buffer.from(bytes)]),
	);
	const index = readIndex(files.get("index.json"));
	const take = (mediaType: string, digest: Digest, what: string): Blob => {
		const bytes = files.get(blobPath(digest));
		if (bytes === undefined) throw broken(`it lacks its ${what}, ${digest}`);
		verifyDigest(bytes, digest, `the archive's ${what}`);
		return { mediaType, digest, size: bytes.length, bytes };
	};
	const { digest, annotations } = index;
	const { bytes } = take(MEDIA.manifest, digest, "manifest");
	const { config, layer } = readManifest(bytes);
	return {
		image: {
			manifest: blob(mediaTypeOf(bytes), bytes),
			config: take(config.mediaType, config.digest, "config"),
			layer: take(layer.mediaType, layer.digest, "layer"),
		},
		name: annotations?.[NAME],
	};
}

interface Entry {
	digest: Digest;
	annotations?: Record<string, string>;
}

function readIndex(bytes: Buffer | undefined): Entry {
	if (bytes === undefined) throw broken("there is no index.json in it");
	let manifests: Entry[] | undefined;
	try {
		manifests = JSON.parse(bytes.toString())?.manifests;
	} catch {}
	if (!Array.isArray(manifests)) throw broken("its index.json is not an index");
	const [entry] = manifests;
	if (manifests.length !== 1 || !isDigest(entry?.digest))
		throw broken(`it holds ${manifests.length} images, not one`);
	return entry;
}

function broken(why: string): WasieveError {
	return new WasieveError("E_IMAGE_FORMAT", `the archive is no image: ${why}`, {
		hint: "`wasieve pack` writes such archives, as do skopeo and buildah (oci-archive)",
	});
}
