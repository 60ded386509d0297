import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readArchive } from "#host/pack/archive.js";
import { ARCHITECTURES } from "#host/pack/standalone.js";
import { readTar } from "#host/pack/tar.js";
import { finish, wasieve } from "../cli/child.js";
import { OVERHEAT } from "../pack/modules.js";
import {
	NO_DOCKER,
	socketIn,
	startDocker,
	stopDocker,
} from "./engines/daemon.js";

const READING =
	'{"device_id":"press-1","temperature":91.2,"humidity":40,"timestamp":1}\n';
const QEMU = {
	amd64: "qemu-x86_64-static",
	arm64: "qemu-aarch64-static",
	"arm/v7": "qemu-arm-static",
	riscv64: "qemu-riscv64-static",
};

const hasGo = spawnSync("go", ["version"]).status === 0;
if (!hasGo)
	console.warn("skipped: standalone images need Go (https://go.dev/dl)");
const hasQemu = spawnSync(QEMU.arm64, ["--version"]).status === 0;
if (!hasQemu)
	console.warn(
		"skipped: no machines of other kinds (apt-get install qemu-user-static)",
	);
if (NO_DOCKER) console.warn(`skipped: ${NO_DOCKER}`);

/** Go compiles itself and wazero for four machines when nothing is cached. */
const COMPILING = 900_000;
/** A daemon on a busy machine. */
const STARTING = 60_000;
const dir = mkdtempSync(join(tmpdir(), "wasieve-standalone-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(!hasGo)("standalone images", () => {
	const archive = join(dir, "x.tar");
	let plain = "";
	beforeAll(async () => {
		const env = { WASIEVE_STORE: join(dir, "store") };
		const packed = await wasieve(
			[
				"pack",
				OVERHEAT,
				"-t",
				"localhost:5000/overheat:1.2",
				"--standalone",
				"-o",
				archive,
				"--param",
				"LIMIT=85",
			],
			{ env },
		);
		expect(packed).toMatchObject({ code: 0, stderr: "" });
		plain = (
			await wasieve(["exec", OVERHEAT], {
				input: READING,
				env: { LIMIT: "85" },
			})
		).stdout;
		expect(plain).toContain("high_temperature");
	}, COMPILING);

	test("each is at most 9 MB", () => {
		const { blobs } = readArchive(readFileSync(archive)).bundle;
		const [runtimes, others] = [true, false].map((large) =>
			blobs.map(({ size }) => size).filter((size) => size > 1e6 === large),
		) as [number[], number[]];
		expect(runtimes).toHaveLength(ARCHITECTURES.length);
		// The module's layer and all four configs, of which an image has one.
		const rest = others.reduce((sum, size) => sum + size, 0);
		for (const size of runtimes) expect(size + rest).toBeLessThanOrEqual(9e6);
	});

	test("two runs make the same bytes", async () => {
		const env = { WASIEVE_STORE: join(dir, "store") };
		const again = join(dir, "again.tar");
		await wasieve(
			[
				"pack",
				OVERHEAT,
				"-t",
				"localhost:5000/overheat:1.2",
				"--standalone",
				"-o",
				again,
				"--param",
				"LIMIT=85",
			],
			{ env },
		);
		expect(readFileSync(again).equals(readFileSync(archive))).toBe(true);
	});

	test.skipIf(!hasQemu).each(ARCHITECTURES)(
		"%s gives what the embedded engine gives",
		async (architecture) => {
			const { bundle } = readArchive(readFileSync(archive));
			const runtimes = bundle.blobs.filter(({ size }) => size > 1_000_000);
			const layer = runtimes[ARCHITECTURES.indexOf(architecture)];
			const [program] = readTar(layer?.bytes as Buffer);
			const file = join(dir, architecture.replace("/", "-"));
			writeFileSync(file, program?.bytes as Uint8Array, { mode: 0o755 });
			const command = [
				QEMU[architecture],
				file,
				"run",
				"-env-inherit",
				OVERHEAT,
			];
			const ran = await finish(
				command,
				{ env: { ...process.env, LIMIT: "85" } },
				READING,
			);
			expect(ran).toMatchObject({ code: 0, stdout: plain });
		},
	);

	describe.skipIf(NO_DOCKER !== "")("under a real Docker", () => {
		let daemon: ChildProcess;
		const docker = (args: string[], input = "") =>
			finish(["docker", "--host", socketIn(dir), ...args], {}, input);
		const image = `localhost:5000/overheat:1.2-${{ x64: "amd64", arm64: "arm64", arm: "arm-v7", riscv64: "riscv64" }[process.arch as string]}`;

		beforeAll(async () => {
			daemon = await startDocker(dir);
			const loaded = await docker(["load", "-i", archive]);
			expect(loaded).toMatchObject({
				code: 0,
				stdout: expect.stringContaining(image),
			});
		}, STARTING);
		afterAll(async () => {
			await stopDocker(daemon);
		});

		test("it needs no network, no writable root and no rights, and sees the end of its input", async () => {
			const closed = [
				"--network",
				"none",
				"--read-only",
				"--cap-drop",
				"ALL",
				"--security-opt",
				"no-new-privileges",
				"--memory",
				"64m",
				"--pids-limit",
				"32",
			];
			const ran = await docker(
				["run", "--rm", "-i", ...closed, image],
				READING,
			);
			expect(ran).toMatchObject({ code: 0, stdout: plain });
		});

		test("-e sets a parameter", async () => {
			const ran = await docker(
				["run", "--rm", "-i", "--network", "none", "-e", "LIMIT=95", image],
				READING,
			);
			expect(ran).toMatchObject({ code: 0, stdout: "" });
		});
	});
});
