import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "#host/contract.js";
import { ctr } from "#host/engine/runtimes/ctr.js";
import { docker } from "#host/engine/runtimes/docker.js";
import { dockerWasm, suitsShim } from "#host/engine/runtimes/docker-wasm.js";
import { podman } from "#host/engine/runtimes/podman.js";
import type { Runtime } from "#host/engine/runtimes/runtime.js";
import { feeder } from "./contract.js";
import { command, script } from "./engines.js";
import { Record } from "./record.js";
import { trackedFixture } from "./tracked-filter.js";
import { fixture } from "./wat.js";

const FAKE = fileURLToPath(new URL("fake-docker.mjs", import.meta.url));
const tracked = await trackedFixture("contract");

let dir = "";
let image = "";
const engines: Engine[] = [];

beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "wasieve-docker-"));
	image = join(dir, "image.wasm");
	writeFileSync(image, tracked);
});

afterEach(async () => {
	await Promise.all(engines.splice(0).map((engine) => engine.close()));
	expect(running(), "containers left").toEqual([]);
});

/** Names of containers that run. */
function running(): string[] {
	return readdirSync(dir).filter((name) => name.endsWith(".pid"));
}

function calls(): string[] {
	return readFileSync(join(dir, "calls"), "utf8").trim().split("\n");
}

/** A runtime's data with the fake behind it. */
function faked(runtime: Runtime): Runtime {
	const { program } = script(`exec '${process.execPath}' '${FAKE}' "$@"`);
	return { ...runtime, program };
}

function make(runtime: Runtime, { time = 20_000, start = 20_000 } = {}) {
	const engine = command(faked(runtime), tracked, {
		image,
		env: ["A=1"],
		limits: { time, start, output: 10_000, memory: 1 << 24 },
		workshop: { folders: [], surroundings: { FAKE_DOCKER: dir }, arch: "x64" },
	});
	engines.push(engine);
	return { engine, record: new Record(), feed: feeder(engine) };
}

describe.each([
	["docker", () => docker({})],
	["docker-wasm", () => dockerWasm({ network: "container:pause" })],
])("%s", (_, runtimeOf) => {
	test("works readings off, ends in band, leaves no container", async () => {
		const { engine, record, feed } = make(runtimeOf());
		await engine.start(record);
		feed("e1", "n", "t", "e2");
		await record.consumedAll(4);
		await engine.end();
		expect(record.outputs).toEqual(["e1", "e2", "bye"]);
		expect(record.failures).toEqual([{ payload: "t", code: "E_GUEST_TRAP" }]);
		expect(record.breaches).toEqual([]);
		expect(running()).toEqual([]);
	});

	test("is killed by its name when the filter hangs, or the engine is closed", async () => {
		const { engine, record, feed } = make(runtimeOf(), { time: 2000 });
		await engine.start(record);
		feed("l");
		await record.consumedAll(1);
		expect(record.failures).toEqual([{ payload: "l", code: "E_GUEST_TIME" }]);
		feed("e1");
		await record.consumedAll(2);
		await engine.close();
		const names = calls().flatMap(
			(call) => /--name (\S+)/.exec(call)?.[1] ?? [],
		);
		expect(new Set(names).size).toBe(2);
		for (const name of names) expect(calls()).toContain(`kill ${name}`);
		expect(calls().join()).not.toMatch(/\bstop\b/);
	});
});

test("closed while its image is made, it starts no container and keeps no image", async () => {
	let isAsked = () => {};
	let make = () => {};
	const asked = new Promise<void>((resolve) => {
		isAsked = resolve;
	});
	const made = new Promise<void>((resolve) => {
		make = resolve;
	});
	let images = 0;
	const pack = async () => {
		isAsked();
		await made;
		images++;
		return { name: image, clear: async () => void images-- };
	};
	const engine = command(faked(docker({})), tracked, {
		image: pack,
		workshop: { folders: [], surroundings: { FAKE_DOCKER: dir }, arch: "x64" },
	});
	const started = engine.start(new Record());
	await asked;
	await engine.close();
	make();
	await expect(started).rejects.toThrow("closed");
	expect(images).toBe(0);
	expect(calls().filter((call) => call.startsWith("run"))).toEqual([]);
});

