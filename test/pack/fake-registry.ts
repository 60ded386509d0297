import { createHash } from "node:crypto";
import { once } from "node:events";
import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Image } from "#host/pack/image.js";

export const digestOf = (bytes: Uint8Array) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A registry in memory that misbehaves as it is told, and remembers what it was asked. */
export class FakeRegistry {
	readonly blobs = new Map<string, Buffer>();
	/** By tag and by digest. */
	readonly manifests = new Map<string, Buffer>();
	/** "GET /v2/… bytes=5-" in the order they came. */
	readonly asked: string[] = [];
	/** Authorization headers in the order they came. */
	readonly shown: (string | undefined)[] = [];
	/** Called first; true when it has answered. */
	intercept: (ask: IncomingMessage, answer: ServerResponse) => boolean = () =>
		false;
	/** Bytes of a blob that are sent before the connection is cut. */
	cutAfter = Number.POSITIVE_INFINITY;
	ranges = true;
	/** Bytes of an upload's PATCH that are kept before the connection is cut, once. */
	cutUpload: number | undefined;
	readonly #uploads = new Map<string, Buffer>();
	#server: Server | undefined;
	#port = 0;

	async start(): Promise<this> {
		this.#server = createServer((ask, answer) => {
			this.asked.push(
				[ask.method, ask.url, ask.headers.range].filter(Boolean).join(" "),
			);
			this.shown.push(ask.headers.authorization);
			if (!this.intercept(ask, answer)) this.#answer(ask, answer);
		});
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		this.#port = (this.#server.address() as AddressInfo).port;
		onTestFinished(() => this.stop());
		return this;
	}

	stop(): void {
		this.#server?.closeAllConnections();
		this.#server?.close();
	}

	get name(): string {
		return `127.0.0.1:${this.#port}`;
	}

	add({ manifest, config, layer }: Image, tag: string): void {
		for (const each of [config, layer]) this.blobs.set(each.digest, each.bytes);
		this.tag(manifest.bytes, tag);
	}

	tag(manifest: Buffer, tag: string): void {
		this.manifests.set(tag, manifest);
		this.manifests.set(digestOf(manifest), manifest);
	}

	#answer(ask: IncomingMessage, answer: ServerResponse): void {
		const url = new URL(ask.url ?? "", "http://fake");
		const [, kind, name] =
			/^\/v2\/.+\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(url.pathname) ??
			[];
		if (kind === "manifests" && name !== undefined)
			this.#manifest(ask, name, answer);
		else if (kind === "blobs" && name !== undefined)
			this.#blob(ask, name, answer);
		else if (kind === "blobs/uploads" && name !== undefined)
			this.#upload(ask, url, name, answer);
		else answer.writeHead(url.pathname === "/v2/" ? 200 : 404).end();
	}

	#manifest(ask: IncomingMessage, name: string, answer: ServerResponse): void {
		if (ask.method === "PUT") {
			collect(ask, (bytes) => {
				this.tag(bytes, name);
				answer
					.writeHead(201, { "docker-content-digest": digestOf(bytes) })
					.end();
			});
			return;
		}
		const bytes = this.manifests.get(name);
		if (bytes === undefined) {
			const errors = [{ code: "MANIFEST_UNKNOWN", message: "unknown" }];
			answer.writeHead(404).end(JSON.stringify({ errors }));
			return;
		}
		const { mediaType } = JSON.parse(bytes.toString());
		answer.writeHead(200, {
			"content-type": mediaType,
			"docker-content-digest": digestOf(bytes),
		});
		answer.end(ask.method === "HEAD" ? undefined : bytes);
	}

	#blob(ask: IncomingMessage, digest: string, answer: ServerResponse): void {
		const bytes = this.blobs.get(digest);
		if (bytes === undefined) {
			answer.writeHead(404).end();
			return;
		}
		const [, from] = /^bytes=(\d+)-$/.exec(ask.headers.range ?? "") ?? [];
		const at = this.ranges ? Number(from ?? 0) : 0;
		answer.writeHead(at > 0 ? 206 : 200, {
			"content-length": bytes.length - at,
			...(at > 0 && {
				"content-range": `bytes ${at}-${bytes.length - 1}/${bytes.length}`,
			}),
		});
		if (ask.method === "HEAD") answer.end();
		else if (bytes.length - at <= this.cutAfter) answer.end(bytes.subarray(at));
		else
			answer.write(bytes.subarray(at, at + this.cutAfter), () => cut(answer));
	}

	#upload(
		ask: IncomingMessage,
		url: URL,
		id: string,
		answer: ServerResponse,
	): void {
		const so_far = this.#uploads.get(id) ?? Buffer.alloc(0);
		const goOn = (status: number, size: number, place: string) =>
			answer
				.writeHead(status, {
					location: `/v2/x/blobs/uploads/${place}?state=${size}`,
					range: `0-${Math.max(size - 1, 0)}`,
				})
				.end();
		if (ask.method === "POST")
			return void goOn(202, 0, String(this.#uploads.size + 1));
		if (ask.method === "GET") return void goOn(204, so_far.length, id);
		collect(ask, (bytes) => {
			if (ask.method === "PATCH" && this.cutUpload !== undefined) {
				this.#uploads.set(
					id,
					Buffer.concat([so_far, bytes.subarray(0, this.cutUpload)]),
				);
				this.cutUpload = undefined;
				answer.destroy();
				return;
			}
			const all = Buffer.concat([so_far, bytes]);
			this.#uploads.set(id, all);
			if (ask.method === "PATCH") return goOn(202, all.length, id);
			const digest = url.searchParams.get("digest") ?? "";
			if (digest !== digestOf(all)) return answer.writeHead(400).end();
			this.blobs.set(digest, all);
			answer.writeHead(201, { "docker-content-digest": digest }).end();
		});
	}
}

/** Ends the connection in the middle of an answer, after what was written has left. */
export function cut(answer: ServerResponse): void {
	answer.socket?.destroySoon();
}

function collect(ask: IncomingMessage, done: (bytes: Buffer) => void): void {
	const parts: Buffer[] = [];
	ask.on("data", (part) => parts.push(part));
	ask.on("end", () => done(Buffer.concat(parts)));
}
