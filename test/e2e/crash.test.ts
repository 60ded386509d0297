import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MqttClient } from "mqtt";
import { expect, test } from "vitest";
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
const COUNT = 20_000;
/** Unacknowledged publishes a sender has out. */
const WINDOW = 500;

/** Publishes readings 0 … COUNT − 1 at QoS 1, as fast as the broker takes them. */
async function flood(sender: MqttClient): Promise<void> {
	let next = 0;
	const lane = async () => {
		while (next < COUNT) {
			const n = next++;
			await sender.publishAsync("s/1", reading(n), { qos: 1 });
		}
	};
	await Promise.all(Array.from({ length: WINDOW }, lane));
}

function config(port: number, name: string): string {
	const file = join(folder, `${name}.yaml`);
	writeFileSync(
		file,
		`broker: mqtt://127.0.0.1:${port}
http: false
pipelines:
  ${name}:
    from: { topic: s/#, qos: 1 }
    filter: { module: ${OVERHEAT}, params: { LIMIT: 85 } }
    to: { topic: "alerts/{topic}", qos: 1 }
`,
	);
	return file;
}

/** Resolves when every reading's alert has arrived at least once. */
async function complete(alerts: Awaited<ReturnType<typeof inbox>>) {
	const seen = new Set<number>();
	let looked = 0;
	await alerts.until(() => {
		for (; looked < alerts.messages.length; looked++) {
			for (const n of numbers([alerts.messages[looked] as { text: string }]))
				seen.add(n);
		}
		return seen.size === COUNT;
	});
	return seen;
}

test("kill -9 twice in a flood at QoS 1: every alert arrives at least once", async () => {
	const port = await freePort();
	await startMosquitto(folder, port, ["max_queued_messages 0"]);
	const alerts = await inbox(port, "alerts/#");
	const file = config(port, "crash");
	let gateway = runGateway(file);
	await gateway.says(/crash: up/);
	const sender = await client(port);
	const flooding = flood(sender);
	for (const share of [0.3, 0.6]) {
		await alerts.until(() => alerts.messages.length >= COUNT * share);
		await kill(gateway.child);
		gateway = runGateway(file);
		await gateway.says(/crash: up/);
	}
	await flooding;
	expect((await complete(alerts)).size).toBe(COUNT);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	await sender.endAsync();
	await alerts.client.endAsync();
});

test("the broker restarts mid-stream: every alert arrives at least once", async () => {
	const port = await freePort();
	const settings = [
		"max_queued_messages 0",
		// Started by root it would become somebody who cannot write into this folder.
		...(process.getuid?.() === 0 ? ["user root"] : []),
		"persistence true",
		`persistence_location ${folder}/`,
		"persistence_file restart.db",
	];
	let broker = await startMosquitto(folder, port, settings);
	// A persistent session of its own, so that no alert is lost on the test's side.
	const alerts = await inbox(port, "alerts/#", {
		clientId: "restart-inbox",
		clean: false,
	});
	const gateway = runGateway(config(port, "restart"));
	await gateway.says(/restart: up/);
	const sender = await client(port, {
		clientId: "restart-sender",
		clean: false,
	});
	const flooding = flood(sender);
	await alerts.until(() => alerts.messages.length >= COUNT * 0.3);
	await kill(broker, "SIGTERM");
	broker = await startMosquitto(folder, port, settings);
	await flooding;
	expect((await complete(alerts)).size).toBe(COUNT);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	await sender.endAsync();
	await alerts.client.endAsync();
	await kill(broker);
});

test("SIGTERM in a flood drains in order: exit 0, and a second gateway finds the rest", async () => {
	const port = await freePort();
	await startMosquitto(folder, port, ["max_queued_messages 0"]);
	const alerts = await inbox(port, "alerts/#");
	const file = config(port, "drain");
	const first = runGateway(file);
	await first.says(/drain: up/);
	const sender = await client(port);
	const flooding = flood(sender);
	await alerts.until(() => alerts.messages.length >= COUNT * 0.3);
	expect(await kill(first.child, "SIGTERM")).toBe(0);
	expect(first.log()).toMatch(/drain: taken \d+ = .* open 0;/m);
	const second = runGateway(file);
	await flooding;
	expect((await complete(alerts)).size).toBe(COUNT);
	// What was acknowledged was delivered: nothing comes twice after an orderly stop.
	expect(alerts.messages.length).toBe(COUNT);
	await kill(second.child, "SIGTERM");
	await sender.endAsync();
	await alerts.client.endAsync();
});
