import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BrokerOptions } from "#host/mqtt/options.js";
import { mqttPublisher } from "#host/mqtt/publisher.js";
import { mqttSink } from "#host/mqtt/sink.js";
import { mqttSource } from "#host/mqtt/source.js";
import { hasTools, makeCertificates } from "./certificates.js";
import { Mosquitto } from "./mosquitto.js";
import {
	brokerAt,
	RecordingIntake,
	RecordingKeeper,
	say,
} from "./recorders.js";

/** The first thing a source says about a connection that cannot work. */
async function firstFault(broker: BrokerOptions) {
	const intake = new RecordingIntake();
	const source = mqttSource({
		broker,
		topic: "#",
		qos: 0,
		window: 1,
		maxReading: 10,
		clock: Date.now,
	});
	source.start(intake).catch(() => {});
	await intake.until(() => intake.states.length > 0);
	await source.close();
	return intake.states[0];
}

describe.skipIf(!hasTools)("TLS", () => {
	const broker = new Mosquitto();
	const file = (name: string) => readFileSync(join(broker.folder, name));
	const secure = () => `mqtts://localhost:${broker.port}`;
	beforeAll(async () => {
		makeCertificates(broker.folder);
		const at = (name: string) => join(broker.folder, name);
		broker.lines = [
			"allow_anonymous true",
			`cafile ${at("ca.pem")}`,
			`certfile ${at("server.pem")}`,
			`keyfile ${at("server.key")}`,
			"require_certificate true",
			"log_type all",
		];
		await broker.start();
	});
	afterAll(() => broker.remove());
	const certified = () => ({
		ca: file("ca.pem"),
		cert: file("client.pem"),
		key: file("client.key"),
	});

	test.each([4, 5] as const)(
		"MQTT %d with our own CA and a client certificate, through back-pressure",
		async (protocol) => {
			const options = () => brokerAt(secure(), { protocol, tls: certified() });
			const source = mqttSource({
				broker: options(),
				topic: "tls/#",
				qos: 1,
				window: 20,
				maxReading: 200_000,
				clock: Date.now,
			});
			const intake = new RecordingIntake();
			intake.during = () => {
				source.pause();
				setImmediate(() => {
					source.acknowledge(intake.number);
					source.resume();
				});
			};
			await source.start(intake);
			const publisher = mqttPublisher({
				broker: options(),
				window: 20,
				clock: Date.now,
			});
			const sink = mqttSink(publisher, { qos: 1, retain: false });
			await sink.start(new RecordingKeeper());
			const texts = Array.from(
				{ length: 300 },
				(_, n) => `${n} ${"x".repeat(n % 7 === 0 ? 100_000 : n)}`,
			);
			for (const [n, text] of texts.entries()) say(sink, n, "tls/a", text);
			sink.commit();
			await sink.drain();
			await intake.until(() => intake.taken.length === texts.length);
			expect(intake.payloads).toEqual(texts);
			await sink.close();
			await source.close();
		},
	);

	test("without the CA: E_MQTT_TLS with what to do", async () => {
		const fault = await firstFault(
			brokerAt(secure(), {
				tls: { cert: file("client.pem"), key: file("client.key") },
			}),
		);
		expect(fault).toMatchObject({
			code: "E_MQTT_TLS",
			hint: expect.stringContaining("tls.ca"),
		});
	});

	test("rejectUnauthorized: false takes any certificate", async () => {
		const { cert, key } = certified();
		const source = mqttSource({
			broker: brokerAt(secure(), {
				tls: { cert, key, rejectUnauthorized: false },
			}),
			topic: "#",
			qos: 0,
			window: 1,
			maxReading: 10,
			clock: Date.now,
		});
		await source.start(new RecordingIntake());
		await source.close();
	});

	test("without a client certificate", async () => {
		const fault = await firstFault(
			brokerAt(secure(), { tls: { ca: file("ca.pem") } }),
		);
		expect(fault?.code).toBe("E_MQTT_TLS");
	});

	test("without TLS against a TLS port, and the other way round", async () => {
		const fault = await firstFault(brokerAt(broker.url));
		expect(fault?.code).toBe("E_MQTT_CONNECT");
		const plain = new Mosquitto();
		await plain.start();
		const other = await firstFault(
			brokerAt(`mqtts://127.0.0.1:${plain.port}`, { connectTimeout: 1000 }),
		);
		expect(other?.code).toMatch(/E_MQTT_(TLS|CONNECT)/);
		await plain.remove();
	});
});

describe.skipIf(!hasTools)("user and password", () => {
	const broker = new Mosquitto();
	beforeAll(async () => {
		const passwords = join(broker.folder, "passwords");
		execFileSync("mosquitto_passwd", ["-b", "-c", passwords, "anna", "right"], {
			stdio: "ignore",
		});
		broker.lines = [
			"allow_anonymous false",
			`password_file ${passwords}`,
			"log_type all",
		];
		await broker.start();
	});
	afterAll(() => broker.remove());

	test.each([4, 5] as const)(
		"MQTT %d: the right ones, as options or in the URL",
		async (protocol) => {
			for (const options of [
				brokerAt(broker.url, { protocol, username: "anna", password: "right" }),
				brokerAt(broker.url.replace("//", "//anna:right@"), { protocol }),
			]) {
				const source = mqttSource({
					broker: options,
					topic: "#",
					qos: 0,
					window: 1,
					maxReading: 10,
					clock: Date.now,
				});
				await source.start(new RecordingIntake());
				await source.close();
			}
		},
	);

	test.each([4, 5] as const)(
		"MQTT %d: wrong ones are E_MQTT_AUTH, and the password stays secret",
		async (protocol) => {
			const fault = await firstFault(
				brokerAt(broker.url, {
					protocol,
					username: "anna",
					password: "hunter2",
				}),
			);
			expect(fault).toMatchObject({
				code: "E_MQTT_AUTH",
				hint: expect.stringContaining("password"),
			});
			expect(
				`${fault?.message} ${fault?.hint} ${fault?.stack} ${JSON.stringify(fault)}`,
			).not.toContain("hunter2");
		},
	);
});
