import { createHash } from "node:crypto";
import {
	closeSync,
	createReadStream,
	fdatasyncSync,
	openSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { WasieveError } from "../errors.js";
import { notWritten } from "../store/file.js";
import { type Digest, digestOf, verifyDigest, wrongDigest } from "./digest.js";
import { cut, readAll } from "./http.js";
import { type Blob, blob, type Descriptor, MEDIA } from "./image.js";
import { mediaTypeOf } from "./manifest.js";
import { formatReference, type RegistryReference } from "./reference.js";
import type { Registry } from "./registry.js";
import type { ImageStore } from "./store.js";

const MANIFESTS = [
	MEDIA.manifest,
	MEDIA.index,
	MEDIA.dockerManifest,
	MEDIA.dockerIndex,
].join(", ");

/** Most bytes that a filter's image may make this machine download in one piece. */
const BLOB = 64 * 1024 * 1024;

/**
 * The manifest that a tag or digest names, verified against the digest and against what the registry itself
 * says the digest is.
 * @throws {WasieveError} E_IMAGE_MISSING, E_IMAGE_DIGEST, E_REGISTRY_*
 */
export async function fetchManifest(
	registry: Registry,
	reference: RegistryReference,
): Promise<Blob> {
	const name = formatReference(reference);
	const answer = await askForManifest(registry, reference, "GET");
	const bytes = await readAll(answer);
	const digest = digestOf(bytes);
	const said = saidDigest(answer) ?? digest;
	for (const wanted of [reference.digest, said])
		if (wanted !== undefined && wanted !== digest)
			throw wrongDigest(`the manifest of ${name}`, wanted, digest);
	return blob(mediaTypeOf(bytes), bytes);
}

/** What a tag stands for now, in one small question; undefined when the registry does not say. */
export async function headDigest(
	registry: Registry,
	reference: RegistryReference,
): Promise<string | undefined> {
	const answer = await askForManifest(registry, reference, "HEAD");
	answer.resume();
	return saidDigest(answer);
}

/** What a registry itself says the digest is. */
export function saidDigest({ headers }: IncomingMessage): string | undefined {
	const said = headers["docker-content-digest"];
	return typeof said === "string" ? said : undefined;
}

async function askForManifest(
	registry: Registry,
	reference: RegistryReference,
	method: "GET" | "HEAD",
): Promise<IncomingMessage> {
	const { repository, tag, digest } = reference;
	const answer = await registry.ask({
		method,
		path: `${repository}/manifests/${digest ?? tag}`,
		headers: { accept: MANIFESTS },
	});
	if (answer.statusCode === 200) return answer;
	const name = formatReference(reference);
	if (answer.statusCode !== 404) throw await registry.unexpected(answer, name);
	answer.resume();
	throw new WasieveError("E_IMAGE_MISSING", `there is no image ${name}`, {
		hint: "check name and tag; `wasieve push` puts an image there",
	});
}

/**
 * Puts a blob into the store, continuing a download that was cut. As long as an attempt brings bytes there is
 * another one. Resolves with the bytes that came over the wire.
 * @throws {WasieveError} E_REGISTRY_CUT, E_IMAGE_DIGEST, E_IMAGE_MISSING, E_FILE_WRITE, E_REGISTRY_*
 */
export async function fetchBlob(
	registry: Registry,
	repository: string,
	wanted: Descriptor,
	store: ImageStore,
): Promise<number> {
	if (store.read(wanted.digest) !== undefined) return 0;
	refuseLarge(wanted);
	const part = store.partFile(wanted.digest);
	let came = 0;
	for (let at = sizeOf(part); at !== wanted.size; at = sizeOf(part)) {
		const before = came;
		try {
			const begins = at < wanted.size ? at : 0;
			came += await continueAt(begins, part, registry, repository, wanted);
		} catch (thrown) {
			const grown = sizeOf(part) - at;
			if (!(thrown instanceof Cut)) throw thrown;
			if (grown <= 0) throw thrown.error;
			came = before + grown;
		}
	}
	await accept(part, wanted, store);
	return came;
}

/**
 * A small blob, verified and kept nowhere.
 * @throws {WasieveError} E_IMAGE_DIGEST, E_IMAGE_MISSING, E_REGISTRY_*
 */
export async function fetchText(
	registry: Registry,
	repository: string,
	digest: Digest,
): Promise<Buffer> {
	const path = `${repository}/blobs/${digest}`;
	const answer = await registry.ask({ method: "GET", path });
	if (answer.statusCode !== 200) throw await refusal(registry, answer, digest);
	const bytes = await readAll(answer);
	verifyDigest(bytes, digest, "the blob that the registry sent");
	return bytes;
}

/** The connection ended in the middle: worth another attempt if it brought something. */
class Cut extends Error {
	constructor(readonly error: WasieveError) {
		super(error.message);
	}
}

function refuseLarge({ digest, size }: Descriptor): void {
	if (size <= BLOB) return;
	throw new WasieveError(
		"E_IMAGE_FORMAT",
		`the image wants ${size} bytes for ${digest}; a filter has a few thousand`,
		{ hint: "is this the image of a filter?" },
	);
}

function sizeOf(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

async function continueAt(
	at: number,
	part: string,
	registry: Registry,
	repository: string,
	{ digest, size }: Descriptor,
): Promise<number> {
	const answer = await registry.ask({
		method: "GET",
		path: `${repository}/blobs/${digest}`,
		headers: at > 0 ? { range: `bytes=${at}-` } : {},
	});
	const { statusCode } = answer;
	if (statusCode !== 200 && statusCode !== 206)
		throw await refusal(registry, answer, digest);
	const continues =
		statusCode === 206 &&
		answer.headers["content-range"]?.startsWith(`bytes ${at}-`) === true;
	if (statusCode === 206 && !continues)
		throw registry.wrongAnswer(
			`it sent another part of ${digest} than asked for`,
		);
	return save(answer, openPart(part, continues), {
		digest,
		size: continues ? size - at : size,
	});
}

function openPart(part: string, append: boolean): number {
	try {
		return openSync(part, append ? "a" : "w");
	} catch (cause) {
		throw notWritten(part, cause);
	}
}

async function refusal(
	registry: Registry,
	answer: IncomingMessage,
	digest: Digest,
): Promise<WasieveError> {
	if (answer.statusCode !== 404) return registry.unexpected(answer, digest);
	answer.resume();
	return new WasieveError(
		"E_IMAGE_MISSING",
		`the registry ${registry.name} has the manifest but not ${digest}, which it names`,
		{ hint: "push the image again" },
	);
}

/**
 * At most `size` bytes: a registry that sends without end does not fill the disk. Written as they come, in
 * the event: a stream that breaks forgets what it had buffered, and a filter is no longer than such a buffer.
 */
async function save(
	answer: IncomingMessage,
	file: number,
	{ digest, size }: Pick<Descriptor, "digest" | "size">,
): Promise<number> {
	let came = 0;
	const take = (bytes: Buffer) => {
		const taken = bytes.subarray(0, size - came);
		writeFileSync(file, taken);
		came += taken.length;
		if (taken.length < bytes.length)
			throw wrongDigest("the blob", digest, "more bytes");
	};
	try {
		await drain(answer, take);
		if (came < size) throw new Error("it sent less than it has");
		fdatasyncSync(file);
		return came;
	} catch (cause) {
		if (cause instanceof WasieveError) throw cause;
		if ((cause as NodeJS.ErrnoException).syscall === "write")
			throw notWritten(digest, cause);
		throw new Cut(cut(digest, cause));
	} finally {
		closeSync(file);
	}
}

function drain(
	answer: IncomingMessage,
	take: (bytes: Buffer) => void,
): Promise<void> {
	return new Promise((resolve, reject) => {
		answer.on("data", (bytes) => {
			try {
				take(bytes);
			} catch (thrown) {
				answer.removeAllListeners("data").destroy();
				reject(thrown);
			}
		});
		answer.on("end", resolve);
		answer.on("error", reject);
	});
}

/** Whole: from now on it has its name, unless it is something else. */
async function accept(
	part: string,
	{ digest }: Descriptor,
	store: ImageStore,
): Promise<void> {
	const hash = createHash("sha256");
	for await (const bytes of createReadStream(part)) hash.update(bytes);
	const got = `sha256:${hash.digest("hex")}`;
	if (got === digest) return rename(part, store.file(digest));
	await rm(part, { force: true });
	throw wrongDigest("the blob that the registry sent", digest, got);
}