describe("docker-wasm", () => {
	test('a container that stays "Created" is given up, named and removed', async () => {
		const { engine, record } = make(dockerWasm({}), { start: 1500 });
		await expect(engine.start(record)).rejects.toMatchObject({
			code: "E_ENGINE_START",
			message: expect.stringContaining("1500 ms and is removed"),
			hint: expect.stringContaining("network: host or container:NAME"),
		});
	});

	test("a container whose client is killed is not left behind", async () => {
		const { engine, record, feed } = make(dockerWasm({ network: "host" }));
		await engine.start(record);
		feed("e1");
		await record.consumedAll(1);
		const first = running();
		process.kill(Number(readFileSync(join(dir, "client"), "utf8")), "SIGKILL");
		feed("e2");
		await record.consumedAll(2);
		expect(record.restarts.map(({ code }) => code)).toEqual(["E_ENGINE_LOST"]);
		await engine.close();
		expect(calls()).toContain(`kill ${first[0]?.replace(".pid", "")}`);
	});

	test("Docker 29.5's time namespace is explained", async () => {
		image = join(dir, "time-namespace.wasm");
		const { engine, record } = make(dockerWasm({ network: "host" }));
		await expect(engine.start(record)).rejects.toMatchObject({
			code: "E_ENGINE_START",
			hint: expect.stringContaining('"time-namespaces": false'),
		});
	});

	test("networks that it can have", () => {
		const can = ["host", "container:pause"];
		const cannot = [undefined, "none", "bridge", "container:", "mine"];
		expect(can.filter(suitsShim)).toEqual(can);
		expect(cannot.filter(suitsShim)).toEqual([]);
	});
});

test("an image that is not here is no reason to wait for a download", async () => {
	image = "gone:1";
	const { engine, record } = make(docker({}));
	await expect(engine.start(record)).rejects.toMatchObject({
		code: "E_ENGINE_START",
		message: expect.stringContaining("the image is not on this machine"),
	});
	expect(calls().join()).toContain("--pull=never");
});

/** As Docker 20.10 and 28, podman 4.3 and ctr 1.6 say it. */
test.each([
	[docker({}), "No such image: nope:1.", 125, /image is not on this machine/],
	[podman({}), "nope:1: image not known", 125, /image is not on this machine/],
	[ctr(), 'ctr: image "localhost/x:1": not found', 1, /image is not on this/],
	[
		docker({}),
		"No such container: pause.",
		125,
		/the container whose network .* does not run/,
	],
	[
		dockerWasm({}),
		"cannot join network of a non running container: 0ab1",
		125,
		/the container whose network .* does not run/,
	],
	[
		dockerWasm({}),
		"Unknown runtime specified io.containerd.wasmtime.v1.",
		125,
		/its Wasm shim is not there/,
	],
	[
		ctr(),
		'ctr: failed to start shim: failed to resolve runtime path: runtime "io.containerd.wasmtime.v1" binary not installed',
		1,
		/its Wasm shim is not there/,
	],
	[
		dockerWasm({}),
		"image with reference 9a7e was found but does not match the specified platform: wanted wasi/wasm, actual: linux/amd64",
		125,
		/the image is of another platform/,
	],
	[docker({}), "exec /wazero: exec format error", 255, /of another platform/],
	[docker({}), "no space left on device", 125, /its daemon refuses/],
])("$name: %s", async (runtime, words, code, message) => {
	const daemon =
		runtime.program === "docker" ? "Error response from daemon: " : "";
	const help = "Run 'docker run --help' for more information";
	const body = `if [ "$1" = run ]; then echo "${daemon}"'${words}' >&2; echo "${help}" >&2; exit ${code}; fi; echo 29.7.2`;
	const { program } = script(body);
	const engine = command({ ...runtime, program }, tracked, { image: "I" });
	engines.push(engine);
	await expect(engine.start(new Record())).rejects.toMatchObject({
		code: "E_ENGINE_START",
		message: expect.stringMatching(message),
		hint: expect.stringMatching(/./),
	});
});

test("a module made elsewhere is refused: in an image nobody can hear it ask", async () => {
	const plain = await fixture("contract");
	expect(() => command(docker({}), plain, { image })).toThrow(/made elsewhere/);
});

test.each([
	[
		docker({}),
		"run --rm -i --name N --pull=never --network none --log-driver none --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 64 --memory 83886080b -e A=1 I x",
	],
	[
		dockerWasm({ network: "host" }),
		"run --rm -i --name N --pull=never --network host --log-driver none --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 64 --memory 83886080b --runtime io.containerd.wasmtime.v1 --platform wasi/wasm --no-healthcheck -e A=1 I x",
	],
	[
		podman({}),
		"run --rm -i --name N --pull=never --network none --log-driver none --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 64 --memory 83886080b --ulimit nofile=256:256 --ulimit nproc=256:256 -e A=1 I x",
	],
	[ctr(), "run --rm --runtime io.containerd.wasmtime.v1 --env A=1 I N x"],
])("the command line of $name", (runtime, line) => {
	const launch = {
		module: "I",
		args: ["x"],
		env: ["A=1"],
		memory: 1 << 24,
		name: "N",
	};
	expect(runtime.arguments(launch).join(" ")).toBe(line);
});
