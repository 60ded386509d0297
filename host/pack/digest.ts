import { WasieveError } from "../errors.js";
import { type Digest, digestOf } from "../module/digest.js";

export { type Digest, digestOf } from "../module/digest.js";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Only sha256: every registry has it, and a digest becomes a file name, so nothing else may pass. */
export function isDigest(text: unknown): text is Digest {
	return typeof text === "string" && DIGEST.test(text);
}

/**
 * What a registry, an archive or a disk gave under a name must be what that name says.
 * @throws {WasieveError} E_IMAGE_DIGEST
 */
export function verifyDigest(
	bytes: Uint8Array,
	wanted: Digest,
	what: string,
): void {
	const got = digestOf(bytes);
	if (got !== wanted) throw wrongDigest(what, wanted, got);
}

export function wrongDigest(
	what: string,
	wanted: string,
	got: string,
): WasieveError {
	return new WasieveError(
		"E_IMAGE_DIGEST",
		`${what} should have the digest ${wanted} and has ${got}`,
		{ hint: "it was changed or damaged on its way: it is not used" },
	);
}
