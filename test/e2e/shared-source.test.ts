import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Gateway, parseConfig, startGateway } from "wasieve";
import { type Client, FakeBroker } from "../mqtt/fake-broker.js";
import { OVERHEAT, scratch } from "./processes.js";

const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const folder = scratch();

const HOT = '{"device_id":"d","temperature":99,"humidity":1,"timestamp":1}';

async function withGateway(
	threads: number,
	work: (gateway: Gateway, broker: FakeBroker) => Promise<void>,
): Promise<void> {
	const broker = await new FakeBroker(4).start();
	const pipeline = (name: string, from: string) =>
		`  ${name}: { from: { topic: s/#, ${from} }, filter: { module: ${OVERHEAT} }, to: { topic: ${name}, qos: 0 } }\n`;
	const config = parseConfig(
		`broker: ${broker.url}\nthreads: ${threads}\npipelines:\n${[
			pipeline("a", "qos: 0"),
			pipeline("b", "qos: 0"),
			pipeline("c", "qos: 0"),
			pipeline("d", "qos: 0"),
			pipeline("own", "qos: 0, clientId: mine"),
			pipeline("other", "qos: 0, session: persistent"),
			pipeline("group", "qos: 1"),
		].join("")}`,
		join(folder, `shared-${threads}.yaml`),
		{ env: {}, hostname: "pi" },
	);
	const gateway = await startGateway(config, { log: LOG });
	try {
		await gateway.up;
		await work(gateway, broker);
	} finally {
		await gateway.stop(5000);
		await broker.stop();
	}
}

/** The clients that have subscribed, by id, once `count` have connected. */
async function readers(broker: FakeBroker, count: number) {
	const readers = new Map<string, Client>();
	for (let i = 0; i < count; i++) {
		const client = await broker.clients.next();
		const connect = await client.next("connect");
		const id = (connect as unknown as { clientId: string }).clientId;
		if (id.startsWith("wasieve-out")) continue;
		readers.set(id, client);
	}
	return readers;
}

function say(client: Client | undefined, times: number): void {
	for (let i = 0; i < times; i++) {
		client?.send({
			...{ cmd: "publish", topic: "s/1", payload: HOT, qos: 0 },
			...{ dup: false, retain: false },
		});
	}
}

/** Asks for snapshots until one of a pipeline is as wanted. */
async function until(
	gateway: Gateway,
	name: string,
	wanted: (s: { taken: number; missed: number }) => boolean,
): Promise<void> {
	for (;;) {
		const all = await gateway.snapshots();
		const found = all.find((each) => each.name === name);
		if (found && wanted(found)) return;
		await new Promise((turn) => setImmediate(turn));
	}
}

describe("pipelines that read the same at QoS 0", () => {
	test("share a connection under the first one's id, unless the file says otherwise", async () => {
		await withGateway(1, async (gateway, broker) => {
			const clients = await readers(broker, 5);
			expect([...clients.keys()].toSorted()).toEqual([
				"mine",
				"wasieve-in-pi-a",
				"wasieve-in-pi-group",
				"wasieve-in-pi-other",
			]);
			say(clients.get("wasieve-in-pi-a"), 10);
			for (const name of ["a", "b", "c", "d"])
				await until(gateway, name, ({ taken }) => taken === 10);
			await until(gateway, "own", ({ taken }) => taken === 0);
		});
	});

	test("have one connection a thread", async () => {
		await withGateway(2, async (gateway, broker) => {
			const clients = await readers(broker, 7);
			const shared = ["wasieve-in-pi-a", "wasieve-in-pi-b"];
			expect([...clients.keys()]).toEqual(expect.arrayContaining(shared));
			for (const id of shared) say(clients.get(id), 10);
			for (const name of ["a", "b", "c", "d"])
				await until(gateway, name, ({ taken }) => taken === 10);
		});
	});

	test("one that is stopped holds up no other; what it misses has a number", async () => {
		await withGateway(1, async (gateway, broker) => {
			const clients = await readers(broker, 5);
			await gateway.halt("b");
			say(clients.get("wasieve-in-pi-a"), 100);
			for (const name of ["a", "c", "d"])
				await until(gateway, name, ({ taken }) => taken === 100);
			await until(
				gateway,
				"b",
				({ taken, missed }) => missed > 0 && taken + missed === 100,
			);
			await gateway.resume("b");
			say(clients.get("wasieve-in-pi-a"), 1);
			await until(gateway, "a", ({ taken }) => taken === 101);
			await until(gateway, "b", ({ taken, missed }) => taken + missed === 101);
			const all = await gateway.snapshots();
			const b = all.find(({ name }) => name === "b");
			expect(b?.taken).toBeGreaterThan(0);
			expect(b?.state).toBe("running");
		});
	});
});
