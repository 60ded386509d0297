import { cpSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readArchive } from "#host/pack/archive.js";
import { readerOf, topOf, wasmImage } from "#host/pack/bundle.js";
import type { Image } from "#host/pack/image.js";
import { readImage } from "#host/pack/manifest.js";
import { finish, folder, inPlace, type Ran, wasieve } from "../cli/child.js";
import { DockerRegistry, hasRegistry } from "./docker-registry.js";
import { OVERHEAT, overheat, STUFFY } from "./modules.js";
import {
	buildah,
	hasBuildah,
	hasSkopeo,
	policy,
	skopeo,
	skopeoUnpacks,
} from "./tools.js";

const EMPTY = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** A folder with a store in it, and wasieve there: in place, a process each would take longer than what it does. */
function place() {
	const cwd = folder();
	const own = { HOME: cwd, WASIEVE_STORE: join(cwd, "store") };
	return {
		cwd,
		run: (...args: string[]) => inPlace(args, cwd, own),
		runAs: (env: Record<string, string>, ...args: string[]) =>
			inPlace(args, cwd, { ...own, ...env }),
	};
}

const ok = (ran: Omit<Ran, "signal">) => {
	expect(ran).toMatchObject({ code: 0, stderr: "" });
	return ran.stdout;
};

describe("wasieve pack", () => {
	it("makes the same archive every time, at most 10 KB more than the module", async () => {
		const { cwd, run } = place();
		const args = [
			"pack",
			OVERHEAT,
			"-t",
			"localhost:5000/overheat:1.2",
			"--param",
			"LIMIT=85",
		];
		const first = ok(await run(...args, "-o", "a.tar"));
		cpSync(OVERHEAT, join(cwd, "overheat.wasm"));
		ok(
			await run(
				"pack",
				"overheat.wasm",
				...args.slice(2),
				"-o",
				"out/b.tar",
				"--json",
			),
		);
		const [a, b] = ["a.tar", "out/b.tar"].map((name) =>
			readFileSync(join(cwd, name)),
		);
		expect(a?.equals(b as Buffer)).toBe(true);
		expect(
			statSync(join(cwd, "a.tar")).size - overheat.length,
		).toBeLessThanOrEqual(10_240);
		expect(first).toMatch(
			/^localhost:5000\/overheat:1\.2@sha256:[0-9a-f]{64}\na\.tar: \d+ bytes, \d+ more than the module\n$/,
		);
	});

	it("writes everything it is told about the module", async () => {
		const { cwd, run } = place();
		writeFileSync(join(cwd, "label.json"), '{ "rate": 1400000 }');
		ok(
			await run(
				"pack",
				OVERHEAT,
				"-t",
				"x:2",
				"-o",
				"x.tar",
				"--platform",
				"wasip1/wasm",
				"--wasm-layer",
				"--source",
				"https://git.example/x",
				"--licence",
				"MIT",
				"--performance",
				"label.json",
				"--param",
				"LIMIT=x=y",
			),
		);
		const told = JSON.parse(ok(await run("inspect", "x.tar", "--json")));
		expect(told).toMatchObject({
			platforms: ["wasip1/wasm"],
			layers: [{ mediaType: "application/wasm", size: overheat.length }],
			params: { LIMIT: "x=y" },
			annotations: {
				"org.opencontainers.image.version": "2",
				"org.opencontainers.image.source": "https://git.example/x",
				"org.opencontainers.image.licenses": "MIT",
				"io.wasieve.performance": '{"rate":1400000}',
			},
		});
		expect(ok(await run("inspect", "x.tar"))).toContain(
			"params    LIMIT=x=y\n",
		);
	});

	it("takes parameters and defaults from the module, and knows its names", async () => {
		const { run } = place();
		ok(await run("pack", OVERHEAT, "-t", "x:3", "-o", "x.tar"));
		const told = JSON.parse(ok(await run("inspect", "x.tar", "--json")));
		expect(told.params).toEqual({ LIMIT: "85" });
		expect(told.annotations["io.wasieve.params"]).toBe('{"LIMIT":"85"}');
		const wrong = await run(
			"pack",
			OVERHEAT,
			"-t",
			"x:3",
			"--param",
			"LIMTI=9",
		);
		expect(wrong.code).toBe(2);
		expect(wrong.stderr).toContain('did you mean "LIMIT"?');
	});

	it("takes the label that wasieve bench wrote beside the module, if it is of it", async () => {
		const { cwd, run } = place();
		const module = readFileSync(OVERHEAT);
		writeFileSync(join(cwd, "hot.wasm"), module);
		writeFileSync(join(cwd, "in.ndjson"), '{"temperature":91,"humidity":40}\n');
		const measure = ["--input", "in.ndjson", "--rounds", "1"];
		ok(await run("bench", "hot.wasm", ...measure, "--json", "hot.label.json"));
		const packed = ok(
			await run("pack", "hot.wasm", "-t", "x:1", "-o", "x.tar"),
		);
		expect(packed).toMatch(/\nwith label hot\.label\.json\n$/);
		const told = JSON.parse(ok(await run("inspect", "x.tar", "--json")));
		const bare = ["pack", "hot.wasm", "-t", "x:1", "-o", "y.tar", "--no-label"];
		expect(ok(await run(...bare))).not.toContain("with label");
		const without = ok(await run("inspect", "y.tar", "--json"));
		expect(JSON.parse(without).annotations).not.toHaveProperty([
			"io.wasieve.performance",
		]);
		const both = await run(...bare, "--performance", "hot.label.json");
		expect(both.stderr).toContain("--no-label does not go with --performance");
		const label = JSON.parse(told.annotations["io.wasieve.performance"]);
		expect(label.size.bytes).toBe(module.length);

		const section = [0, 2, 1, 0x78];
		writeFileSync(
			join(cwd, "hot.wasm"),
			Buffer.concat([module, Buffer.from(section)]),
		);
		const stale = await run("pack", "hot.wasm", "-t", "x:2");
		expect(stale).toMatchObject({ code: 2, stdout: "" });
		expect(stale.stderr).toContain("is of another module");
	});

	it("sends who inspects a module to check", async () => {
		const told = await place().run("inspect", OVERHEAT);
		expect(told.stderr).toBe(
			`error E_IMAGE_FORMAT: ${OVERHEAT} is a module and no image\n  hint: wasieve check ${OVERHEAT} says what it is; \`wasieve pack\` makes an image of it\n`,
		);
	});

	it.each([
		[["-t", "x:1"], 2, "E_USAGE", "MODULE is missing"],
		[[OVERHEAT], 2, "E_USAGE", "-t NAME:TAG is missing"],
		[[OVERHEAT, "-t", "X:1"], 1, "E_IMAGE_REFERENCE", "'X'"],
		[[OVERHEAT, "-t", `x@sha256:${"0".repeat(64)}`], 2, "E_USAGE", "digest"],
		[
			[OVERHEAT, "-t", "x:1", "--platform", "linux/amd64"],
			2,
			"E_USAGE",
			"wasi/wasm or wasip1/wasm",
		],
		[[OVERHEAT, "-t", "x:1", "--param", "LIMIT"], 2, "E_USAGE", "K=V"],
		[
			[OVERHEAT, "-t", "x:1", "--performance", OVERHEAT],
			2,
			"E_USAGE",
			"not JSON",
		],
		[["missing.wasm", "-t", "x:1"], 3, "E_MODULE_READ", "ENOENT"],
		[["empty.wasm", "-t", "x:1"], 3, "E_MODULE_EXPORT", "_start"],
		[
			[OVERHEAT, "-t", "x:1", "-o", "empty.wasm/x.tar"],
			1,
			"E_FILE_WRITE",
			"x.tar",
		],
	])("%j: exit code %i", async (args, exit, error, text) => {
		const { cwd, run } = place();
		writeFileSync(join(cwd, "empty.wasm"), EMPTY);
		const ran = await run("pack", ...(args as string[]));
		expect(ran).toMatchObject({ code: exit, stdout: "" });
		expect(ran.stderr).toMatch(new RegExp(`^error ${error}: .*\\n {2}hint: `));
		expect(ran.stderr).toContain(text);
	});
});

