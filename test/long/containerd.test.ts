/** A packed module in a containerd that was started for it. npm run test:images */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finish, wasieve } from "../cli/child.js";
import { has, pathed } from "../deploy/places.js";
import { OVERHEAT } from "../pack/modules.js";

const isRoot = process.getuid?.() === 0;
const possible = has("containerd", "apt-get install containerd") && isRoot;
if (!isRoot) console.warn("skipped: containerd needs root");

describe.skipIf(!possible)("containerd", () => {
	const dir = mkdtempSync(join(tmpdir(), "wasieve-containerd-"));
	const socket = join(dir, "containerd.sock");
	const ctr = (...args: string[]) =>
		finish(["ctr", "--address", socket, ...args], { env: pathed() });
	let daemon: ChildProcess;
	let is2 = false;

	beforeAll(async () => {
		const config = join(dir, "config.toml");
		const places = `root = "${dir}/root"\nstate = "${dir}/state"`;
		writeFileSync(
			config,
			`version = 2\n${places}\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
		);
		daemon = spawn("containerd", ["--config", config], {
			env: pathed(),
			stdio: ["ignore", "ignore", "pipe"],
		});
		await booted(daemon);
		is2 = /Version: +v?2\./.test((await ctr("version")).stdout);
	}, 60_000);
	afterAll(async () => {
		daemon?.kill("SIGTERM");
		if (daemon?.exitCode === null) await once(daemon, "exit");
		rmSync(dir, { recursive: true, force: true });
	});

	test.each([
		["as a tar layer", "wasi/wasm", []],
		["for newer shims", "wasip1/wasm", ["--platform", "wasip1/wasm"]],
		["as a Wasm layer", "wasi/wasm", ["--wasm-layer"]],
	])(
		"takes a module %s, under the digest that pack told",
		async (_how, platform, more) => {
			const name = `localhost:5000/overheat:${platform.replace("/", "-")}-${more.length}`;
			const file = join(dir, "image.tar");
			const env = { WASIEVE_STORE: join(dir, "store") };
			const args = ["pack", OVERHEAT, "-t", name, "-o", file, ...more];
			const packed = await wasieve(args, { env });
			const [, digest] = /@(sha256:\w+)/.exec(packed.stdout) ?? [];
			// As docs/images.md says: containerd 2 has to be told to do it itself, 1.6 not to unpack.
			const how = is2 ? "--local" : "--no-unpack";
			const imported = await ctr(
				"image",
				"import",
				how,
				"--platform",
				platform,
				file,
			);
			expect(imported.code, imported.stderr).toBe(0);
			const { stdout } = await ctr("image", "ls", `name==${name}`);
			expect(stdout).toContain(String(digest));
		},
	);

	test("says that it found nothing when it was not told the platform", async () => {
		const imported = await ctr("image", "import", join(dir, "image.tar"));
		expect(imported.code).not.toBe(0);
		expect(imported.stderr).toContain("image might be filtered out");
	});
});

async function booted(daemon: ChildProcess): Promise<void> {
	let log = "";
	await new Promise<void>((resolve, reject) => {
		daemon.stderr?.setEncoding("utf8").on("data", (text) => {
			log += text;
			if (log.includes("successfully booted")) resolve();
		});
		daemon.on("error", reject);
		daemon.on("exit", () => reject(new Error(log)));
	});
}
