import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundleOf } from "#host/pack/bundle.js";
import {
	credentialsFromFile,
	credentialsFromText,
} from "#host/pack/credentials.js";
import { blob, descriptor, type Image, json, MEDIA } from "#host/pack/image.js";
import { pullImage, resolveImage } from "#host/pack/pull.js";
import { parseRegistryReference } from "#host/pack/reference.js";
import { Registry, type RegistryOptions } from "#host/pack/registry.js";
import { ImageStore } from "#host/pack/store.js";
import { pushImage } from "#host/pack/upload.js";
import { folder } from "../cli/child.js";
import { cut, digestOf, FakeRegistry } from "./fake-registry.js";
import { imageOf, overheat, STUFFY } from "./modules.js";

const NOBODY: RegistryOptions = { credentials: () => undefined };
const code = (wanted: string) =>
	expect.objectContaining({ name: "WasieveError", code: wanted });

/** A fake with the image, a client for it and an empty store. */
async function fake(options = NOBODY, image = imageOf()) {
	const server = await new FakeRegistry().start();
	server.add(image, "1.2");
	const reference = parseRegistryReference(`${server.name}/line/overheat:1.2`);
	const client = () => new Registry(server.name, options);
	const store = new ImageStore(folder());
	const pull = () => pullImage(client(), reference, store);
	return { server, image, reference, client, store, pull };
}

/** An image whose layer is large enough to be cut, and to be sent in pieces. */
function large(size: number): Image {
	return imageOf(Buffer.concat([overheat, randomBytes(size)]), {
		wasmLayer: true,
	});
}

describe("pull", () => {
	test("brings an image, and the second time nothing", async () => {
		const { server, image, pull } = await fake();
		expect(await pull()).toMatchObject({
			image,
			digest: image.manifest.digest,
			fetched: image.config.size + image.layer.size,
			before: undefined,
		});
		server.asked.length = 0;
		expect(await pull()).toMatchObject({ fetched: 0, before: undefined });
		expect(server.asked.filter((each) => each.includes("/blobs/"))).toEqual([]);
	});

	test("of a changed image brings only what changed, and says what the tag was", async () => {
		const { server, image, pull } = await fake();
		await pull();
		const next = imageOf(overheat, { params: { LIMIT: "90" } });
		server.add(next, "1.2");
		expect(await pull()).toMatchObject({
			fetched: next.config.size,
			before: image.manifest.digest,
			digest: next.manifest.digest,
		});
	});

	test("continues in one run what is cut again and again", async () => {
		const { server, image, pull } = await fake(NOBODY, large(100_000));
		server.cutAfter = 30_000;
		expect(await pull()).toMatchObject({
			image,
			fetched: image.config.size + image.layer.size,
		});
		const parts = server.asked.filter((each) => each.includes("bytes="));
		expect(parts.length).toBeGreaterThanOrEqual(3);
	});

	test("continues in the next run where a dead registry left off", async () => {
		const { server, image, store, pull } = await fake(NOBODY, large(100_000));
		const { layer } = image;
		let asked = 0;
		server.intercept = (ask, answer) => {
			if (!ask.url?.endsWith(layer.digest)) return false;
			if (asked++ > 0) {
				answer.destroy();
				return true;
			}
			answer.writeHead(200, { "content-length": layer.size });
			answer.write(layer.bytes.subarray(0, 60_000), () => cut(answer));
			return true;
		};
		await expect(pull()).rejects.toThrowError(code("E_REGISTRY_CONNECT"));
		expect(existsSync(store.file(layer.digest))).toBe(false);
		expect(
			store.pinned(parseRegistryReference(`${server.name}/line/overheat:1.2`)),
		).toBeUndefined();
		const had = readFileSync(store.partFile(layer.digest)).length;
		expect(had).toBe(60_000);
		server.intercept = () => false;
		server.asked.length = 0;
		expect(await pull()).toMatchObject({ image, fetched: layer.size - had });
		expect(server.asked.at(-1)).toMatch(`bytes=${had}-`);
	});

	test("a registry without ranges is asked from the start", async () => {
		const { server, image, store, pull } = await fake(NOBODY, large(50_000));
		writeFileSync(
			store.partFile(image.layer.digest),
			"something else".repeat(99),
		);
		server.ranges = false;
		expect(await pull()).toMatchObject({ image });
	});

	test("one that stops at the same place each time is given up, with E_REGISTRY_CUT", async () => {
		const { server, pull } = await fake();
		server.cutAfter = 0;
		await expect(pull()).rejects.toThrowError(code("E_REGISTRY_CUT"));
	});

	test("half a download of other bytes is thrown away when it turns out", async () => {
		const { image, store, pull } = await fake(NOBODY, large(50_000));
		writeFileSync(store.partFile(image.layer.digest), "x".repeat(999));
		await expect(pull()).rejects.toThrowError(code("E_IMAGE_DIGEST"));
		expect(await pull()).toMatchObject({ image });
	});

	test("what was damaged on disk is fetched again", async () => {
		const { image, store, pull } = await fake();
		await pull();
		writeFileSync(store.file(image.layer.digest), "damaged");
		expect(await pull()).toMatchObject({ image, fetched: image.layer.size });
	});

	test("of an index takes the Wasm image, by digest", async () => {
		const { server, image, reference, client, store, pull } = await fake();
		const { manifest } = image;
		const other = {
			...descriptor(imageOf(overheat, { params: {} }).manifest),
			platform: { os: "linux", architecture: "amd64" },
		};
		const own = {
			...descriptor(manifest),
			platform: { os: "wasi", architecture: "wasm" },
		};
		const index = json({
			schemaVersion: 2,
			mediaType: MEDIA.index,
			manifests: [other, own],
		});
		server.tag(index, "1.2");
		expect(await pull()).toMatchObject({ image, digest: digestOf(index) });
		server.stop();
		expect(
			await resolveImage(
				client(),
				{ ...reference, digest: blob("", index).digest },
				store,
			),
		).toMatchObject({ image });
		expect(await resolveImage(client(), reference, store)).toMatchObject({
			image,
		});
	});
});

