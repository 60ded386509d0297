import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../store/file.js";
import { makeFolder } from "../store/folder.js";
import { blobPath, LAYOUT, NAME, REF_NAME } from "./archive.js";
import { type Bundle, collect, topOf, wasmImage } from "./bundle.js";
import { type Digest, digestOf, isDigest } from "./digest.js";
import {
	type Descriptor,
	descriptor,
	type Image,
	json,
	MEDIA,
} from "./image.js";
import type { Filter } from "./manifest.js";
import { fullName, type Reference } from "./reference.js";

/**
 * Images on this machine: a folder that is an OCI image layout, so that skopeo can read it too.
 *
 *   oci-layout   index.json (names → manifests)   blobs/sha256/HEX   blobs/sha256/HEX.part (half a download)
 *   modules/HEX.wasm (unpacked, for a gateway)
 *
 * Bytes are verified each time they are read: what a power cut or a person damaged counts as missing and is
 * fetched again.
 */
export class ImageStore {
	constructor(readonly dir: string) {}

	/** Where a blob lies, if it is there. */
	file(digest: Digest): string {
		return join(this.dir, blobPath(digest));
	}

	/** Where a blob grows while it is downloaded. */
	partFile(digest: Digest): string {
		const file = `${this.file(digest)}.part`;
		makeFolder(dirname(file));
		return file;
	}

	/** Whether the blob is here, by name and size alone. */
	has({ digest, size }: Descriptor): boolean {
		return (
			statSync(this.file(digest), { throwIfNoEntry: false })?.size === size
		);
	}

	/** A blob's bytes; undefined when it is not here or no longer what it was: then it is removed, to be fetched again. */
	read(digest: Digest): Buffer | undefined {
		const bytes = this.peek(digest);
		if (bytes === undefined) rmSync(this.file(digest), { force: true });
		return bytes;
	}

	/** The same for who only looks. */
	peek(digest: Digest): Buffer | undefined {
		const file = this.file(digest);
		if (!existsSync(file)) return undefined;
		const bytes = readFileSync(file);
		return digestOf(bytes) === digest ? bytes : undefined;
	}

	async write(digest: Digest, bytes: Uint8Array): Promise<void> {
		if (this.read(digest) === undefined)
			await replaceFile(this.file(digest), bytes);
	}

	/** All that belongs to a name, the name last: who finds it finds the rest. */
	async add(bundle: Bundle, name: Reference): Promise<void> {
		for (const { digest, bytes } of [...bundle.blobs, ...bundle.manifests])
			await this.write(digest, bytes);
		await this.pin(name, topOf(bundle));
	}

	/**
	 * All that belongs to a name or digest; undefined unless all of it is here.
	 * @throws {WasieveError} E_IMAGE_FORMAT
	 */
	bundle(name: Reference): Bundle | undefined {
		const top = name.digest ?? this.pinned(name)?.digest;
		return top && collect(top, (digest) => this.read(digest));
	}

	/** The manifest (or index) that a name stands for here. */
	pinned(name: Reference): Descriptor | undefined {
		const wanted = fullName({ ...name, digest: undefined });
		return this.#entries().find((each) => each.annotations?.[NAME] === wanted);
	}

	async pin(name: Reference, manifest: Descriptor): Promise<void> {
		const full = fullName({ ...name, digest: undefined });
		const others = this.#entries().filter(
			(each) => each.annotations?.[NAME] !== full,
		);
		const entry = {
			...descriptor(manifest),
			annotations: { [NAME]: full, [REF_NAME]: full },
		};
		const index = {
			schemaVersion: 2,
			mediaType: MEDIA.index,
			manifests: [...others, entry],
		};
		await replaceFile(join(this.dir, "oci-layout"), LAYOUT);
		await replaceFile(join(this.dir, "index.json"), json(index));
	}

	/**
	 * The Wasm image that a name or digest stands for; undefined unless all of it is here.
	 * @throws {WasieveError} E_IMAGE_FORMAT, E_IMAGE_LAYERS, E_IMAGE_PLATFORM
	 */
	load(name: Reference): Image | undefined {
		const top = name.digest ?? this.pinned(name)?.digest;
		return top && wasmImage(top, (digest) => this.read(digest));
	}

	/** The same for who only looks. */
	find(name: Reference): Image | undefined {
		const top = name.digest ?? this.pinned(name)?.digest;
		return top && wasmImage(top, (digest) => this.peek(digest));
	}

	/** A module as a file of its own, for whoever runs files; returns its path. */
	async extract({ module, moduleDigest }: Filter): Promise<string> {
		const name = `${moduleDigest.slice("sha256:".length)}.wasm`;
		const file = join(this.dir, "modules", name);
		const there = existsSync(file) && readFileSync(file).equals(module);
		if (!there) await replaceFile(file, module);
		return file;
	}

	#entries(): Entry[] {
		const file = join(this.dir, "index.json");
		if (!existsSync(file)) return [];
		try {
			const { manifests } = JSON.parse(readFileSync(file, "utf8"));
			return manifests.filter((each: Entry) => isDigest(each?.digest));
		} catch {
			return []; // damaged: images are fetched and named again
		}
	}
}

interface Entry extends Descriptor {
	annotations?: Record<string, string>;
}