describe("other tools", () => {
	it.skipIf(!skopeoUnpacks)(
		"skopeo reads the archive in both of its forms, and the store",
		async () => {
			const { cwd, run } = place();
			ok(
				await run(
					"pack",
					OVERHEAT,
					"-t",
					"localhost:5000/overheat:1.2",
					"-o",
					"x.tar",
				),
			);
			for (const from of [
				"oci-archive:x.tar",
				"docker-archive:x.tar",
				"oci:store:localhost:5000/overheat:1.2",
			]) {
				const path = from.replace(/(x\.tar|store)/, `${cwd}/$1`);
				const seen = JSON.parse(ok(await skopeo(cwd, "inspect", path)));
				expect(seen, from).toMatchObject({
					Os: "wasi",
					Architecture: "wasm",
					Layers: [expect.any(String)],
				});
				ok(
					await skopeo(
						cwd,
						"copy",
						"--quiet",
						path,
						`dir:${join(cwd, "copy")}`,
					),
				);
			}
			ok(
				await run(
					"pack",
					OVERHEAT,
					"-t",
					"localhost:5000/overheat:1.2",
					"-o",
					"w.tar",
					"--wasm-layer",
				),
			);
			ok(
				await skopeo(
					cwd,
					"copy",
					"--quiet",
					`oci-archive:${cwd}/w.tar`,
					`dir:${join(cwd, "copy")}`,
				),
			);
		},
	);

	it.skipIf(!hasBuildah)(
		"buildah unpacks it, and what buildah builds can be read here",
		async () => {
			const { cwd, run } = place();
			ok(
				await run(
					"pack",
					OVERHEAT,
					"-t",
					"localhost:5000/overheat:1.2",
					"-o",
					"x.tar",
				),
			);
			const common = ["--signature-policy", policy(cwd)];
			const platform = ["--os", "wasi", "--arch", "wasm"];
			const pulled = await buildah(
				cwd,
				"pull",
				...common,
				...platform,
				`oci-archive:${cwd}/x.tar`,
			);
			expect(pulled.code, pulled.stderr).toBe(0);
			cpSync(OVERHEAT, join(cwd, "x.wasm"));
			writeFileSync(
				join(cwd, "Dockerfile"),
				'FROM scratch\nCOPY x.wasm /x.wasm\nENV LIMIT=90\nENTRYPOINT ["/x.wasm"]\n',
			);
			const built = await buildah(
				cwd,
				"bud",
				...common,
				...platform,
				"--pull-never",
				"-t",
				"own:1",
				cwd,
			);
			expect(built.code, built.stderr).toBe(0);
			const pushed = await buildah(
				cwd,
				"push",
				...common,
				"own:1",
				`oci-archive:${cwd}/own.tar`,
			);
			expect(pushed.code, pushed.stderr).toBe(0);
			const { bundle } = readArchive(readFileSync(join(cwd, "own.tar")));
			const image = wasmImage(topOf(bundle).digest, readerOf(bundle));
			const { module, params, platform: of } = readImage(image as Image);
			expect(module.equals(overheat)).toBe(true);
			expect({ of, ...params }).toEqual({ of: "wasi/wasm", LIMIT: "90" });
		},
	);
});

