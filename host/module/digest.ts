import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

/** "sha256:" and 64 hexadecimal digits: the name of bytes, in an image and in a registry. */
export type Digest = `sha256:${string}`;

/**
 * node:crypto is loaded with the first digest: it costs a start 4 ms and 1 MiB, and a gateway without
 * TLS and images needs none.
 */
export function digestOf(bytes: Uint8Array): Digest {
	const { createHash } = load("node:crypto") as typeof import("node:crypto");
	return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
