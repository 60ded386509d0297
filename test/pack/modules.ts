import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, type Image, type ImageOptions } from "#host/pack/image.js";
import { ROOT } from "../cli/child.js";

export const OVERHEAT = join(ROOT, "build/overheat.wasm");
export const STUFFY = join(ROOT, "build/stuffy.wasm");
export const overheat = readFileSync(OVERHEAT);

/** An image of a shipped filter. */
export function imageOf(
	module: Buffer = overheat,
	options: Partial<ImageOptions> = {},
): Image {
	return buildImage(module, {
		platform: "wasi/wasm",
		wasmLayer: false,
		title: "overheat",
		version: "1.2",
		params: { LIMIT: "85" },
		...options,
	});
}
