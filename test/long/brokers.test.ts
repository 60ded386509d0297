/**
 * The gateway with other brokers than those of npm test: npm run test:brokers, or some of them
 * with BROKERS=nats,mochi. A broker that is not there is built (Go, Maven, Cargo, apt); where that cannot be done
 * its tests are skipped and say why.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { client, inbox, numbers, reading } from "../e2e/clients.js";
import {
	freePort,
	kill,
	OVERHEAT,
	runGateway,
	scratch,
} from "../e2e/processes.js";
import { aedes } from "./brokers/aedes.js";
import { mochi, nats } from "./brokers/go.js";
import { hivemq } from "./brokers/hivemq.js";
import { mosquitto } from "./brokers/mosquitto.js";
import type { Kind, Running } from "./brokers/process.js";
import { rabbitmq } from "./brokers/rabbitmq.js";
import { rumqttd } from "./brokers/rumqttd.js";
import { wiretap } from "./brokers/wiretap.js";

const folder = scratch();
/** Every sixth reading is hot, the last one too: when its alert is here, all have been taken. */
const COUNT = 301;
const HOT = 51;
/** Readings of a flood, all hot. */
const FLOOD = 20_000;
/** Unacknowledged publishes that a flood's sender has out. */
const WINDOW = 500;

interface Line {
	name: string;
	port: number;
	protocol: 4 | 5;
	qos: 0 | 1 | 2;
}

/** A gateway file with one pipeline whose topics, session and client ids are its own. */
function config({ name, port, protocol, qos }: Line): string {
	const file = join(folder, `${name}-${port}.yaml`);
	writeFileSync(
		file,
		`broker: { url: "mqtt://127.0.0.1:${port}", protocol: ${protocol}, clientId: ${name}-out, reconnect: { min: 50ms, max: 1s } }
http: false
pipelines:
  ${name}:
    from: { topic: ${name}/s/#, qos: ${qos}, clientId: ${name}-in }
    filter: { module: ${OVERHEAT}, params: { LIMIT: 85 } }
    to: { topic: "${name}-alerts/{topic}", qos: ${qos} }
`,
	);
	return file;
}

/** Publishes readings 0 … FLOOD − 1 at QoS 1, as fast as the broker takes them, and FLOOD as the last. */
async function flood(sender: MqttClient, topic: string): Promise<void> {
	let next = 0;
	const lane = async () => {
		while (next < FLOOD)
			await sender.publishAsync(topic, reading(next++), { qos: 1 });
	};
	await Promise.all(Array.from({ length: WINDOW }, lane));
	await sender.publishAsync(topic, reading(FLOOD), { qos: 1 });
}

type Alerts = Awaited<ReturnType<typeof inbox>>;

/**
 * Resolves when every reading's alert has arrived at least once; says where it stands when it fails.
 * `wanted` are the readings that count, when they are not all.
 */
async function complete(
	alerts: Alerts,
	log: () => string,
	wanted: () => Iterable<number> = () => Array(FLOOD).keys(),
): Promise<void> {
	const seen = new Set<number>();
	let looked = 0;
	const missing = () => [...wanted()].filter((n) => !seen.has(n));
	const all = () => {
		for (const n of wanted()) if (!seen.has(n)) return false;
		return true;
	};
	const look = () => {
		for (; looked < alerts.messages.length; looked++)
			seen.add(JSON.parse(alerts.messages[looked]?.text as string).timestamp);
		return seen.has(FLOOD) && all();
	};
	await within(
		60_000,
		alerts.until(look),
		() =>
			`${seen.size} alerts, ${looked} messages; missing ${missing().length}: ${missing().slice(0, 20)} …\n${log()}`,
	);
}

/** A deadline that says what has not happened. */
async function within<T>(
	ms: number,
	event: Promise<T>,
	where: () => string,
): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(where())), ms);
	});
	try {
		return await Promise.race([event, deadline]);
	} finally {
		clearTimeout(timer);
	}
}

async function had(kind: Kind): Promise<string | undefined> {
	try {
		return await kind.obtain();
	} catch (reason) {
		console.warn(`skipped: ${kind.name} cannot be had: ${reason}`);
		return undefined;
	}
}

const kinds = [mosquitto, aedes, nats, mochi, rabbitmq, hivemq, rumqttd];
const asked = process.env.BROKERS?.split(",") ?? kinds.map(({ name }) => name);

for (const kind of kinds.filter(({ name }) =>
	asked.some((part) => name.includes(part)),
)) {
	const program = await had(kind);
	describe.skipIf(!program)(kind.name, () => {
		let running: Running | undefined;
		let [port, port5] = [0, 0];
		beforeAll(async () => {
			[port, port5] = [await freePort(), await freePort()];
			running = await kind.start(program as string, scratch(), port, port5);
		}, 120_000);
		afterAll(() => running?.stop());
		contract(kind, (protocol) => (kind.apart && protocol === 5 ? port5 : port));
	});
}

function contract(kind: Kind, portOf: (protocol: 4 | 5) => number): void {
	describe.each(kind.protocols.map((protocol) => ({ protocol })))(
		"MQTT version $protocol",
		({ protocol }) => {
			test.each([0, 1, 2] as const)(
				"QoS %i in and out",
				async (qos) => {
					await exchange(kind, protocol, portOf(protocol), qos);
				},
				60_000,
			);

			test("kill -9 in a flood at QoS 1, and twice while catching up: every alert arrives at least once", async () => {
				await survive(protocol, portOf(protocol));
			}, 240_000);

			test("connections cut in a flood at QoS 1: every alert arrives at least once, PUBACKs in order", async () => {
				await reconnect(kind, protocol, portOf(protocol));
			}, 240_000);
		},
	);
}

