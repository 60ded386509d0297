import { gunzipSync } from "node:zlib";
import { WasieveError } from "../errors.js";
import { type Digest, digestOf, isDigest, wrongDigest } from "./digest.js";
import {
	ANNOTATION,
	type Descriptor,
	ENTRYPOINT,
	type Image,
	MEDIA,
} from "./image.js";
import { readTar } from "./tar.js";

/** What a manifest refers to. */
export interface Manifest {
	readonly config: Descriptor;
	readonly layers: readonly Descriptor[];
	readonly annotations: Readonly<Record<string, string>>;
}

/** Most bytes a layer may unpack to: the module's own limit is checked by whoever loads it. */
const UNPACKED = 64 * 1024 * 1024;

/**
 * A manifest as it is.
 * @throws {WasieveError} E_IMAGE_FORMAT
 */
export function parseManifest(bytes: Buffer): Manifest {
	const { config, layers, annotations } = readJson(bytes, "manifest") as {
		config?: unknown;
		layers?: unknown;
		annotations?: unknown;
	};
	if (!isDescriptor(config)) throw odd("its manifest names no config");
	if (!Array.isArray(layers) || !layers.every(isDescriptor))
		throw odd("its manifest lists no layers");
	return { config, layers, annotations: texts(annotations) };
}

/**
 * The manifest of a filter's image, which has one layer.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS
 */
export function readManifest(bytes: Buffer): Manifest & { layer: Descriptor } {
	const manifest = parseManifest(bytes);
	const { length } = manifest.layers;
	const [layer] = manifest.layers;
	if (layer !== undefined && length === 1) return { ...manifest, layer };
	throw new WasieveError(
		"E_IMAGE_LAYERS",
		`the image has ${length} layers; a filter's image has one, with the module`,
		{ hint: "build it FROM scratch with one COPY, or with `wasieve pack`" },
	);
}

function isDescriptor(value: unknown): value is Descriptor {
	const { mediaType, digest, size } = (value ?? {}) as Partial<Descriptor>;
	return (
		typeof mediaType === "string" &&
		isDigest(digest) &&
		Number.isSafeInteger(size) &&
		(size as number) > 0
	);
}

/** Descriptors with a platform: a list of images, one a platform. */
export interface Platformed extends Descriptor {
	readonly platform?: {
		os?: string;
		architecture?: string;
		variant?: string;
	};
}

/**
 * What a manifest says it is; the field is optional, so its shape decides without it.
 * @throws {WasieveError} E_IMAGE_FORMAT
 */
export function mediaTypeOf(manifest: Buffer): string {
	const { mediaType, manifests } = readJson(manifest, "manifest") as {
		mediaType?: unknown;
		manifests?: unknown;
	};
	if (typeof mediaType === "string") return mediaType;
	return Array.isArray(manifests) ? MEDIA.index : MEDIA.manifest;
}

/** Whether a media type is that of a list of images. */
export function isIndex(mediaType: string): boolean {
	return mediaType === MEDIA.index || mediaType === MEDIA.dockerIndex;
}

/**
 * The images in a list of images for several platforms.
 * @throws {WasieveError} E_IMAGE_FORMAT
 */
export function manifestsOf(index: Buffer): readonly Platformed[] {
	const { manifests } = readJson(index, "index") as { manifests?: unknown };
	if (!Array.isArray(manifests) || !manifests.every(isDescriptor))
		throw odd("its index lists no manifests");
	return manifests;
}

/** "linux/arm/v7" */
export function platformName({
	platform,
}: Pick<Platformed, "platform">): string {
	const { os, architecture, variant } = platform ?? {};
	return [os, architecture, variant].filter(Boolean).join("/") || "unnamed";
}

/**
 * The WebAssembly image in a list of images for several platforms.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_PLATFORM
 */
export function chooseManifest(bytes: Buffer): Descriptor {
	const all = manifestsOf(bytes);
	const chosen = all.find(({ platform }) => platform?.architecture === "wasm");
	if (chosen) return chosen;
	throw otherPlatform(all.map(platformName).join(", "));
}

/** What an image says of itself. */
export interface Description extends Manifest {
	/** os/architecture, as the config has it. */
	readonly platform: string;
	/** Parameters and their defaults: the config's Env. */
	readonly params: Readonly<Record<string, string>>;
}

/** An image read: what it runs, and what it says of itself. */
export interface Filter extends Description {
	readonly module: Buffer;
	readonly moduleDigest: Digest;
}

/**
 * What can be told without the layer.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS
 */
export function describeImage(manifest: Buffer, config: Buffer): Description {
	const { os, architecture, variant, params } = readConfig(config);
	return {
		...parseManifest(manifest),
		platform: platformName({ platform: { os, architecture, variant } }),
		params,
	};
}

