import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readArchive, writeArchive } from "#host/pack/archive.js";
import { type Bundle, readerOf, topOf, wasmImage } from "#host/pack/bundle.js";
import { pullImage } from "#host/pack/pull.js";
import {
	parseReference,
	parseRegistryReference,
} from "#host/pack/reference.js";
import { Registry } from "#host/pack/registry.js";
import {
	ARCHITECTURES,
	buildStandalone,
	type Runtime,
} from "#host/pack/standalone.js";
import { ImageStore } from "#host/pack/store.js";
import { readTar } from "#host/pack/tar.js";
import { pushImage } from "#host/pack/upload.js";
import { folder, wasieve } from "../cli/child.js";
import { FakeRegistry } from "./fake-registry.js";
import { OVERHEAT, overheat, STUFFY } from "./modules.js";
import { skopeoFor, skopeoUnpacks } from "./tools.js";

const NAME = parseReference("localhost:5000/overheat:1.2");
/** Test/long has real ones; what is in them is nothing to the image. */
const RUNTIMES: Runtime[] = ARCHITECTURES.map((architecture) => ({
	architecture,
	bytes: Buffer.from(`a program for ${architecture}`),
	name: "wazero 1.12.0",
}));
const options = { title: "overheat", version: "1.2", params: { LIMIT: "85" } };
const bundle = buildStandalone(overheat, RUNTIMES, options);
const digestsOf = (of: Bundle | undefined) =>
	[...(of?.blobs ?? []), ...(of?.manifests ?? [])]
		.map(({ digest }) => digest)
		.sort();

describe("a standalone image", () => {
	test("is an index with an image a machine, the same bytes every time", () => {
		const again = buildStandalone(Buffer.from(overheat), RUNTIMES, options);
		expect(writeArchive(again, NAME).equals(writeArchive(bundle, NAME))).toBe(
			true,
		);
		const { manifests } = JSON.parse(topOf(bundle).bytes.toString());
		expect(
			manifests.map(({ platform }: { platform: object }) => platform),
		).toEqual([
			{ os: "linux", architecture: "amd64" },
			{ os: "linux", architecture: "arm64" },
			{ os: "linux", architecture: "arm", variant: "v7" },
			{ os: "linux", architecture: "riscv64" },
		]);
	});

	test("has the runtime below and the module above, runs as nobody", () => {
		const read = readerOf(bundle);
		const manifest = JSON.parse((bundle.manifests[2]?.bytes ?? "").toString());
		const files = manifest.layers.map(
			({ digest }: { digest: `sha256:${string}` }) =>
				readTar(read(digest) as Buffer)[0],
		);
		expect(files).toMatchObject([
			{ name: "wazero", mode: 0o755, bytes: RUNTIMES[2]?.bytes },
			{ name: "filter.wasm", bytes: overheat },
		]);
		const config = JSON.parse((read(manifest.config.digest) ?? "").toString());
		expect(config).toMatchObject({
			architecture: "arm",
			variant: "v7",
			os: "linux",
			config: {
				User: "65534:65534",
				Env: ["LIMIT=85"],
				Entrypoint: ["/wazero", "run", "-env-inherit", "/filter.wasm"],
			},
		});
		expect(config.rootfs.diff_ids).toEqual(
			manifest.layers.map(({ digest }: { digest: string }) => digest),
		);
	});

	test("is read back as it was written; no part may be missing", () => {
		const read = readArchive(writeArchive(bundle, NAME)).bundle;
		expect(digestsOf(read)).toEqual(digestsOf(bundle));
		const less = { ...bundle, blobs: bundle.blobs.slice(1) };
		expect(() => readArchive(writeArchive(less, NAME))).toThrowError(
			expect.objectContaining({ code: "E_IMAGE_FORMAT" }),
		);
	});

	test("goes to a registry, of a new filter only the filter", async () => {
		const server = await new FakeRegistry().start();
		const registry = new Registry(server.name, {
			credentials: () => undefined,
		});
		const to = parseRegistryReference(`${server.name}/x/overheat:1`);
		const all = bundle.blobs.reduce((sum, { size }) => sum + size, 0);
		expect(await pushImage(registry, to, bundle)).toMatchObject({
			sent: all,
			digest: topOf(bundle).digest,
		});
		expect(server.asked.at(-1)).toBe("PUT /v2/x/overheat/manifests/1");
		const next = buildStandalone(readFileSync(STUFFY), RUNTIMES, options);
		const runtimes = next.blobs.filter(({ digest }) =>
			server.blobs.has(digest),
		);
		expect(runtimes).toHaveLength(ARCHITECTURES.length);
		expect(await pushImage(registry, to, next)).toMatchObject({
			present: runtimes.reduce((sum, { size }) => sum + size, 0),
		});
	});

	test("is no module for a gateway", async () => {
		const server = await new FakeRegistry().start();
		const registry = new Registry(server.name, {
			credentials: () => undefined,
		});
		const name = parseRegistryReference(`${server.name}/x/overheat:1`);
		await pushImage(registry, name, bundle);
		await expect(
			pullImage(registry, name, new ImageStore(folder())),
		).rejects.toThrowError(/linux\/amd64, linux\/arm64, linux\/arm\/v7/);
		expect(() =>
			wasmImage(topOf(bundle).digest, readerOf(bundle)),
		).toThrowError(expect.objectContaining({ code: "E_IMAGE_PLATFORM" }));
	});

	test("lies in a store whole", async () => {
		const store = new ImageStore(folder());
		await store.add(bundle, NAME);
		expect(digestsOf(store.bundle(NAME))).toEqual(digestsOf(bundle));
	});

	test.skipIf(!skopeoUnpacks)("skopeo finds each machine's", async () => {
		const cwd = folder();
		const file = join(cwd, "x.tar");
		writeFileSync(file, writeArchive(bundle, NAME));
		for (const { architecture } of RUNTIMES) {
			const seen = await skopeoFor(
				`linux/${architecture}`,
				cwd,
				"inspect",
				`oci-archive:${file}`,
			);
			expect(seen.code, seen.stderr).toBe(0);
			expect(JSON.parse(seen.stdout)).toMatchObject({
				Os: "linux",
				Architecture: architecture.split("/")[0],
			});
		}
	});
});

describe("wasieve pack --standalone", () => {
	test.each([
		[["--arch", "amd64"], 2, "--arch is for --standalone images"],
		[
			["--standalone", "--arch", "amd64,mips"],
			2,
			"'mips' is none of amd64, arm64",
		],
		[["--standalone", "--wasm-layer"], 2, "no --platform, no --wasm-layer"],
		[["--standalone", "--arch", "amd64"], 1, "E_STANDALONE"],
	])("%j: exit code %i", async (args, code, text) => {
		const cwd = folder();
		// Nothing is on this PATH, Go neither.
		const env = { HOME: cwd, PATH: cwd };
		const ran = await wasieve(["pack", OVERHEAT, "-t", "x:1", ...args], {
			cwd,
			env,
		});
		expect(ran).toMatchObject({
			code,
			stdout: "",
			stderr: expect.stringContaining(text),
		});
	});
});