async function exchange(
	kind: Kind,
	protocol: 4 | 5,
	port: number,
	qos: 0 | 1 | 2,
): Promise<void> {
	const name = `v${protocol}q${qos}`;
	const gateway = runGateway(config({ name, port, protocol, qos }));
	await gateway.says(new RegExp(`${name}: up`));
	const options = { protocolVersion: protocol };
	const alerts = await inbox(port, `${name}-alerts/#`, options);
	const sender = await client(port, options);
	for (let n = 0; n < COUNT; n++) {
		const text = reading(n, n % 6 === 0 ? 99 : 20);
		const sent = Math.min(qos, kind.highest) as 0 | 1 | 2; // MQTT.js would wait for PUBREC
		await sender.publishAsync(`${name}/s/${n % 3}`, text, { qos: sent });
	}
	await within(
		30_000,
		alerts.until(() => numbers(alerts.messages).size === HOT),
		() => `${alerts.messages.length} alerts\n${gateway.log()}`,
	);
	expect(alerts.messages).toHaveLength(HOT);
	expect(alerts.messages[1]).toEqual({
		topic: `${name}-alerts/${name}/s/0`,
		text: '{"device_id":"press-6","alert_type":"high_temperature","value":99,"timestamp":6}',
	});
	expect([...numbers(alerts.messages)]).toEqual(
		Array.from({ length: HOT }, (_, n) => n * 6),
	);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	expect(gateway.log()).toMatch(
		/taken 301 = emitted 51 \+ dropped 250 \+ failed 0 \+ open 0/,
	);
	await sender.endAsync();
	await alerts.client.endAsync();
}

/** A test's own clients with sessions that outlive their connections. */
async function ends(name: string, protocol: 4 | 5, port: number) {
	const options = {
		protocolVersion: protocol,
		clean: false,
		...(protocol === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
	};
	const alerts = await inbox(port, `${name}-alerts/#`, {
		...options,
		clientId: `${name}-inbox`,
	});
	const sender = await client(port, {
		...options,
		clientId: `${name}-sender`,
	});
	return { alerts, sender };
}

async function survive(protocol: 4 | 5, port: number): Promise<void> {
	const name = `crash${protocol}`;
	const file = config({ name, port, protocol, qos: 1 });
	let gateway = runGateway(file);
	await gateway.says(new RegExp(`${name}: up`));
	const { alerts, sender } = await ends(name, protocol, port);
	const flooding = flood(sender, `${name}/s/1`);
	for (const share of [0.2, 0.4, 0.6]) {
		await within(
			60_000,
			alerts.until(() => alerts.messages.length >= FLOOD * share),
			() => `${alerts.messages.length} alerts\n${gateway.log()}`,
		);
		await kill(gateway.child);
		// From the first kill on the broker holds the rest, and the gateway falls while it catches up.
		await within(60_000, flooding, () => "the broker does not take the flood");
		gateway = runGateway(file);
	}
	await complete(alerts, gateway.log);
	console.log(
		`  ${alerts.messages.length - FLOOD - 1} of ${FLOOD} alerts came again`,
	);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	expect(gateway.log()).toMatch(/open 0;/m);
	await sender.endAsync();
	await alerts.client.endAsync();
}

async function reconnect(
	kind: Kind,
	protocol: 4 | 5,
	port: number,
): Promise<void> {
	const name = `cut${protocol}`;
	const tap = await wiretap(port, protocol);
	const gateway = runGateway(
		config({ name, port: tap.port, protocol, qos: 1 }),
	);
	await gateway.says(new RegExp(`${name}: up`));
	const { alerts, sender } = await ends(name, protocol, port);
	const flooding = flood(sender, `${name}/s/1`);
	for (const share of [0.2, 0.4, 0.6]) {
		await within(
			60_000,
			alerts.until(() => alerts.messages.length >= FLOOD * share),
			() => `${alerts.messages.length} alerts\n${gateway.log()}`,
		);
		tap.cut();
	}
	await within(60_000, flooding, () => `the flood stands\n${gateway.log()}`);
	const log = () =>
		`readings brought by the broker: ${tap.brought.size}, alerts acknowledged by it: ${tap.safe.size}\n${gateway.log()}`;
	await (kind.forgets
		? complete(alerts, log, () => tap.brought)
		: complete(alerts, log));
	if (tap.brought.size <= FLOOD)
		console.log(
			`  ${FLOOD + 1 - tap.brought.size} readings were never brought: ${kind.name} forgets ${kind.forgets}`,
		);
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);
	expect(gateway.log()).toMatch(/open 0;/m);
	await tap.close();
	expect(tap.connections).toBeGreaterThanOrEqual(8);
	expect(tap.acknowledged).toBeGreaterThanOrEqual(tap.brought.size);
	expect(tap.disorder.slice(0, 3)).toEqual([]);
	expect(tap.safe).toEqual(tap.brought);
	await sender.endAsync();
	await alerts.client.endAsync();
}