describe.skipIf(!hasRegistry)("a real registry", () => {
	let registry: DockerRegistry;
	beforeAll(async () => {
		registry = await new DockerRegistry().start();
	});
	afterAll(() => registry.remove());

	it("takes an image and gives it back, to us and to skopeo", async () => {
		const { cwd, run } = place();
		const name = `${registry.name}/line-3/overheat:1.2`;
		const packed = JSON.parse(
			ok(
				await run(
					"pack",
					OVERHEAT,
					"-t",
					name,
					"--param",
					"LIMIT=85",
					"--json",
				),
			),
		);
		const pushed = JSON.parse(ok(await run("push", name, "--json")));
		expect(pushed).toMatchObject({ name, digest: packed.digest, present: 0 });
		expect(JSON.parse(ok(await run("push", name, "--json")))).toMatchObject({
			sent: 0,
		});
		expect(ok(await run("inspect", name))).toContain(
			`digest    ${packed.digest}\nplatform  wasi/wasm\n`,
		);
		const pulled = JSON.parse(
			ok(await run("pull", name, "--store", "other", "-o", "x.wasm", "--json")),
		);
		expect(pulled).toMatchObject({
			digest: packed.digest,
			module: packed.module,
			fetched: pushed.sent,
		});
		expect(readFileSync(join(cwd, "x.wasm")).equals(overheat)).toBe(true);
		if (!hasSkopeo) return;
		const seen = await skopeo(
			cwd,
			"inspect",
			"--tls-verify=false",
			`docker://${name}`,
		);
		expect(JSON.parse(ok(seen))).toMatchObject({ Digest: packed.digest });
	});

	it("by digest gives that image even when the tag has moved", async () => {
		const { cwd, run } = place();
		const name = `${registry.name}/moving:1`;
		const old = JSON.parse(
			ok(await run("pack", OVERHEAT, "-t", name, "-o", "old.tar", "--json")),
		);
		ok(await run("push", name));
		ok(await run("pull", name, "--store", "other"));
		ok(await run("pack", STUFFY, "-t", name));
		ok(await run("push", name));
		expect(ok(await run("pull", name, "--store", "other"))).toContain(
			`, it was ${old.digest}\n`,
		);
		const exact = `${registry.name}/moving@${old.digest}`;
		ok(await run("pull", exact, "-o", "exact.tar"));
		ok(await run("pull", exact, "-o", "exact.wasm"));
		expect(readFileSync(join(cwd, "exact.wasm")).equals(overheat)).toBe(true);
		ok(await run("push", `${registry.name}/elsewhere:1`, "--from", "old.tar"));
		expect(ok(await run("inspect", `${registry.name}/elsewhere:1`))).toContain(
			old.digest,
		);
	});

	it("a layer of some MiB goes up in pieces", async () => {
		const { cwd, run } = place();
		const custom = Buffer.alloc(3_000_000, 7);
		// A custom section: id 0, its size as LEB128, a name of length 1.
		const size = custom.length + 2;
		const head = Buffer.from([
			0,
			(size & 127) | 128,
			((size >> 7) & 127) | 128,
			((size >> 14) & 127) | 128,
			size >> 21,
			1,
			120,
		]);
		writeFileSync(
			join(cwd, "big.wasm"),
			Buffer.concat([overheat, head, custom]),
		);
		const name = `${registry.name}/big:1`;
		ok(await run("pack", "big.wasm", "-t", name));
		ok(await run("push", name));
		ok(await run("pull", name, "--store", "other", "-o", "back.wasm"));
		expect(
			readFileSync(join(cwd, "back.wasm")).equals(
				readFileSync(join(cwd, "big.wasm")),
			),
		).toBe(true);
	});

	it("inspect finds what is packed and not pushed, with and without a registry", async () => {
		const { run } = place();
		for (const host of [registry.name, "127.0.0.1:1"]) {
			const name = `${host}/only-here:1`;
			ok(await run("pack", OVERHEAT, "-t", name));
			const ran = await run("inspect", name);
			expect(ran).toMatchObject({ code: 0 });
			expect(ran.stdout).toContain("platform  wasi/wasm");
			expect(ran.stderr).toMatch(/; this is what lies in .*store\n$/);
		}
	});

	it.each([
		["push", "not-packed:1", "E_IMAGE_MISSING"],
		["pull", "not-there:1", "E_IMAGE_MISSING"],
		["inspect", "not-there:1", "E_IMAGE_MISSING"],
	])("%s %s: %s", async (verb, name, error) => {
		const ran = await place().run(verb, `${registry.name}/${name}`);
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(new RegExp(`^error ${error}: .*\\n {2}hint: `));
	});
});

