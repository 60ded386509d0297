import { WasieveError } from "../errors.js";
import { type Bundle, collect, readerOf, topOf } from "./bundle.js";
import { type Digest, isDigest, verifyDigest } from "./digest.js";
import { type Blob, descriptor, json, MEDIA } from "./image.js";
import { isIndex, parseManifest } from "./manifest.js";
import { formatReference, fullName, type Reference } from "./reference.js";
import { readTar, writeTar } from "./tar.js";

/**
 * One file that is two things: an OCI image layout (oci-layout, index.json, blobs/) and a `docker save`
 * archive (manifest.json that points to the same blobs). A name stands for exactly one manifest or index, so
 * every loader picks the same one.
 */
export function writeArchive(bundle: Bundle, name: Reference): Buffer {
	const blobs = [...bundle.manifests, ...bundle.blobs]
		.map(({ digest, bytes }) => ({ name: blobPath(digest), bytes }))
		.sort((a, b) => (a.name < b.name ? -1 : 1));
	return writeTar([
		...blobs,
		{ name: "index.json", bytes: json(indexOf(bundle, name)) },
		{ name: "manifest.json", bytes: json(dockerManifests(bundle, name)) },
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
function indexOf(bundle: Bundle, name: Reference): object {
	const top = topOf(bundle);
	const single = bundle.manifests.length === 1;
	return {
		schemaVersion: 2,
		mediaType: MEDIA.index,
		manifests: [
			{
				...descriptor(top),
				...(single && { platform: platformOf(top, bundle) }),
				annotations: {
					[NAME]: fullName({ ...name, digest: undefined }),
					[REF_NAME]: name.tag ?? "latest",
				},
			},
		],
	};
}

/** Docker's older form knows no index: of several images each gets its platform behind the tag. */
function dockerManifests(bundle: Bundle, name: Reference): object[] {
	const images = bundle.manifests.filter((each) => !isIndex(each.mediaType));
	return images.map((manifest) => {
		const { config, layers } = parseManifest(manifest.bytes);
		const { architecture, variant } = platformOf(manifest, bundle);
		const suffix = [architecture, variant].filter(Boolean).join("-");
		const tag = images.length === 1 ? name.tag : `${name.tag}-${suffix}`;
		return {
			Config: blobPath(config.digest),
			RepoTags: [formatReference({ ...name, tag, digest: undefined })],
			Layers: layers.map(({ digest }) => blobPath(digest)),
		};
	});
}

function platformOf(manifest: Blob, bundle: Bundle): Record<string, string> {
	const { digest } = parseManifest(manifest.bytes).config;
	const config = readerOf(bundle)(digest) as Buffer;
	const { architecture, os, variant } = JSON.parse(config.toString());
	return { architecture, os, ...(variant && { variant }) };
}

/** What is in an archive, and the name it has there. */
export interface Archived {
	bundle: Bundle;
	name: string | undefined;
}

/**
 * Reads an archive of one name, made here or by a tool that writes OCI layouts, and verifies every
 * digest in it.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_DIGEST
 */
export function readArchive(archive: Buffer): Archived {
	const files = new Map(
		readTar(archive).map(({ name, bytes }) => [name, Buffer.from(bytes)]),
	);
	const { digest, annotations } = readIndex(files.get("index.json"));
	const bundle = collect(digest, (wanted) => {
		const bytes = files.get(blobPath(wanted));
		if (bytes === undefined) throw broken(`it lacks ${wanted}`);
		verifyDigest(bytes, wanted, "a part of the archive");
		return bytes;
	}) as Bundle;
	return { bundle, name: annotations?.[NAME] };
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
