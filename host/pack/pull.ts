import { WasieveError } from "../errors.js";
import type { Digest } from "./digest.js";
import { fetchBlob, fetchManifest, fetchText, headDigest } from "./download.js";
import { type Blob, blob, type Image } from "./image.js";
import {
	chooseManifest,
	type Description,
	describeImage,
	isIndex,
	manifestsOf,
	mediaTypeOf,
	parseManifest,
	platformName,
	readImage,
	readManifest,
} from "./manifest.js";
import { formatReference, type RegistryReference } from "./reference.js";
import type { Registry } from "./registry.js";
import type { ImageStore } from "./store.js";

/** What a pull did. */
export interface Pulled {
	readonly image: Image;
	/** What the name stands for: the manifest, or the index that lists it. */
	readonly digest: Digest;
	/** Bytes of blobs that came over the wire; those that were here did not. */
	readonly fetched: number;
	/** What the tag stood for here before, if that was something else. */
	readonly before: Digest | undefined;
}

/**
 * Brings an image into the store and pins its tag to the digest it has now. Everything below the manifest is named by
 * digest: a tag that moves meanwhile changes nothing.
 * @throws {WasieveError} E_IMAGE_*, E_REGISTRY_*, E_FILE_WRITE
 */
export async function pullImage(
	registry: Registry,
	reference: RegistryReference,
	store: ImageStore,
): Promise<Pulled> {
	const top = await manifestOf(registry, reference, store);
	const manifest = isIndex(top.mediaType)
		? await manifestOf(
				registry,
				{ ...reference, digest: chooseManifest(top.bytes).digest },
				store,
			)
		: top;
	const { config, layer } = readManifest(manifest.bytes);
	let fetched = 0;
	for (const wanted of [config, layer])
		fetched += await fetchBlob(registry, reference.repository, wanted, store);
	const image = store.load({ ...reference, digest: manifest.digest });
	if (image === undefined) throw vanished(reference);
	readImage(image); // throws unless a module can be taken out of it
	const before = reference.tag && store.pinned(reference)?.digest;
	if (reference.tag !== undefined) await store.pin(reference, top);
	return {
		image,
		digest: top.digest,
		fetched,
		before: before === top.digest ? undefined : before || undefined,
	};
}

/** What an image in a registry says of itself, and which images an index lists. */
export type Looked = Description & { digest: Digest; platforms: string[] };

/**
 * Its layers stay there, nothing is kept. Of an index the Wasm image is described, or the first if there is none.
 * @throws {WasieveError} E_IMAGE_*, E_REGISTRY_*
 */
export async function lookUp(
	registry: Registry,
	reference: RegistryReference,
): Promise<Looked> {
	const { repository } = reference;
	const top = await fetchManifest(registry, reference);
	const read = async (digest: Digest) =>
		digest === top.digest
			? top.bytes
			: (await fetchManifest(registry, { ...reference, digest })).bytes;
	return describeTop(top, read, (digest) =>
		fetchText(registry, repository, digest),
	);
}

/** The same of what lies here. */
export async function describeTop(
	top: Blob,
	manifest: (digest: Digest) => Promise<Buffer>,
	config: (digest: Digest) => Promise<Buffer>,
): Promise<Looked> {
	const listed = isIndex(top.mediaType) ? manifestsOf(top.bytes) : [];
	const wasm = listed.find(({ platform }) => platform?.architecture === "wasm");
	const { digest } = wasm ?? listed[0] ?? top;
	const bytes = await manifest(digest);
	const described = describeImage(
		bytes,
		await config(parseManifest(bytes).config.digest),
	);
	const platforms =
		listed.length > 0 ? listed.map(platformName) : [described.platform];
	return { digest: top.digest, platforms, ...described };
}

/** A manifest named by digest never changes: if it is here it need not be fetched. */
async function manifestOf(
	registry: Registry,
	reference: RegistryReference,
	store: ImageStore,
): Promise<Blob> {
	const { digest } = reference;
	const bytes = digest && store.read(digest);
	if (bytes) return blob(mediaTypeOf(bytes), bytes);
	const manifest = await fetchManifest(registry, reference);
	await store.write(manifest.digest, manifest.bytes);
	return manifest;
}

/** An image ready to run, from the store alone if it can be. */
export interface Resolved {
	readonly image: Image;
	/** Said once: why what runs may not be the newest. */
	readonly notice: WasieveError | undefined;
}

/**
 * The image for a gateway: what the reference was pinned to at its first pull, fetched only when it is not here. If the
 * tag has moved since, or the registry cannot be asked, the pinned image runs and `notice` says so (E_IMAGE_MOVED,
 * E_REGISTRY_*).
 * @throws {WasieveError} E_IMAGE_*, E_REGISTRY_*, E_FILE_WRITE
 */
export async function resolveImage(
	registry: Registry,
	reference: RegistryReference,
	store: ImageStore,
): Promise<Resolved> {
	const image = store.load(reference);
	if (image === undefined) {
		const pinned = reference.digest ?? store.pinned(reference)?.digest;
		const asked = { ...reference, digest: pinned };
		const pulled = await pullImage(registry, asked, store);
		return { image: pulled.image, notice: undefined };
	}
	if (reference.digest !== undefined) return { image, notice: undefined };
	return { image, notice: await news(registry, reference, store) };
}

async function news(
	registry: Registry,
	reference: RegistryReference,
	store: ImageStore,
): Promise<WasieveError | undefined> {
	const pinned = store.pinned(reference)?.digest;
	try {
		const now = await headDigest(registry, reference);
		if (now === undefined || now === pinned) return undefined;
		return moved(reference, pinned, now);
	} catch (thrown) {
		if (thrown instanceof WasieveError) return thrown;
		throw thrown;
	}
}

function moved(
	reference: RegistryReference,
	pinned: string | undefined,
	now: string,
): WasieveError {
	const name = formatReference(reference);
	return new WasieveError(
		"E_IMAGE_MOVED",
		`${name} was pinned to ${pinned}, which goes on running; the registry now has ${now}`,
		{
			hint: `wasieve pull ${name} --store DIR takes the new one, with images.dir of the config as DIR`,
		},
	);
}

function vanished(reference: RegistryReference): WasieveError {
	return new WasieveError(
		"E_IMAGE_DIGEST",
		`${formatReference(reference)} changed on disk while it was read`,
		{ hint: "is another program writing there? Run it again" },
	);
}