describe("a registry that lies or says no", () => {
	test.each(["layer", "config"] as const)("about the %s", async (part) => {
		const { server, image, store, pull } = await fake();
		const evil = Buffer.from(image[part].bytes);
		evil[evil.length >> 1] = (evil[evil.length >> 1] as number) ^ 1;
		server.blobs.set(image[part].digest, evil);
		await expect(pull()).rejects.toThrowError(code("E_IMAGE_DIGEST"));
		expect(existsSync(store.file(image[part].digest))).toBe(false);
	});

	test("about a manifest that was asked for by digest", async () => {
		const { server, image, client, reference, store } = await fake();
		const { digest } = image.manifest;
		server.manifests.set(
			digest,
			imageOf(overheat, { params: {} }).manifest.bytes,
		);
		await expect(
			pullImage(client(), { ...reference, digest }, store),
		).rejects.toThrowError(code("E_IMAGE_DIGEST"));
	});

	test("about the digest of a tag's manifest", async () => {
		const { server, image, pull } = await fake();
		server.intercept = (ask, answer) => {
			if (!ask.url?.includes("/manifests/")) return false;
			answer.writeHead(200, { "docker-content-digest": image.layer.digest });
			answer.end(image.manifest.bytes);
			return true;
		};
		await expect(pull()).rejects.toThrowError(code("E_IMAGE_DIGEST"));
	});

	test("by sending more than it said", async () => {
		const { server, image, store, pull } = await fake();
		server.intercept = (ask, answer) => {
			if (!ask.url?.endsWith(image.layer.digest)) return false;
			answer.writeHead(200);
			const more = () =>
				answer.writable && answer.write(Buffer.alloc(65_536), more);
			more();
			return true;
		};
		await expect(pull()).rejects.toThrowError(code("E_IMAGE_DIGEST"));
		expect(
			readFileSync(store.partFile(image.layer.digest)).length,
		).toBeLessThanOrEqual(image.layer.size);
	});

	test.each<
		[string, string, (answer: import("node:http").ServerResponse) => void]
	>([
		["404", "E_IMAGE_MISSING", (answer) => answer.writeHead(404).end()],
		["500", "E_REGISTRY_ANSWER", (answer) => answer.writeHead(500).end("boom")],
		["403", "E_REGISTRY_AUTH", (answer) => answer.writeHead(403).end()],
		[
			"a web page",
			"E_IMAGE_FORMAT",
			(answer) => answer.writeHead(200).end("<html>"),
		],
		["null", "E_IMAGE_FORMAT", (answer) => answer.writeHead(200).end("null")],
		[
			"an endless manifest",
			"E_REGISTRY_ANSWER",
			(answer) => {
				const more = () =>
					answer.writable && answer.write(Buffer.alloc(1 << 20, 32), more);
				more();
			},
		],
		[
			"half a manifest",
			"E_REGISTRY_CUT",
			(answer) => {
				answer.writeHead(200, { "content-length": 999 });
				answer.write("{", () => cut(answer));
			},
		],
		[
			"redirects in a ring",
			"E_REGISTRY_ANSWER",
			(answer) =>
				answer.writeHead(307, { location: "/v2/x/manifests/y" }).end(),
		],
		[
			"a redirect away from TLS",
			"E_REGISTRY_ANSWER",
			(answer) =>
				answer.writeHead(307, { location: "http://198.51.100.7/x" }).end(),
		],
	])("%s for a manifest: %s", async (_, wanted, respond) => {
		const { server, pull } = await fake();
		server.intercept = (ask, answer) => {
			if (!ask.url?.includes("/manifests/")) return false;
			respond(answer);
			return true;
		};
		await expect(pull()).rejects.toThrowError(code(wanted));
	});

	test("with silence", async () => {
		const { server, pull } = await fake({ ...NOBODY, timeout: 200 });
		server.intercept = (ask) => ask.url?.includes("/manifests/") === true;
		await expect(pull()).rejects.toThrowError(code("E_REGISTRY_CONNECT"));
	});

	test("in words that are fit for a terminal", async () => {
		const { server, pull } = await fake();
		server.intercept = (ask, answer) => {
			if (!ask.url?.includes("/manifests/")) return false;
			const errors = [{ code: "TEAPOT", message: "\u001b[31mred\nline" }];
			answer.writeHead(418).end(JSON.stringify({ errors }));
			return true;
		};
		await expect(pull()).rejects.toThrowError(
			/status 418 .*\(TEAPOT: \?\[31mred\?line\)/,
		);
	});
});

describe("tokens and passwords", () => {
	const ME = { user: "me", password: "s3cret" };
	const BASIC = `Basic ${Buffer.from("me:s3cret").toString("base64")}`;

	/** Asks for a token for everything below /v2/ but the root. */
	function guard(server: FakeRegistry, realm?: string): void {
		server.intercept = (ask, answer) => {
			const { authorization } = ask.headers;
			const url = new URL(ask.url ?? "", "http://fake");
			if (url.pathname === "/token") {
				expect(url.searchParams.get("scope")).toBe(
					"repository:line/overheat:pull",
				);
				expect(url.searchParams.get("service")).toBe("fake, quoted");
				if (authorization === BASIC) answer.end('{"token":"t0ken"}');
				else answer.writeHead(401).end();
				return true;
			}
			if (url.pathname === "/v2/" || authorization === "Bearer t0ken")
				return false;
			const where = realm ?? `http://${server.name}/token`;
			answer.writeHead(401, {
				"www-authenticate": `Bearer realm="${where}",service="fake, quoted",scope="repository:line/overheat:pull"`,
			});
			answer.end();
			return true;
		};
	}

	test("a token is fetched once and shown from then on", async () => {
		const { server, image, pull } = await fake({ credentials: () => ME });
		guard(server);
		expect(await pull()).toMatchObject({ image });
		expect(server.asked.filter((each) => each.includes("/token"))).toHaveLength(
			1,
		);
	});

	test.each([
		["no password", undefined],
		["another password", { user: "me", password: "hunter2" }],
	])("with %s there is no token", async (_, credentials) => {
		const { server, pull } = await fake({ credentials: () => credentials });
		guard(server);
		const refused = pull();
		await expect(refused).rejects.toThrowError(code("E_REGISTRY_AUTH"));
		await expect(refused).rejects.toThrowError(/^(?!.*hunter2)/s);
	});

	test("a password is not sent to an address without TLS", async () => {
		const { server, pull } = await fake({ credentials: () => ME });
		guard(server, "http://198.51.100.7/token");
		await expect(pull()).rejects.toThrowError(/not safe/);
	});

	test("Basic, when the registry asks for it", async () => {
		const { server, image, pull } = await fake({
			credentials: (name) => (name === server.name ? ME : undefined),
		});
		server.intercept = (ask, answer) => {
			if (ask.url === "/v2/" || ask.headers.authorization === BASIC)
				return false;
			answer.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
			return true;
		};
		expect(await pull()).toMatchObject({ image });
	});

	test.each(['Basic realm="x"', "Negotiate", ""])(
		"challenge '%s' without credentials",
		async (challenge) => {
			const { server, pull } = await fake();
			server.intercept = (ask, answer) => {
				if (ask.url === "/v2/") return false;
				answer.writeHead(401, { "www-authenticate": challenge }).end();
				return true;
			};
			await expect(pull()).rejects.toThrowError(code("E_REGISTRY_AUTH"));
		},
	);

	test("a redirect to another host does not get the token", async () => {
		const { server, image, pull } = await fake({ credentials: () => ME });
		const storage = await new FakeRegistry().start();
		storage.intercept = (_, answer) => {
			answer.end(image.layer.bytes);
			return true;
		};
		guard(server);
		const guarded = server.intercept;
		server.intercept = (ask, answer) => {
			if (guarded(ask, answer)) return true;
			if (!ask.url?.endsWith(image.layer.digest)) return false;
			answer
				.writeHead(307, {
					location: `http://${storage.name}/bucket?signature=x`,
				})
				.end();
			return true;
		};
		expect(await pull()).toMatchObject({ image });
		expect(storage.asked).toEqual(["GET /bucket?signature=x"]);
		expect(storage.shown).toEqual([undefined]);
	});

	test("credentials files are those of docker login", () => {
		const file = join(folder(), "config.json");
		const auth = Buffer.from("me:pass:word").toString("base64");
		const auths = {
			"r.example:5000": { auth },
			"https://index.docker.io/v1/": { auth },
			odd: {},
		};
		writeFileSync(file, JSON.stringify({ auths }));
		const of = credentialsFromFile(file, true);
		expect(of("r.example:5000")).toEqual({ user: "me", password: "pass:word" });
		expect(of("docker.io")).toEqual({ user: "me", password: "pass:word" });
		expect(of("r.example")).toBeUndefined();
		expect(of("constructor")).toBeUndefined();
		expect(() => of("odd")).toThrowError(code("E_REGISTRY_AUTH"));
	});

	test("one that is damaged is not quoted; one that need not be there need not be there", () => {
		const file = join(folder(), "config.json");
		expect(credentialsFromFile(file, false)("r.example")).toBeUndefined();
		expect(() => credentialsFromFile(file, true)).toThrowError(
			code("E_REGISTRY_AUTH"),
		);
		writeFileSync(file, '{"auths": hunter2');
		expect(() => credentialsFromFile(file, true)).toThrowError(
			/^(?!.*hunter2)/s,
		);
	});

	test("credentials in the environment are for one host", () => {
		const of = credentialsFromText("r.example:5000=me:a=b:c");
		expect(of("r.example:5000")).toEqual({ user: "me", password: "a=b:c" });
		expect(of("r.example")).toBeUndefined();
		expect(() => credentialsFromText("hunter2")).toThrowError(
			/^(?!.*hunter2)/s,
		);
	});
});

describe("push", () => {
	test("sends what is missing, the tag last", async () => {
		const server = await new FakeRegistry().start();
		const to = parseRegistryReference(`${server.name}/x:2`);
		const registry = new Registry(server.name, NOBODY);
		const image = imageOf();
		const all = image.config.size + image.layer.size;
		expect(await pushImage(registry, to, bundleOf(image))).toEqual({
			digest: image.manifest.digest,
			sent: all,
			present: 0,
		});
		expect(server.asked.at(-1)).toBe("PUT /v2/x/manifests/2");
		const next = imageOf(overheat, { params: { LIMIT: "90" } });
		expect(await pushImage(registry, to, bundleOf(next))).toMatchObject({
			sent: next.config.size,
			present: next.layer.size,
		});
		expect(server.manifests.get("2")?.equals(next.manifest.bytes)).toBe(true);
	});

	test("sends large layers in pieces and goes on after a cut", async () => {
		const server = await new FakeRegistry().start();
		const to = parseRegistryReference(`${server.name}/x:2`);
		const image = large(2_500_000);
		server.cutUpload = 300_000;
		await pushImage(new Registry(server.name, NOBODY), to, bundleOf(image));
		expect(
			server.blobs.get(image.layer.digest)?.equals(image.layer.bytes),
		).toBe(true);
		expect(
			server.asked.filter((each) =>
				each.startsWith("GET /v2/x/blobs/uploads/"),
			),
		).toHaveLength(1);
	});

	test.each<[string, string, number, object]>([
		["HEAD", "E_REGISTRY_ANSWER", 500, {}],
		["POST", "E_REGISTRY_AUTH", 403, {}],
		["POST", "E_REGISTRY_ANSWER", 202, {}],
		[
			"POST",
			"E_REGISTRY_ANSWER",
			202,
			{ location: "http://198.51.100.7/upload" },
		],
		["PUT", "E_REGISTRY_ANSWER", 400, {}],
		[
			"PUT",
			"E_IMAGE_DIGEST",
			201,
			{ "docker-content-digest": `sha256:${"0".repeat(64)}` },
		],
	])("%s answered wrong: %s (%i)", async (method, wanted, status, headers) => {
		const server = await new FakeRegistry().start();
		server.intercept = (ask, answer) => {
			if (ask.method !== method) return false;
			answer.writeHead(status, { ...headers }).end();
			return true;
		};
		const to = parseRegistryReference(`${server.name}/x:2`);
		await expect(
			pushImage(new Registry(server.name, NOBODY), to, bundleOf(imageOf())),
		).rejects.toThrowError(code(wanted));
		expect(server.manifests.size).toBe(0);
	});
});

describe("a gateway's image", () => {
	test("is pulled once, and then runs without the registry", async () => {
		const { server, image, reference, client, store } = await fake();
		expect(await resolveImage(client(), reference, store)).toEqual({
			image,
			notice: undefined,
		});
		expect(await resolveImage(client(), reference, store)).toEqual({
			image,
			notice: undefined,
		});
		server.stop();
		expect(await resolveImage(client(), reference, store)).toEqual({
			image,
			notice: code("E_REGISTRY_CONNECT"),
		});
	});

	test("stays the pinned one when the tag moves, and that is told", async () => {
		const { server, image, reference, client, store, pull } = await fake();
		await resolveImage(client(), reference, store);
		const next = imageOf(readFileSync(STUFFY));
		server.add(next, "1.2");
		const resolved = await resolveImage(client(), reference, store);
		expect(resolved).toEqual({ image, notice: code("E_IMAGE_MOVED") });
		expect(resolved.notice?.message).toContain(next.manifest.digest);
		expect(await pull()).toMatchObject({ before: image.manifest.digest });
		expect(await resolveImage(client(), reference, store)).toEqual({
			image: next,
			notice: undefined,
		});
	});

	test("that was damaged on disk is fetched again as what it was pinned to", async () => {
		const { server, image, reference, client, store } = await fake();
		await resolveImage(client(), reference, store);
		writeFileSync(store.file(image.layer.digest), "damaged");
		server.add(imageOf(readFileSync(STUFFY)), "1.2");
		expect(await resolveImage(client(), reference, store)).toMatchObject({
			image,
		});
	});

	test("named by digest asks nobody once it is here", async () => {
		const { server, image, reference, client, store } = await fake();
		const exact = { ...reference, digest: image.manifest.digest };
		await resolveImage(client(), exact, store);
		server.asked.length = 0;
		expect(await resolveImage(client(), exact, store)).toEqual({
			image,
			notice: undefined,
		});
		expect(server.asked).toEqual([]);
	});
});
