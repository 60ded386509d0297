import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { lookAtDocker } from "#host/cli/doctor/docker.js";
import { lookAtEngines } from "#host/cli/doctor/engines.js";
import { lookAtImages } from "#host/cli/doctor/images.js";
import { lookAtShims } from "#host/cli/doctor/shims.js";
import { gatewayWith, patient, told } from "./patient.js";

interface FakeDocker {
	version?: string;
	runc?: string;
	containerdStore?: boolean;
	limitsMemory?: boolean;
	/** What `docker ps` prints, with --all and without. */
	created?: string;
	running?: string;
	/** Platforms by image. */
	images?: Record<string, string>;
}

/** A docker that says what real ones were seen to say. `inspect` of a container hangs, as it does for one that is "Created". */
function docker(fake: FakeDocker = {}): string {
	const {
		version = "28.5.2",
		runc = "1.3.3",
		containerdStore = true,
		limitsMemory = true,
		created = "",
		running = "",
		images = {},
	} = fake;
	const Components = [
		{ Name: "Engine", Version: version },
		{ Name: "containerd", Version: "v2.4.2" },
		{ Name: "runc", Version: runc },
	];
	const driver = containerdStore ? "io.containerd.snapshotter.v1" : "x";
	const info = {
		DriverStatus: [["driver-type", driver]],
		MemoryLimit: limitsMemory,
	};
	const answers = {
		"version --format {{json .}}": JSON.stringify({
			Client: { Version: "28.2.2" },
			Server: { Version: version, Components },
		}),
		"info --format {{json .}}": JSON.stringify(info),
		"ps --all --filter status=created *": created,
		"ps --filter *": running,
		"version --format {{.Server*": `${version} Engine ${version} runc ${runc}`,
		...Object.fromEntries(
			Object.entries(images).map(([image, platform]) => [
				`image inspect --format {{.Os}}/{{.Architecture}} ${image}`,
				platform,
			]),
		),
	};
	const cases = Object.entries(answers).map(([asked, answer]) => {
		const pattern = asked
			.split("*")
			.map((part) => `'${part}'`)
			.join("*");
		return `${pattern}) printf '%b\\n' '${answer.replaceAll("\n", "\\n")}';;`;
	});
	return `case "$*" in ${cases.join("\n")}
"image inspect "*) echo 'Error response from daemon: No such image' >&2; exit 1;;
*) exec sleep 60;; esac`;
}

const SHIM = gatewayWith(
	"{ docker-wasm: plant/a:1, network: container:pause }",
);
const LINUX = gatewayWith("{ docker: plant/b:1 }");

async function lookWith(
	fake: FakeDocker,
	more: { config?: string; files?: Record<string, string> } = {},
): Promise<string[]> {
	return told(lookAtDocker, { programs: { docker: docker(fake) }, ...more });
}

