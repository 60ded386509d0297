import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WasieveError } from "../errors.js";
import type { Found } from "./preflight.js";
import type { Runtime } from "./runtimes/runtime.js";

/** Where a runtime finds a module. */
export interface Place {
	/** A file, or an image. */
	readonly name: string;
	/** Leaves nothing behind. */
	clear(): Promise<void>;
}

/** Puts a module into an image that the runtime then has. `once`: the image is not worth keeping. */
export type Pack = (
	module: Uint8Array,
	around: { runtime: Runtime; program: string; once: boolean },
) => Promise<Place>;

/** Puts a module where its runtime finds it. Throws E_ENGINE_START, and what `image` throws. */
export async function placeModule(
	{ bytes, once }: { bytes: Uint8Array; once: boolean },
	options: { runtime: Runtime; folder: string; image?: string | Pack },
	{ program }: Found,
): Promise<Place> {
	const { runtime, folder, image } = options;
	if (runtime.container === undefined) return file(bytes, folder);
	if (typeof image === "string") return { name: image, clear: async () => {} };
	if (image) return image(bytes, { runtime, program, once });
	throw new WasieveError("E_ENGINE_START", `${runtime.name} has no image`, {
		hint: "name one, or say who makes it",
	});
}

async function file(bytes: Uint8Array, folder: string): Promise<Place> {
	const own = await mkdtemp(join(folder, "wasieve-"));
	const name = join(own, "filter.wasm");
	await writeFile(name, bytes);
	return { name, clear: () => rm(own, { recursive: true, force: true }) };
}
