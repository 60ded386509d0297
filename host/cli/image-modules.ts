import type { FilterConfig, GatewayConfig } from "../config/types.js";
import type { Log } from "../contract.js";
import { readImage } from "../pack/manifest.js";
import { resolveImage } from "../pack/pull.js";
import { isImage, parseRegistryReference } from "../pack/reference.js";
import { ImageStore } from "../pack/store.js";
import { registryOf } from "./images.js";
import type { Io } from "./io.js";

/** A module that was unpacked, with the image's defaults. */
type Unpacked = Pick<FilterConfig, "module" | "params">;

/** How long a registry may take to say whether a tag has moved, ms; the gateway waits for it. */
const NEWS = 3000;

/**
 * The config with each image pulled and replaced by the file of its module, so that whoever runs modules knows nothing of
 * images. Parameters that the config does not set are the image's.
 * @throws {WasieveError} E_IMAGE_*, E_REGISTRY_*, E_FILE_WRITE when an image is neither here nor to be had
 */
export async function withImages(
	config: GatewayConfig,
	log: Log,
	env: Io["env"],
): Promise<GatewayConfig> {
	const pipelines = Object.values(config.pipelines);
	const names = pipelines
		.flatMap(({ filters }) => filters.map(({ module }) => module))
		.filter(isImage);
	const store = new ImageStore(config.images.dir);
	const unpacked = new Map<string, Unpacked>();
	for (const name of new Set(names))
		unpacked.set(name, await unpack(name, store, log, env));
	const run = (filter: FilterConfig): FilterConfig => {
		const image = unpacked.get(filter.module);
		if (image === undefined) return filter;
		const params = { ...image.params, ...filter.params };
		return { ...filter, module: image.module, params };
	};
	const replaced = pipelines.map(
		(each) => [each.name, { ...each, filters: each.filters.map(run) }] as const,
	);
	return { ...config, pipelines: Object.fromEntries(replaced) };
}

async function unpack(
	name: string,
	store: ImageStore,
	log: Log,
	env: Io["env"],
): Promise<Unpacked> {
	const reference = parseRegistryReference(name);
	const here = store.load(reference) !== undefined;
	const around = { env, cwd: process.cwd() };
	const registry = registryOf(reference, {}, around, here ? NEWS : undefined);
	const { image, notice } = await resolveImage(registry, reference, store);
	const { code, message, hint } = notice ?? {};
	if (notice) log.warn({ image: name, code, hint }, message as string);
	const filter = readImage(image);
	const { digest } = image.manifest;
	log.info({ image: name, digest }, here ? "image found" : "image pulled");
	return { module: await store.extract(filter), params: filter.params };
}
