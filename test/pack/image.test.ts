import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WasieveError } from "#host/errors.js";
import {
	type Archived,
	readArchive,
	writeArchive,
} from "#host/pack/archive.js";
import { bundleOf, readerOf, topOf, wasmImage } from "#host/pack/bundle.js";
import { blob, descriptor, type Image, json, MEDIA } from "#host/pack/image.js";
import { readImage } from "#host/pack/manifest.js";
import { parseReference } from "#host/pack/reference.js";
import { readTar, writeTar } from "#host/pack/tar.js";
import { imageOf, overheat } from "./modules.js";

const NAME = parseReference("localhost:5000/line-3/overheat:1.2");
const imageIn = ({ bundle }: Archived) =>
	wasmImage(topOf(bundle).digest, readerOf(bundle)) as Image;
const code = (wanted: string) =>
	expect.objectContaining({ name: "WasieveError", code: wanted });

describe("an image", () => {
	test.each([false, true])(
		"gives back the module (Wasm layer: %s)",
		(wasmLayer) => {
			const image = imageOf(overheat, { wasmLayer });
			const archive = writeArchive(bundleOf(image), NAME);
			const read = readArchive(archive);
			expect(read.name).toBe("localhost:5000/line-3/overheat:1.2");
			expect(read.bundle).toEqual(bundleOf(image));
			const filter = readImage(imageIn(read));
			expect(filter.module.equals(overheat)).toBe(true);
			expect({ ...filter.params }).toEqual({ LIMIT: "85" });
			expect(filter.platform).toBe("wasi/wasm");
		},
	);

	test("is the same bytes every time, and at most 10 KB more than the module", () => {
		const options = {
			source: "https://git.example/plant/filters",
			licence: "Apache-2.0 OR MIT",
			params: { LIMIT: "85", HYSTERESIS: "2.5", UNIT: "°C" },
			performance: { cpu: "N100", rate: 1_400_000, p99: 0.2, outputs: 1 },
		};
		for (const wasmLayer of [false, true]) {
			const one = writeArchive(
				bundleOf(imageOf(overheat, { ...options, wasmLayer })),
				NAME,
			);
			const two = writeArchive(
				bundleOf(imageOf(Buffer.from(overheat), { ...options, wasmLayer })),
				NAME,
			);
			expect(one.equals(two)).toBe(true);
			expect(one.length - overheat.length).toBeLessThanOrEqual(10 * 1024);
		}
	});

	test("has one manifest, a platform, annotations and nothing with a date", () => {
		const image = imageOf(overheat, {
			platform: "wasip1/wasm",
			licence: "MIT",
			performance: { rate: 1 },
		});
		expect(JSON.parse(image.config.bytes.toString())).toEqual({
			created: "1970-01-01T00:00:00Z",
			architecture: "wasm",
			os: "wasip1",
			config: { Env: ["LIMIT=85"], Entrypoint: ["/filter.wasm"] },
			rootfs: { type: "layers", diff_ids: [image.layer.digest] },
		});
		const manifest = JSON.parse(image.manifest.bytes.toString());
		expect(manifest.layers).toHaveLength(1);
		expect(manifest.annotations).toEqual({
			"org.opencontainers.image.title": "overheat",
			"org.opencontainers.image.version": "1.2",
			"org.opencontainers.image.licenses": "MIT",
			"io.wasieve.module.digest": readImage(image).moduleDigest,
			"io.wasieve.params": '{"LIMIT":"85"}',
			"io.wasieve.performance": '{"rate":1}',
		});
		const files = readTar(writeArchive(bundleOf(image), NAME));
		const index = files.find(({ name }) => name === "index.json");
		expect(
			JSON.parse(Buffer.from(index?.bytes ?? []).toString()).manifests,
		).toHaveLength(1);
	});

	test("with a Wasm layer lists no diff_ids: containerd would refuse the image", () => {
		const { config, layer } = imageOf(overheat, { wasmLayer: true });
		expect(layer.mediaType).toBe("application/wasm");
		expect(layer.bytes.equals(overheat)).toBe(true);
		expect(JSON.parse(config.bytes.toString()).rootfs.diff_ids).toEqual([]);
	});
});

/** An image with parts exchanged and the digests put right again. */
function forged(change: {
	layer?: object;
	config?: object;
	manifest?: object;
	bytes?: Buffer;
}): Image {
	const image = imageOf();
	const layer = {
		...blob(image.layer.mediaType, change.bytes ?? image.layer.bytes),
		...change.layer,
	};
	const config = blob(
		MEDIA.config,
		json({ ...JSON.parse(image.config.bytes.toString()), ...change.config }),
	);
	const manifest = blob(
		MEDIA.manifest,
		json({
			schemaVersion: 2,
			config: descriptor(config),
			layers: [descriptor(layer)],
			...change.manifest,
		}),
	);
	return { manifest, config, layer };
}

