import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { client, inbox, numbers, reading } from "./clients.js";
import {
	freePort,
	kill,
	OVERHEAT,
	runGateway,
	scratch,
	startMosquitto,
} from "./processes.js";

const folder = scratch();
/** The last reading is hot: when its alert is here, all have been taken. */
const COUNT = 301;
const HOT = 51;

function config(name: string, broker: string, qos: number): string {
	const file = join(folder, `${name}.yaml`);
	writeFileSync(
		file,
		`broker: ${broker}
http: false
pipelines:
  ${name}:
    from: { topic: s/#, qos: ${qos} }
    filter: { module: ${OVERHEAT} }
    to: { topic: "alerts/{topic}", qos: ${qos} }
`,
	);
	return file;
}

/** Every sixth of COUNT readings is hot. */
async function exchange(
	port: number,
	qos: 0 | 1 | 2,
	options: Parameters<typeof client>[1] = {},
): Promise<string[]> {
	const alerts = await inbox(port, "alerts/#", options);
	const sender = await client(port, options);
	for (let n = 0; n < COUNT; n++) {
		const text = reading(n, n % 6 === 0 ? 99 : 20);
		await sender.publishAsync(`s/${n % 3}`, text, { qos });
	}
	await alerts.until(() => numbers(alerts.messages).size === HOT);
	await sender.endAsync();
	await alerts.client.endAsync();
	return alerts.messages.map(({ topic, text }) => `${topic} ${text}`);
}

describe.each([4, 5])("MQTT version %i", (protocol) => {
	test.each([0, 1, 2] as const)("QoS %i in and out", async (qos) => {
		const port = await freePort();
		await startMosquitto(folder, port);
		const name = `v${protocol}q${qos}`;
		const broker = `{ url: "mqtt://127.0.0.1:${port}", protocol: ${protocol} }`;
		const gateway = runGateway(config(name, broker, qos));
		await gateway.says(new RegExp(`${name}: up`));
		const got = await exchange(port, qos);
		expect(got).toHaveLength(HOT);
		expect(got[1]).toBe(
			'alerts/s/0 {"device_id":"press-6","alert_type":"high_temperature","value":99,"timestamp":6}',
		);
		expect(await kill(gateway.child, "SIGTERM")).toBe(0);
		expect(gateway.log()).toMatch(
			/taken 301 = emitted 51 \+ dropped 250 \+ failed 0 \+ open 0/,
		);
	});
});

/** A certificate authority of our own, and what it has signed. */
function certificates(): Record<"ca" | "server" | "client", string> {
	const file = (name: string) => join(folder, name);
	const openssl = (...args: string[]) =>
		execFileSync("openssl", args, { stdio: "ignore" });
	openssl(
		"req",
		"-x509",
		"-newkey",
		"rsa:2048",
		"-nodes",
		"-days",
		"2",
		"-subj",
		"/CN=test-ca",
		"-keyout",
		file("ca.key"),
		"-out",
		file("ca.crt"),
	);
	writeFileSync(file("san.ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
	for (const who of ["server", "client"]) {
		openssl(
			"req",
			"-newkey",
			"rsa:2048",
			"-nodes",
			"-subj",
			`/CN=${who}`,
			"-keyout",
			file(`${who}.key`),
			"-out",
			file(`${who}.csr`),
		);
		openssl(
			"x509",
			"-req",
			"-days",
			"2",
			"-in",
			file(`${who}.csr`),
			"-CA",
			file("ca.crt"),
			"-CAkey",
			file("ca.key"),
			"-CAcreateserial",
			"-extfile",
			file("san.ext"),
			"-out",
			file(`${who}.crt`),
		);
	}
	return { ca: file("ca"), server: file("server"), client: file("client") };
}

test("TLS with an own CA, a client certificate, user and password", async () => {
	const { ca, server, client: own } = certificates();
	const port = await freePort();
	const secrets = join(folder, "secret");
	writeFileSync(secrets, "open sesame\n");
	const passwords = join(folder, "passwords");
	execFileSync("mosquitto_passwd", [
		"-b",
		"-c",
		passwords,
		"gateway",
		"open sesame",
	]);
	execFileSync("chmod", ["644", passwords, `${server}.key`]);
	execFileSync("chmod", ["755", folder]);
	await startMosquitto(folder, port, [
		`listener ${port} 127.0.0.1`,
		"allow_anonymous false",
		`password_file ${passwords}`,
		`cafile ${ca}.crt`,
		`certfile ${server}.crt`,
		`keyfile ${server}.key`,
		"require_certificate true",
	]);
	const broker = `{ url: "mqtts://127.0.0.1:${port}", username: gateway, password: { file: ${secrets} }, tls: { ca: ${ca}.crt, cert: ${own}.crt, key: ${own}.key } }`;
	const gateway = runGateway(config("tls", broker, 1));
	await gateway.says(/tls: up/);
	const got = await exchange(port, 1, {
		protocol: "mqtts",
		username: "gateway",
		password: "open sesame",
		ca: readFileSync(`${ca}.crt`),
		cert: readFileSync(`${own}.crt`),
		key: readFileSync(`${own}.key`),
	});
	expect(got).toHaveLength(HOT);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	expect(gateway.log()).not.toContain("sesame");
});

test("a wrong password is said, with what to do, and is no secret in the log", async () => {
	const port = await freePort();
	const passwords = join(folder, "other-passwords");
	execFileSync("mosquitto_passwd", ["-b", "-c", passwords, "gateway", "right"]);
	execFileSync("chmod", ["644", passwords]);
	execFileSync("chmod", ["755", folder]);
	await startMosquitto(folder, port, [
		`listener ${port} 127.0.0.1`,
		"allow_anonymous false",
		`password_file ${passwords}`,
	]);
	const http = await freePort();
	const secret = join(folder, "wrong");
	writeFileSync(secret, "hunter2");
	const file = config(
		"wrong",
		`{ url: "mqtt://127.0.0.1:${port}", username: gateway, password: { file: ${secret} } }`,
		1,
	);
	writeFileSync(
		file,
		readFileSync(file, "utf8").replace(
			"http: false",
			`http: 127.0.0.1:${http}`,
		),
	);
	const gateway = runGateway(file);
	await gateway.says(/E_MQTT_AUTH/);
	const health = await fetch(`http://127.0.0.1:${http}/health`);
	expect(health.status).toBe(503);
	expect(JSON.stringify(await health.json())).toMatch(/E_MQTT_AUTH/);
	expect(gateway.log()).not.toContain("hunter2");
	await kill(gateway.child, "SIGTERM");
});

test("a broker that is not there is waited for", async () => {
	const port = await freePort();
	const gateway = runGateway(config("late", `mqtt://127.0.0.1:${port}`, 1));
	await gateway.says(/E_MQTT_CONNECT/);
	await startMosquitto(folder, port);
	await gateway.says(/late: up/);
	expect(await exchange(port, 1)).toHaveLength(HOT);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
});
