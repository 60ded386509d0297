import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type IClientOptions } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, hasMosquitto, Mosquitto } from "../mqtt/mosquitto.js";
import { makeSecrets, placed, read } from "./places.js";

// The broker of deploy/compose.yaml, with the very config that its container gets.

describe.skipIf(!hasMosquitto)("mosquitto of deploy/compose.yaml", () => {
	let broker: Mosquitto;
	let secrets = "";
	let tls = 0;

	beforeAll(async () => {
		broker = new Mosquitto();
		const { folder } = broker;
		secrets = await makeSecrets(folder);
		tls = await freePort();
		const config = placed(folder, "compose/mosquitto.conf", {
			"listener 8883": `listener ${tls} 127.0.0.1`,
			"listener 1883": "",
			"/run/secrets": secrets,
			"/mosquitto/config/acl": placed(folder, "compose/mosquitto.acl", {}),
			"/mosquitto/data/": `${folder}/`,
			"log_dest stdout": "log_dest stderr\nlog_type information",
		});
		broker.lines = readFileSync(config, "utf8").split("\n");
		await broker.start();
	});
	afterAll(() => broker?.remove());

	const secret = (name: string) => readFileSync(join(secrets, name), "utf8");
	const as = (username: string, file: string, more: IClientOptions = {}) =>
		connectAsync(broker.url, {
			username,
			password: secret(file),
			reconnectPeriod: 0,
			...more,
		});

	test("nobody gets in without a password", async () => {
		const url = broker.url;
		await expect(
			connectAsync(url, { reconnectPeriod: 0 }),
		).rejects.toMatchObject({ code: 5 });
	});

	test("a sensor comes over TLS, and its reading gets to the gateway and to no other sensor", async () => {
		const gateway = await as("gateway", "mqtt_password");
		const [granted] = await gateway.subscribeAsync("plant/#", { qos: 1 });
		expect(granted?.qos).toBe(1);
		const sensor = await connectAsync(`mqtts://127.0.0.1:${tls}`, {
			username: "sensor",
			password: secret("mqtt_sensor_password"),
			ca: secret("tls_ca"),
			reconnectPeriod: 0,
		});
		const overheard: string[] = [];
		sensor.on("message", (topic) => overheard.push(topic));
		await sensor.subscribeAsync("#", { qos: 1 }).catch(() => {});
		const arrived = new Promise((resolve) => gateway.on("message", resolve));
		await sensor.publishAsync("plant/1/press/1", "{}", { qos: 1 });
		expect(await arrived).toBe("plant/1/press/1");
		// Behind it on the same connection: had it been let through, it would have come first.
		await sensor.publishAsync("alerts/forged", "{}", { qos: 1 });
		const pong = new Promise((resolve) => gateway.once("message", resolve));
		await sensor.publishAsync("plant/1/press/2", "{}", { qos: 1 });
		expect(await pong).toBe("plant/1/press/2");
		expect(overheard).toEqual([]);
		await Promise.all([sensor.endAsync(true), gateway.endAsync(true)]);
	});

	test("the health check of the container may ask what it asks", async () => {
		const test = read("deploy/compose.yaml");
		expect(test).toContain(
			'-u gateway -P "$$(cat /run/secrets/mqtt_password)" -t "\\$$SYS/broker/uptime"',
		);
		const gateway = await as("gateway", "mqtt_password");
		const up = new Promise((resolve) => gateway.on("message", resolve));
		await gateway.subscribeAsync("$SYS/broker/uptime");
		expect(await up).toBe("$SYS/broker/uptime");
		await gateway.endAsync(true);
	});

	test("secrets lie in a closed folder, and a second run leaves them alone", async () => {
		expect(statSync(secrets).mode & 0o777).toBe(0o700);
		const before = secret("mqtt_password");
		await makeSecrets(broker.folder);
		expect(secret("mqtt_password")).toBe(before);
		expect(secret("mqtt_passwords")).not.toContain(before);
	});

	test("neither git nor an image nor the npm package takes them", () => {
		expect(read(".gitignore")).toContain("\ndeploy/secrets/\n");
		expect(read(".dockerignore")).toContain("\ndeploy/secrets\n");
		expect(JSON.parse(read("package.json")).files).toContain("!deploy/secrets");
	});
});