describe("the Docker daemon", () => {
	it("says its versions and where images lie", async () => {
		expect(await lookWith({})).toEqual([
			"ok Docker 28.5.2, containerd v2.4.2, runc 1.3.3",
			"ok images lie in containerd's store",
		]);
	});

	it("is not asked when no pipeline needs it, and not missed", async () => {
		expect(await lookWith({}, { config: gatewayWith("embedded") })).toEqual([]);
		expect(await told(lookAtDocker, {})).toEqual([]);
	});

	it("without containerd's store, memory limits", async () => {
		const fake = { containerdStore: false, limitsMemory: false };
		const store =
			/images do not lie in containerd's store.*"containerd-snapshotter": true.*\/etc\/docker\/daemon\.json/;
		const memory = "warn Docker cannot limit the memory of containers here → ";
		expect(await lookWith(fake)).toEqual([
			expect.stringMatching(/^ok/),
			expect.stringContaining(memory),
			expect.stringMatching(new RegExp(`^warn ${store.source}`)),
		]);
		expect(await lookWith(fake, { config: SHIM })).toContainEqual(
			expect.stringMatching(new RegExp(`^fail ${store.source}`)),
		);
		const linux = await lookWith(fake, { config: LINUX });
		expect(linux.join()).not.toMatch(store);
	});

	const TIME =
		/Docker asks for time namespaces since 29\.5\.0, which the Wasm shim lacks → put "features": \{"time-namespaces": false\} into (\S+), then sudo systemctl restart docker/;
	test.each<[string, FakeDocker, string | undefined, string | undefined]>([
		["28.5", {}, undefined, undefined],
		["29.4", { version: "29.4.9" }, undefined, undefined],
		["29.7, for the shim", { version: "29.7.2" }, SHIM, "fail"],
		["29.7, for nobody yet", { version: "29.7.2" }, undefined, "warn"],
		["29.7, for Linux images", { version: "29.7.2" }, LINUX, undefined],
	])("time namespaces: %s", async (_, fake, config, verdict) => {
		const found = await lookWith(fake, config === undefined ? {} : { config });
		const lines = found.filter((line) => TIME.test(line));
		expect(lines.map((line) => line.split(" ")[0])).toEqual(
			verdict === undefined ? [] : [verdict],
		);
	});

	it("knows that they are off from the file dockerd was started with", async () => {
		const files = {
			"/proc/71/comm": "dockerd\n",
			"/proc/71/cmdline":
				"/usr/bin/dockerd\0--config-file=/srv/d.json\0-H\0fd://\0",
			"/srv/d.json": '{"features":{"time-namespaces":false}}',
		};
		const fake = { version: "29.7.2" };
		expect(await lookWith(fake, { config: SHIM, files })).toContain(
			"ok time namespaces are off, as the shim needs",
		);
		const broken = { ...files, "/srv/d.json": "{" };
		expect(
			(await lookWith(fake, { config: SHIM, files: broken })).join(),
		).toMatch(TIME);
		const other = {
			"/etc/docker/daemon.json": '{"features":{"buildkit":true}}',
		};
		const found = await lookWith(fake, { config: SHIM, files: other });
		expect(TIME.exec(found.join("\n"))?.[1]).toBe("/etc/docker/daemon.json");
	});

	it("an old runc under a new Docker runs nothing at all", async () => {
		const fake = { version: "29.7.2", runc: "1.1.5" };
		expect(await lookWith(fake, { config: LINUX })).toContainEqual(
			expect.stringMatching(
				/^fail Docker asks .*, which runc 1\.1\.5 lacks → /,
			),
		);
	});

	it('containers of ours that stay "Created"', async () => {
		const created = "wasieve-a-1\t3 minutes ago";
		expect(await lookWith({ created })).toContain(
			'warn the container wasieve-a-1 stays "Created" (3 minutes ago) → docker rm --force wasieve-a-1',
		);
	});

	it("the container whose network is shared", async () => {
		const images = { "plant/a:1": "wasi/wasm" };
		expect(await lookWith({ images }, { config: SHIM })).toContainEqual(
			expect.stringMatching(
				/^fail the container pause, .*does not run → docker run -d --name pause --network none /,
			),
		);
		expect(
			await lookWith({ images, running: "pause" }, { config: SHIM }),
		).toContain("ok the container pause lends its network");
	});

	it("one that never answers does not hold anybody up", async () => {
		const begun = performance.now();
		const symptoms = { programs: { docker: "exec sleep 60" }, deadline: 300 };
		expect(await told(lookAtDocker, symptoms)).toEqual([]);
		expect(performance.now() - begun).toBeLessThan(30_000);
	});

	test.each([
		["nothing", "exit 0"],
		["rubbish", "echo '{'; exit 1"],
		["null", "echo null"],
		[
			"a daemon that is away",
			'echo \'{"Client":{},"Server":null}\'; echo "Cannot connect" >&2; exit 1',
		],
	])("%s is no daemon", async (_, script) => {
		expect(await told(lookAtDocker, { programs: { docker: script } })).toEqual(
			[],
		);
	});
});

