import type { IncomingMessage } from "node:http";
import { asWasieveError } from "../errors.js";
import { type Bundle, topOf } from "./bundle.js";
import { type Digest, wrongDigest } from "./digest.js";
import { saidDigest } from "./download.js";
import { cut } from "./http.js";
import type { Blob } from "./image.js";
import type { RegistryReference } from "./reference.js";
import type { Registry } from "./registry.js";

/** Bytes a request; what is cut costs at most this. */
const CHUNK = 1024 * 1024;

/** What a push did. */
export interface Pushed {
	readonly digest: Digest;
	/** Bytes of blobs that were sent. */
	readonly sent: number;
	/** Bytes of blobs that the registry had. */
	readonly present: number;
}

/**
 * Sends what the registry lacks, the manifest last: a tag never points to an image that is not whole.
 * @throws {WasieveError} E_REGISTRY_*, E_IMAGE_DIGEST
 */
export async function pushImage(
	registry: Registry,
	{ repository, tag }: RegistryReference,
	bundle: Bundle,
): Promise<Pushed> {
	let sent = 0;
	let present = 0;
	for (const blob of bundle.blobs) {
		if (await hasBlob(registry, repository, blob)) present += blob.size;
		else {
			await uploadBlob(registry, repository, blob);
			sent += blob.size;
		}
	}
	const top = topOf(bundle);
	for (const manifest of bundle.manifests) {
		const name = manifest === top ? tag : undefined;
		await putManifest(registry, repository, manifest, name);
	}
	return { digest: top.digest, sent, present };
}

async function putManifest(
	registry: Registry,
	repository: string,
	{ mediaType, digest, bytes }: Blob,
	tag: string | undefined,
): Promise<void> {
	const path = `${repository}/manifests/${tag ?? digest}`;
	const answer = await registry.ask({
		method: "PUT",
		path,
		headers: { "content-type": mediaType },
		body: bytes,
	});
	if (answer.statusCode !== 201) throw await registry.unexpected(answer, path);
	answer.resume();
	verifySaid(answer, digest);
}

async function hasBlob(
	registry: Registry,
	repository: string,
	{ digest }: Blob,
): Promise<boolean> {
	const path = `${repository}/blobs/${digest}`;
	const answer = await registry.ask({ method: "HEAD", path });
	answer.resume();
	if (answer.statusCode === 200) return true;
	if (answer.statusCode === 404) return false;
	throw await registry.unexpected(answer, path);
}

/** POST begins, PATCH brings chunks, PUT ends and names the digest [distribution-spec: pushing a blob in chunks]. */
async function uploadBlob(
	registry: Registry,
	repository: string,
	{ digest, bytes }: Blob,
): Promise<void> {
	const path = `${repository}/blobs/uploads/`;
	const begun = await registry.ask({ method: "POST", path, body: NOTHING });
	if (begun.statusCode !== 202) throw await registry.unexpected(begun, path);
	begun.resume();
	let place = await registry.location(begun);
	let at = 0;
	while (bytes.length - at > CHUNK)
		({ place, at } = await sendChunk(registry, place, at, bytes));
	place.searchParams.set("digest", digest);
	const ended = await registry.ask({
		method: "PUT",
		path: place,
		headers: { "content-type": BYTES, ...rangeOf(at, bytes.length) },
		body: bytes.subarray(at),
	});
	if (ended.statusCode !== 201) throw await registry.unexpected(ended, digest);
	ended.resume();
	verifySaid(ended, digest);
}

const NOTHING = Buffer.alloc(0);
const BYTES = "application/octet-stream";

function rangeOf(at: number, end: number): Record<string, string> {
	return at === 0 ? {} : { "content-range": `${at}-${end - 1}` };
}

interface Progress {
	place: URL;
	/** The first byte that the registry does not have. */
	at: number;
}

async function sendChunk(
	registry: Registry,
	place: URL,
	at: number,
	bytes: Buffer,
): Promise<Progress> {
	const end = at + CHUNK;
	let answer: IncomingMessage;
	try {
		answer = await registry.ask({
			method: "PATCH",
			path: place,
			headers: { "content-type": BYTES, "content-range": `${at}-${end - 1}` },
			body: bytes.subarray(at, end),
		});
	} catch (thrown) {
		return continueUpload(registry, place, at, thrown);
	}
	if (answer.statusCode !== 202)
		throw await registry.unexpected(answer, "a part of the upload");
	answer.resume();
	return { place: await registry.location(answer), at: end };
}

/** Cut: the registry knows how far it got; not further than before means that it is no use. */
async function continueUpload(
	registry: Registry,
	place: URL,
	at: number,
	thrown: unknown,
): Promise<Progress> {
	const error = asWasieveError(thrown);
	if (error.code !== "E_REGISTRY_CONNECT" && error.code !== "E_REGISTRY_CUT")
		throw error;
	const answer = await registry.ask({ method: "GET", path: place });
	answer.resume();
	const [, last] =
		/^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? "") ?? [];
	const next = last === undefined ? 0 : Number(last) + 1;
	if (answer.statusCode !== 204 || next <= at) throw cut("an upload", error);
	return { place: await registry.location(answer), at: next };
}

/** A registry that says it stored something else did not store this. */
function verifySaid(answer: IncomingMessage, digest: Digest): void {
	const said = saidDigest(answer);
	if (said !== undefined && said !== digest)
		throw wrongDigest("what the registry stored", digest, said);
}