/**
 * Takes the module out of an image whose digests have been verified.
 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS, E_IMAGE_PLATFORM, E_IMAGE_DIGEST
 */
export function readImage(image: Image): Filter {
	const described = describeImage(image.manifest.bytes, image.config.bytes);
	const { platform, annotations } = described;
	if (!platform.endsWith("/wasm")) throw otherPlatform(platform);
	const { layer } = readManifest(image.manifest.bytes);
	const module =
		layer.mediaType === MEDIA.wasm
			? image.layer.bytes
			: fromRootfs(image, readConfig(image.config.bytes));
	const moduleDigest = digestOf(module);
	const said = annotations[ANNOTATION.module] ?? moduleDigest;
	if (said !== moduleDigest)
		throw wrongDigest("the module in the image", said, moduleDigest);
	return { ...described, module, moduleDigest };
}

interface Config {
	os: string;
	architecture: string;
	variant: string;
	entrypoint: string;
	params: Record<string, string>;
	diffIds: unknown[];
}

function readConfig(bytes: Buffer): Config {
	const { os, architecture, variant, config, rootfs } = readJson(
		bytes,
		"config",
	) as {
		os?: unknown;
		architecture?: unknown;
		variant?: unknown;
		config?: { Entrypoint?: unknown; Cmd?: unknown; Env?: unknown } | null;
		rootfs?: { diff_ids?: unknown };
	};
	if (typeof os !== "string" || typeof architecture !== "string")
		throw odd("its config names no platform");
	const [entrypoint = ENTRYPOINT] = [
		...list(config?.Entrypoint),
		...list(config?.Cmd),
	];
	return {
		os,
		architecture,
		variant: typeof variant === "string" ? variant : "",
		entrypoint: String(entrypoint),
		params: paramsOf(list(config?.Env)),
		diffIds: list(rootfs?.diff_ids),
	};
}

/** Builders put a PATH into every image; no filter asks for one. */
function paramsOf(env: unknown[]): Record<string, string> {
	const params: Record<string, string> = Object.create(null);
	for (const each of env) {
		const [, name, value] = /^([^=\0]+)=([^\0]*)$/s.exec(String(each)) ?? [];
		if (name === undefined || value === undefined || name === "PATH") continue;
		params[name] = value;
	}
	return params;
}

/** The entry point's file, out of the layer that the config vouches for. */
function fromRootfs({ layer }: Image, { entrypoint, diffIds }: Config): Buffer {
	const tar = unpack(layer.mediaType, layer.bytes);
	const [wanted] = diffIds;
	const got = digestOf(tar);
	if (wanted !== got) throw wrongDigest("the layer unpacked", `${wanted}`, got);
	const files = readTar(tar);
	const path = entrypoint.replace(/^(\.?\/)+/, "");
	const found = files.find(({ name }) => name === path);
	if (found) return Buffer.from(found.bytes);
	throw odd(`there is no file ${entrypoint}, which it starts, in its layer`);
}

function unpack(mediaType: string, bytes: Buffer): Buffer {
	if (mediaType === MEDIA.layer) return bytes;
	if (mediaType !== MEDIA.layerGzip && mediaType !== MEDIA.dockerLayer)
		throw odd(`its layer is of type ${mediaType}, which cannot be unpacked`);
	try {
		return gunzipSync(bytes, { maxOutputLength: UNPACKED });
	} catch (cause) {
		throw odd(
			`its layer cannot be unpacked (${(cause as NodeJS.ErrnoException).code})`,
		);
	}
}

function readJson(bytes: Buffer, what: string): object {
	try {
		const value = JSON.parse(bytes.toString());
		if (typeof value === "object" && value !== null) return value;
	} catch {}
	throw odd(`its ${what} is not a JSON object`);
}

function list(value: unknown): unknown[] {
	return Array.isArray(value) ? value : [];
}

function texts(value: unknown): Record<string, string> {
	if (typeof value !== "object" || value === null) return {};
	return Object.fromEntries(
		Object.entries(value).filter(([, each]) => typeof each === "string"),
	);
}

function odd(why: string): WasieveError {
	return new WasieveError("E_IMAGE_FORMAT", `this is no filter image: ${why}`, {
		hint: "`wasieve pack` makes filter images; docs/images.md says what is in them",
	});
}

export function otherPlatform(found: string): WasieveError {
	return new WasieveError(
		"E_IMAGE_PLATFORM",
		`the image is for ${found || "no platform"}, not for wasi/wasm or wasip1/wasm`,
		{
			hint: "`wasieve pack MODULE -t NAME:TAG` makes a Wasm image of a module",
		},
	);
}