describe.skipIf(!hasRegistry)("a real registry with TLS and a password", () => {
	/** As `htpasswd -B` writes it: bcrypt of "s3cret". */
	const HTPASSWD =
		"me:$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG\n";
	let registry: DockerRegistry;
	beforeAll(async () => {
		registry = new DockerRegistry();
		const { folder: dir } = registry;
		const made = await finish(
			[
				"openssl",
				"req",
				"-x509",
				"-newkey",
				"ec",
				"-pkeyopt",
				"ec_paramgen_curve:prime256v1",
				"-nodes",
				"-days",
				"2",
				"-subj",
				"/CN=localhost",
				"-addext",
				"subjectAltName=DNS:localhost",
				"-keyout",
				`${dir}/key.pem`,
				"-out",
				`${dir}/cert.pem`,
			],
			{},
		);
		expect(made.code, made.stderr).toBe(0);
		writeFileSync(join(dir, "htpasswd"), HTPASSWD);
		await registry.start([
			"  tls:",
			`    certificate: ${dir}/cert.pem`,
			`    key: ${dir}/key.pem`,
			"auth:",
			`  htpasswd: { realm: edge, path: ${dir}/htpasswd }`,
		]);
	});
	afterAll(() => registry.remove());

	it("wants the authority and the password, and says which is missing", async () => {
		const { cwd, run, runAs } = place();
		const name = `${registry.name}/overheat:1.2`;
		const ca = ["--ca", join(registry.folder, "cert.pem")];
		ok(await run("pack", OVERHEAT, "-t", name));
		const stranger = await run("push", name);
		expect(stranger).toMatchObject({
			code: 1,
			stderr: expect.stringContaining("E_REGISTRY_TLS"),
		});
		const nobody = await run("push", name, ...ca);
		expect(nobody).toMatchObject({
			code: 1,
			stderr: expect.stringContaining("E_REGISTRY_AUTH"),
		});
		const auth = Buffer.from("me:s3cret").toString("base64");
		writeFileSync(
			join(cwd, "auth.json"),
			JSON.stringify({ auths: { [registry.name]: { auth } } }),
		);
		ok(await run("push", name, ...ca, "--credentials", "auth.json"));
		const env = {
			WASIEVE_STORE: join(cwd, "other"),
			WASIEVE_REGISTRY_CA: join(registry.folder, "cert.pem"),
			WASIEVE_REGISTRY_AUTH: `${registry.name}=me:s3cret`,
		};
		// As a process: TLS and the environment are the process's own.
		const real = { cwd, env: { ...env, HOME: cwd } };
		expect(await wasieve(["pull", name, "-o", "x.wasm"], real)).toMatchObject({
			code: 0,
			stderr: "",
		});
		expect(readFileSync(join(cwd, "x.wasm")).equals(overheat)).toBe(true);
		const WASIEVE_REGISTRY_AUTH = `${registry.name}=me:hunter2`;
		const wrong = { ...env, WASIEVE_REGISTRY_AUTH };
		const refused = await runAs(wrong, "inspect", name);
		expect(refused).toMatchObject({
			code: 1,
			stderr: expect.stringContaining("E_REGISTRY_AUTH"),
		});
		expect(refused.stderr).not.toContain("hunter2");
	});
});