describe("images made elsewhere", () => {
	const tar = writeTar([{ name: "app/x.wasm", bytes: overheat }]);

	test.each([MEDIA.layerGzip, MEDIA.dockerLayer])(
		"a layer of type %s",
		(mediaType) => {
			const image = forged({
				layer: { mediaType },
				bytes: gzipSync(tar),
				config: {
					config: {
						Entrypoint: null,
						Cmd: ["/app/x.wasm"],
						Env: ["PATH=/bin", "LIMIT=7"],
					},
					rootfs: { diff_ids: [blob("", tar).digest] },
				},
			});
			const filter = readImage(image);
			expect(filter.module.equals(overheat)).toBe(true);
			expect({ ...filter.params }).toEqual({ LIMIT: "7" });
		},
	);

	const two = imageOf().layer;
	test.each<[string, string, Parameters<typeof forged>[0]]>([
		[
			"another platform",
			"E_IMAGE_PLATFORM",
			{ config: { os: "linux", architecture: "amd64" } },
		],
		[
			"two layers",
			"E_IMAGE_LAYERS",
			{ manifest: { layers: [descriptor(two), descriptor(two)] } },
		],
		["no layer", "E_IMAGE_LAYERS", { manifest: { layers: [] } }],
		[
			"layers that are no descriptors",
			"E_IMAGE_FORMAT",
			{ manifest: { layers: [{ digest: "sha256:../../etc/passwd" }] } },
		],
		["no config", "E_IMAGE_FORMAT", { manifest: { config: null } }],
		["a layer that is not the config's", "E_IMAGE_DIGEST", { bytes: tar }],
		[
			"an entry point that is not there",
			"E_IMAGE_FORMAT",
			{ config: { config: { Entrypoint: ["/x"] } } },
		],
		[
			"a layer that cannot be unpacked",
			"E_IMAGE_FORMAT",
			{ layer: { mediaType: "application/vnd.oci.image.layer.v1.tar+zstd" } },
		],
		[
			"a gzip layer that is none",
			"E_IMAGE_FORMAT",
			{ layer: { mediaType: MEDIA.layerGzip } },
		],
		[
			"an annotation about another module",
			"E_IMAGE_DIGEST",
			{ manifest: { annotations: { "io.wasieve.module.digest": two.digest } } },
		],
	])("%s: %s", (_, wanted, change) => {
		expect(() => readImage(forged(change))).toThrowError(code(wanted));
	});

	test("a layer that unpacks to gigabytes is not unpacked", () => {
		const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
		const image = forged({
			layer: { mediaType: MEDIA.layerGzip },
			bytes: bomb,
		});
		expect(() => readImage(image)).toThrowError(code("E_IMAGE_FORMAT"));
	});
});

describe("archives", () => {
	const archive = writeArchive(bundleOf(imageOf()), NAME);

	test("a changed byte is found, wherever it is", () => {
		const layer = imageOf().layer.bytes.subarray(0, 2048);
		const changed = Buffer.from(archive);
		const at = changed.indexOf(layer) + 1024;
		changed[at] = (changed[at] as number) ^ 1;
		expect(() => readArchive(changed)).toThrowError(code("E_IMAGE_DIGEST"));
	});

	test("whatever is done to one, it is read or refused with a code", () => {
		fc.assert(
			fc.property(
				fc.nat(archive.length - 1),
				fc.uint8Array({ minLength: 1, maxLength: 16 }),
				fc.nat(archive.length),
				(at, bytes, end) => {
					const broken = Buffer.from(archive);
					broken.set(bytes.subarray(0, broken.length - at), at);
					try {
						readImage(imageIn(readArchive(broken.subarray(0, end))));
					} catch (thrown) {
						expect(thrown).toBeInstanceOf(WasieveError);
					}
				},
			),
			{ numRuns: 300 },
		);
	});

	test.each<[string, Buffer]>([
		["nothing", Buffer.alloc(0)],
		["text", Buffer.from("no archive at all".repeat(100))],
		["a tar of something else", writeTar([{ name: "x", bytes: overheat }])],
		[
			"an index of nothing",
			writeTar([{ name: "index.json", bytes: json({ manifests: [] }) }]),
		],
		[
			"an index that is no JSON",
			writeTar([{ name: "index.json", bytes: Buffer.from("{") }]),
		],
		[
			"one without its blobs",
			writeTar([
				{
					name: "index.json",
					bytes: json({ manifests: [descriptor(imageOf().manifest)] }),
				},
			]),
		],
	])("%s is refused", (_, bytes) => {
		expect(() => readArchive(bytes)).toThrowError(code("E_IMAGE_FORMAT"));
	});
});
