import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asWasieveError, WasieveError } from "../errors.js";
import type { Found } from "./preflight.js";
import type { Runtime } from "./runtimes/runtime.js";
import { clearLeftovers, makeScratch } from "./scratch.js";

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

/** Puts a module where its runtime finds it. Throws E_ENGINE_START, E_FILE_WRITE, and what `image` throws. */
export async function placeModule(
	{ bytes, once }: { bytes: Uint8Array; once: boolean },
	options: { runtime: Runtime; folder: string; image?: string | Pack },
	{ program }: Found,
): Promise<Place> {
	const { runtime, folder, image } = options;
	if (runtime.container === undefined)
		return temporaryFile(folder, "filter.wasm", bytes);
	if (typeof image === "string") return { name: image, clear: async () => {} };
	if (image) return image(bytes, { runtime, program, once });
	throw new WasieveError("E_ENGINE_START", `${runtime.name} has no image`, {
		hint: "name one, or say who makes it",
	});
}

const cleared = new Set<string>();

/** What a process that was killed left behind is removed by the next one that puts something there. */
async function clearOnce(parent: string): Promise<void> {
	if (cleared.has(parent)) return;
	cleared.add(parent);
	await clearLeftovers(parent);
}

/** A file for another program, in a folder of its own below `parent`. Throws E_FILE_WRITE, and nothing is left then. */
export async function temporaryFile(
	parent: string,
	name: string,
	bytes: Uint8Array,
): Promise<Place> {
	let own: string | undefined;
	const clear = async () => {
		if (own) await rm(own, { recursive: true, force: true });
	};
	try {
		await clearOnce(parent);
		own = await makeScratch(parent);
		await writeFile(join(own, name), bytes);
		return { name: join(own, name), clear };
	} catch (cause) {
		await clear();
		const { message } = asWasieveError(cause);
		throw new WasieveError("E_FILE_WRITE", `${parent}: ${message}`, {
			hint: "TMPDIR names the folder: is there room, and may this user write there?",
			cause,
		});
	}
}
