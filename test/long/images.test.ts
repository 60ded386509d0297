/**
 * The Dockerfile, executed: buildah makes each target with base images made here, and a real Docker runs the gateway's.
 * npm run test:images
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finish, ROOT, wasieve } from "../cli/child.js";
import { client, inbox, reading } from "../e2e/clients.js";
import { hasMosquitto, Mosquitto } from "../mqtt/mosquitto.js";
import { OVERHEAT } from "../pack/modules.js";
import { hasBuildah } from "../pack/tools.js";
import { commandFor, PROCESSORS } from "./emulated.js";
import {
	NO_DOCKER,
	socketIn,
	startDocker,
	stopDocker,
} from "./engines/daemon.js";
import { goRoot, missing, mqttRoot, nodeRoot } from "./images/bases.js";
import { Builder, NATIVE } from "./images/builder.js";

if (NO_DOCKER) console.warn(`skipped: ${NO_DOCKER}`);
const absent = missing();
if (absent) console.warn(`skipped: images need ${absent}`);
const possible = hasBuildah && absent === undefined;
const hasGo = spawnSync("go", ["version"]).status === 0;
if (!hasGo) console.warn("skipped: standalone and piped images need Go");
const hasClients = existsSync("/usr/bin/mosquitto_sub");
if (!hasClients)
	console.warn("skipped: piped images (apt-get install mosquitto-clients)");

/** Compilers and packages are fetched, and Go compiles itself. */
const BUILDING = 900_000;

/** Before 1.30 buildah forgets what the image is for after a stage that is for the builder: the last stage says it again. */
function spelledOut(dir: string, platform: string): string {
	// biome-ignore lint/suspicious/noTemplateCurlyInString: an argument of the Dockerfile
	const last = "FROM ${NODE_IMAGE} AS gateway";
	const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
	expect(text).toContain(last);
	const file = join(dir, "Dockerfile");
	const said = last.replace("FROM", `FROM --platform=${platform}`);
	writeFileSync(
		file,
		text.replace(last, () => said),
	);
	return file;
}