describe("images of containers", () => {
	const LIST = "REF TYPE DIGEST SIZE PLATFORMS LABELS\\n";
	const listing = (platforms: string) =>
		`printf '${LIST}docker.io/plant/c:1 application/vnd.oci.image.manifest.v1+json sha256:0 12.5 KiB ${platforms} -\\n'`;
	const CTR = gatewayWith("{ ctr: plant/c:1 }");
	const PODMAN = gatewayWith("{ podman: plant/b:1 }");

	test.each([
		[SHIM, "plant/a:1", "wasi/wasm", /^ok plant\/a:1 is for wasi\/wasm$/],
		[
			SHIM,
			"plant/a:1",
			"wasip1/wasm",
			/^fail .* for wasip1\/wasm; docker-wasm runs wasi\/wasm → wasieve pack MODULE --platform wasi\/wasm$/,
		],
		[
			SHIM,
			"plant/a:1",
			"linux/arm64",
			/^fail .* for linux\/arm64; .* → wasieve pack/,
		],
		[LINUX, "plant/b:1", "linux/arm64", /^ok/],
		[
			LINUX,
			"plant/b:1",
			"wasi/wasm",
			/^fail .*; docker runs Linux images → wasieve pack --standalone/,
		],
		[PODMAN, "plant/b:1", "linux/arm64", /^ok/],
		[
			PODMAN,
			"plant/b:1",
			"linux/amd64",
			/^warn plant\/b:1 is for linux\/amd64, and this is arm64 → pull or build it for linux\/arm64$/,
		],
		[
			LINUX,
			"another",
			"linux/arm64",
			/^fail plant\/b:1 is not on this machine → docker pull plant\/b:1/,
		],
	])("%s: %s is for %s", async (config, image, platform, line) => {
		const fake = { images: { [image]: platform } };
		const programs = { docker: docker(fake), podman: docker(fake) };
		const found = await told(lookAtImages, { programs, config });
		expect(found).toContainEqual(expect.stringMatching(line));
	});

	test.each([
		["wasi/wasm", /^ok plant\/c:1 is for wasi\/wasm$/],
		[
			"wasip1/wasm,linux/arm/v7",
			/^ok plant\/c:1 is for wasip1\/wasm, linux\/arm\/v7$/,
		],
		[
			"linux/amd64,linux/arm64",
			/^fail .* is for linux\/amd64, linux\/arm64; the shim runs/,
		],
	])("ctr: an image for %s", async (platforms, line) => {
		const programs = { ctr: listing(platforms) };
		expect(await told(lookAtImages, { programs, config: CTR })).toEqual([
			expect.stringMatching(line),
		]);
	});

	it("ctr: one that is not here", async () => {
		const programs = { ctr: `printf '${LIST}'` };
		expect(await told(lookAtImages, { programs, config: CTR })).toEqual([
			"fail plant/c:1 is not on this machine → ctr image import --local --platform wasi/wasm IMAGE.tar",
		]);
	});

	test.each([
		["ctr", CTR, "echo 'ctr: cannot dial' >&2; exit 1", "ctr: cannot dial"],
		["docker", LINUX, "echo 'Cannot connect' >&2; exit 1", "Cannot connect"],
		// Of the half second, what was left when it was asked.
		["podman", PODMAN, "exec sleep 60", "no answer in 0(.[1-4])? s"],
	])("%s that cannot be asked", async (name, config, script, why) => {
		const symptoms = { programs: { [name]: script }, config, deadline: 500 };
		expect(await told(lookAtImages, symptoms)).toEqual([
			expect.stringMatching(
				`^fail whether plant/\\w:1 is here cannot be seen: ${why}$`,
			),
		]);
	});

	it("what is asked second has the time that the first has left", async () => {
		const programs = { slow: "exec sleep 0.3", hangs: "exec sleep 60" };
		const { run } = patient({ programs, deadline: 500 });
		await run("slow");
		expect((await run("hangs")).err).toMatch(/^no answer in 0(\.1)? s$/);
	});

	it("one that is made of the module need not be here", async () => {
		expect(await told(lookAtImages, { config: gatewayWith("docker") })).toEqual(
			[],
		);
	});
});

describe("shims", () => {
	const said =
		'printf "containerd-shim-wasmtime-v1:\\n  Version: 0.6.0\\n  Revision: eb9967aa\\n"';

	it("are looked for where dockerd looks, and say their version", async () => {
		const around = patient({
			config: SHIM,
			files: { "/proc/9/comm": "dockerd\n" },
		});
		const bin = join(around.cwd, "opt");
		mkdirSync(bin);
		mkdirSync(join(around.cwd, "proc/9"), { recursive: true });
		writeFileSync(
			join(around.cwd, "proc/9/environ"),
			`A=1\0PATH=${bin}:/x\0B=2`,
		);
		const shim = join(bin, "containerd-shim-wasmtime-v1");
		writeFileSync(shim, `#!/bin/sh\n${said}\n`);
		chmodSync(shim, 0o755);
		const list = (path: string) =>
			path === bin
				? ["containerd-shim-wasmtime-v1", "docker"]
				: around.list(path);
		const all = { ...around, list, trusts: () => true };
		expect(await lookAtShims(all)).toMatchObject([
			{ verdict: "ok", what: `${shim}, version 0.6.0` },
		]);
		// Root must run nothing that somebody else has put there.
		const notOurs = (path: string) => path !== shim;
		const [found] = await lookAtShims({ ...all, trusts: notOurs });
		expect(found?.what).toBe(`${shim}, which is another user's: it is not run`);
		const nobody = await lookAtShims({ ...all, trusts: () => false });
		expect(nobody[0]?.what).toContain("is not in the usual folders");
	});

	it("of another user are not trusted", () => {
		const { trusts, cwd } = patient({ files: { "/a": "" } });
		expect([trusts("/a"), trusts("/b")]).toEqual([true, false]);
		if (process.getuid?.() !== 0) return;
		chownSync(join(cwd, "a"), 65_534, 65_534);
		expect(trusts("/a")).toBe(false);
	});

	it("are missed only where a pipeline needs one", async () => {
		expect(await told(lookAtShims, { config: SHIM })).toEqual([
			expect.stringMatching(
				/^fail containerd-shim-wasmtime-v1 is not in the usual folders .* → install it from https:\/\/github\.com\/containerd\/runwasi\/releases/,
			),
		]);
		expect(
			await told(lookAtShims, { config: SHIM, machine: { arch: "arm" } }),
		).toEqual([expect.stringContaining("--standalone")]);
		expect(await told(lookAtShims, { config: LINUX })).toEqual([]);
		expect(await told(lookAtShims, {})).toEqual([
			"ok containerd-shim-wasmtime-v1 is not here",
		]);
	});

	it("another shim is not the one that is needed", async () => {
		const files = { "/usr/local/bin/containerd-shim-wasmedge-v1": "" };
		const found = await told(lookAtShims, { config: SHIM, files });
		expect(found).toEqual([
			"ok /usr/local/bin/containerd-shim-wasmedge-v1, which does not tell its version",
			expect.stringMatching(/^fail containerd-shim-wasmtime-v1 is not in /),
		]);
	});
});