describe.skipIf(!possible)("images of the Dockerfile", () => {
	const dir = mkdtempSync(join(tmpdir(), "wasieve-images-"));
	const builder = new Builder(dir);
	let NODE_IMAGE = "";
	beforeAll(async () => {
		NODE_IMAGE = await builder.base("node:22", nodeRoot);
	}, BUILDING);
	afterAll(async () => {
		await builder.try("rm", "--all");
		await builder.try("rmi", "--all", "--force");
		rmSync(dir, { recursive: true, force: true });
	}, BUILDING);

	test("filter: a wasi/wasm image with the module and nothing else", async () => {
		const image = await builder.build("filter", "wasi/wasm", { NODE_IMAGE });
		const file = await builder.save(
			image,
			"oci-archive",
			join(dir, "filter.tar"),
		);
		const told = await wasieve(["inspect", file, "--json"]);
		expect(JSON.parse(told.stdout)).toMatchObject({
			platforms: ["wasi/wasm"],
			layers: [{}],
		});
		// As a registry would hand it to a gateway: the module is the very one that `npm run build` makes.
		const container = await builder.run("from", "--pull-never", image);
		const root = await builder.run("mount", container);
		const same = await finish(["cmp", join(root, "filter.wasm"), OVERHEAT], {});
		expect(same).toMatchObject({ code: 0, stdout: "" });
		console.info(`filter: ${await builder.size(image)} bytes`);
	});

	describe("gateway", () => {
		let image = "";
		let daemon: ChildProcess | undefined;
		const docker = (args: string[]) =>
			finish(["docker", "--host", socketIn(dir), ...args], {});
		const broker = new Mosquitto();
		const name = "localhost/gateway:1";
		const log = async () => (await docker(["logs", "gw"])).stderr;
		/** Docker tells what became of the container; asked again until it is so. */
		const until = async (format: string, wanted: string) => {
			const seen = await docker(["inspect", "--format", format, "gw"]);
			if (seen.stdout.trim() !== wanted) await until(format, wanted);
		};

		beforeAll(async () => {
			const docked = ["--format", "docker"]; // or HEALTHCHECK gets lost
			const bases = { NODE_IMAGE };
			image = await builder.build("gateway", NATIVE, bases, ...docked);
			await broker.start();
			if (NO_DOCKER) return;
			daemon = await startDocker(dir);
			const file = join(dir, "gateway.tar");
			await builder.run(
				...["push", "-q", "--signature-policy", join(dir, "policy.json")],
				...[image, `docker-archive:${file}:${name}`],
			);
			expect(await docker(["load", "-i", file])).toMatchObject({ code: 0 });
		}, BUILDING);
		afterAll(async () => {
			if (daemon) await docker(["rm", "-f", "-v", "gw"]);
			await stopDocker(daemon);
			// The host's network, mounted for containers that share it: the daemon leaves it behind.
			spawnSync("umount", [join(dir, "exec/netns/default")]);
			await broker.remove();
		});

		test("adds at most 5 MB to its base", async () => {
			const own =
				(await builder.size(image)) - (await builder.size(NODE_IMAGE));
			console.info(`gateway: ${own} bytes on its base`);
			expect(own).toBeLessThan(5e6);
			// The bundle has in it what it needs.
			const container = await builder.run("from", "--pull-never", image);
			const root = await builder.run("mount", container);
			expect(existsSync(join(root, "app/node_modules"))).toBe(false);
		});

		test.skipIf(NO_DOCKER !== "" || !hasMosquitto)(
			"runs as nobody special, in a root that it cannot write, and is healthy",
			async () => {
				const closed = [
					...["--network", "host", "--read-only", "--cap-drop", "ALL"],
					...["--security-opt", "no-new-privileges", "--memory", "256m"],
					...["--pids-limit", "64", "--health-interval", "1s"],
				];
				const started = await docker([
					...["run", "-d", "--name", "gw", ...closed],
					...["-e", `MQTT_BROKER=${broker.url}`, name],
				]);
				expect(started.code, started.stderr).toBe(0);
				await until("{{.State.Health.Status}}", "healthy");
				const exec = (...args: string[]) => docker(["exec", "gw", ...args]);
				expect((await exec("id", "-u")).stdout).toBe("1000\n");
				expect((await exec("touch", "/app/x")).stderr).toContain("Read-only");
				expect((await exec("touch", "/data/x")).code).toBe(0);
				const first = await exec("cat", "/proc/1/cmdline");
				expect(first.stdout.split("\0").slice(0, 3)).toEqual([
					"node",
					"/app/build/bin/main.js",
					"run",
				]);
			},
		);

		test.skipIf(NO_DOCKER !== "" || !hasMosquitto)(
			"carries readings, notices a broker that goes, ends on SIGTERM with everything told",
			async () => {
				const alerts = await inbox(broker.port, "alerts/#");
				const sensor = await client(broker.port);
				await sensor.publishAsync("plant/h/press/1", reading(1), { qos: 1 });
				await alerts.until(() => alerts.messages.length === 1);
				expect(alerts.messages[0]?.topic).toBe("alerts/h/plant/h/press/1");
				await Promise.all([sensor.endAsync(), alerts.client.endAsync()]);
				await broker.stop();
				await until("{{.State.Health.Status}}", "unhealthy");
				await broker.start();
				await until("{{.State.Health.Status}}", "healthy");
				const began = Date.now();
				await docker(["stop", "-t", "10", "gw"]);
				console.info(`gateway: stopped after ${Date.now() - began} ms`);
				await until("{{.State.Status}} {{.State.ExitCode}}", "exited 0");
				expect(await log()).toContain(
					"overheat: taken 1 = emitted 1 + dropped 0 + failed 0 + open 0; outputs 1",
				);
			},
		);
	});

	describe.each(PROCESSORS)("gateway for $arch", (processor) => {
		const there = commandFor(processor);
		if (typeof there === "string")
			console.warn(`gateway for ${processor.arch}: skipped, ${there}`);
		const platform = processor.arch === "arm" ? "linux/arm/v7" : "linux/arm64";

		test.skipIf(typeof there === "string")(
			"is built without running anything of that machine, and runs there",
			async () => {
				const { command, env } = there as Exclude<typeof there, string>;
				const [qemu, node] = command as [string, string];
				const base = `node-${processor.arch}:22`;
				const put = (root: string) => {
					mkdirSync(join(root, "usr/local/bin"), { recursive: true });
					cpSync(node, join(root, "usr/local/bin/node"));
				};
				const bases = {
					BUILD_IMAGE: NODE_IMAGE,
					NODE_IMAGE: await builder.base(base, put, platform),
				};
				const file = ["--file", spelledOut(dir, platform)];
				const image = await builder.build("gateway", platform, bases, ...file);
				const { Docker: seen } = await builder.inspect(image);
				expect(seen).toMatchObject({
					os: "linux",
					architecture: platform.split("/")[1],
				});
				const container = await builder.run("from", "--pull-never", image);
				const root = await builder.run("mount", container);
				const program = join(root, "usr/local/bin/node");
				const main = join(root, "app/build/bin/main.js");
				const module = join(root, "app/build/overheat.wasm");
				const ran = await finish(
					[qemu, program, main, "exec", module],
					{ env },
					`${reading(1)}\n`,
				);
				expect(ran).toMatchObject({
					code: 0,
					stdout: expect.stringContaining('"high_temperature"'),
				});
			},
		);
	});

	describe.skipIf(!hasGo)("with a runtime of their own", () => {
		let GO_IMAGE = "";
		beforeAll(async () => {
			GO_IMAGE = await builder.base("go:1", goRoot);
		}, BUILDING);

		test(
			"standalone: at most 9 MB, the alerts of the embedded engine",
			async () => {
				const bases = { NODE_IMAGE, GO_IMAGE };
				const image = await builder.build("standalone", NATIVE, bases);
				const size = await builder.size(image);
				console.info(`standalone: ${size} bytes`);
				expect(size).toBeLessThan(9e6);
				const container = await builder.run("from", "--pull-never", image);
				const root = await builder.run("mount", container);
				const command = [
					join(root, "wazero"),
					...["run", "-env-inherit", join(root, "filter.wasm")],
				];
				const input = `${reading(1)}\n`;
				const plain = await wasieve(["exec", OVERHEAT], { input });
				expect(await finish(command, {}, input)).toMatchObject({
					code: 0,
					stdout: plain.stdout,
				});
			},
			BUILDING,
		);

		test.each(["linux/arm/v7", "linux/arm64", "linux/riscv64"])(
			"standalone for %s",
			async (platform) => {
				const bases = { NODE_IMAGE, GO_IMAGE };
				const image = await builder.build("standalone", platform, bases);
				const size = await builder.size(image);
				console.info(`standalone ${platform}: ${size} bytes`);
				expect(size).toBeLessThan(9e6);
			},
			BUILDING,
		);

		test.skipIf(!hasClients)(
			"piped: the clients, the runtime and the module in one container",
			async () => {
				const MQTT_IMAGE = await builder.base("mqtt:2", mqttRoot);
				const bases = { NODE_IMAGE, GO_IMAGE, MQTT_IMAGE };
				const image = await builder.build("piped", NATIVE, bases);
				const container = await builder.run("from", "--pull-never", image);
				// It says what it misses, in its own shell.
				const ran = await builder.try(
					...["run", "--isolation", "chroot", container, "--", "/piped.sh"],
				);
				expect(ran.code).not.toBe(0);
				expect(ran.stderr).toContain("is the topic filter to read");
			},
			BUILDING,
		);
	});
});