describe("engines", () => {
	it("what is here, and what is not", async () => {
		const programs = {
			wazero: "echo v1.12.0",
			wasmtime: "echo wasmtime 50.0.3",
		};
		expect(await told(lookAtEngines, { programs })).toEqual([
			expect.stringMatching(/^ok wazero 1\.12\.0 \(.*\/bin\/wazero\)$/),
			expect.stringMatching(/^ok wasmtime 50\.0\.3 /),
			"ok not here: iwasm, wasmedge, docker, podman, docker-wasm, ctr",
		]);
	});

	it("known vulnerabilities are told, unless no pipeline uses the engine", async () => {
		const programs = { wasmtime: "echo wasmtime 41.0.0" };
		const config = gatewayWith("wasmtime");
		const flaw =
			/^warn wasmtime 41\.0\.0: .* \((CVE|GHSA)-[\w-]+\) → install a newer/;
		for (const found of [
			await told(lookAtEngines, { programs }),
			await told(lookAtEngines, { programs, config }),
		])
			expect(found[0]).toMatch(flaw);
		const unused = { programs, config: gatewayWith("embedded") };
		expect((await told(lookAtEngines, unused))[0]).toMatch(
			/^ok wasmtime 41\.0\.0 \(.*\) \(not used\)$/,
		);
	});

	test.each<[string, Record<string, string>, string | undefined, RegExp]>([
		[
			"too old, for nobody yet",
			{ wasmtime: "echo wasmtime 9.0.1" },
			undefined,
			/^warn wasmtime is version 9\.0\.1; .* → /,
		],
		[
			"too old, used",
			{ wasmtime: "echo wasmtime 9.0.1" },
			"wasmtime",
			/^fail wasmtime is version 9\.0\.1; .* → /,
		],
		[
			"too old, not used",
			{ wasmtime: "echo wasmtime 9.0.1" },
			"embedded",
			/^ok wasmtime is version 9\.0\.1; .* \(not used\)$/,
		],
		[
			"missing, used",
			{},
			"wazero",
			/^fail the engine wazero is not on PATH.* → CGO_ENABLED=0 go install/,
		],
		[
			"a command that is there",
			{ mine: "" },
			"{ command: [mine] }",
			/^ok .*\/bin\/mine$/,
		],
		[
			"a command that is not",
			{},
			"{ command: [mine] }",
			/^fail the engine mine is not (on PATH|at ).* → name a program/,
		],
		[
			"a daemon that is away",
			{
				docker: "echo; echo 'Cannot connect to the Docker daemon' >&2; exit 1",
			},
			"{ docker: x }",
			/^fail .*docker: its daemon cannot be reached → start it/,
		],
		[
			"a daemon that never answers",
			{ docker: "exec sleep 60" },
			"{ docker: x }",
			/^fail .*docker says "nothing for 0\.8 s" when asked for its version/,
		],
	])("%s", async (_, programs, engine, line) => {
		const config = engine && { config: gatewayWith(engine) };
		const deadline = 1000;
		const found = await told(lookAtEngines, { programs, deadline, ...config });
		expect(found).toContainEqual(expect.stringMatching(line));
	});
});
