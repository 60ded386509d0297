import { generate, type IPublishPacket } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RETAINED, type Source } from "#host/contract.js";
import { mqttShare, type Share } from "#host/mqtt/share.js";
import { type Client, FakeBroker } from "./fake-broker.js";
import { brokerAt, RecordingIntake } from "./recorders.js";

let broker: FakeBroker;
let share: Share;
let lines: Line[];

interface Line {
	source: Source;
	intake: RecordingIntake;
	/** When start() has resolved. */
	up: Promise<void>;
}

beforeEach(async () => {
	broker = await new FakeBroker(4).start();
	lines = [];
	share = mqttShare({
		broker: brokerAt(broker.url, { clientId: "first" }),
		topic: "s/#",
		window: 100,
		maxReading: 1000,
		clock: Date.now,
	});
});
afterEach(async () => {
	for (const { source } of lines) await source.close();
	await broker.stop();
});

function join(): Line {
	const source = share.join();
	const intake = new RecordingIntake();
	const line = { source, intake, up: source.start(intake) };
	lines.push(line);
	return line;
}

/** Lines that are up, on one connection. */
async function open(count: number): Promise<[Client, ...Line[]]> {
	const all = Array.from({ length: count }, join);
	const client = await broker.clients.next();
	await Promise.all(all.map(({ up }) => up));
	return [client, ...all];
}

function publish(
	payload: string,
	more: Partial<IPublishPacket> = {},
): IPublishPacket {
	return {
		...{ cmd: "publish", topic: "s/a", payload, qos: 0 },
		...{ dup: false, retain: false, ...more },
	};
}

const has = ({ intake }: Line, payload: string) =>
	intake.until(() => intake.payloads.includes(payload));

describe("one connection", () => {
	test("the same readings to each line, in order, under its own numbers", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		b.intake.number = 500;
		for (let i = 0; i < 3000; i++) client.send(publish(`${i}`));
		await has(b, "2999");
		const expected = Array.from({ length: 3000 }, (_, i) => `${i}`);
		expect(a.intake.payloads).toEqual(expected);
		expect(b.intake.payloads).toEqual(expected);
		expect(a.intake.taken[2999]?.number).toBe(2999);
		expect(b.intake.taken[2999]?.number).toBe(3499);
		expect(client.packets.map(({ cmd }) => cmd)).toEqual([
			"connect",
			"subscribe",
		]);
		expect(broker.clients.items).toHaveLength(0);
	});

	test("a reading too large is refused by each", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		client.send(publish("x".repeat(1001)));
		client.send(publish("end"));
		await has(b, "end");
		for (const { intake } of [a, b]) {
			expect(intake.refused[0]?.error.code).toBe("E_READING_SIZE");
			expect(intake.taken[0]?.number).toBe(1);
		}
	});

	test("what a broker sends at QoS 1 all the same is acknowledged", async () => {
		const [client, a] = (await open(2)) as [Client, Line];
		client.send(publish("one", { qos: 1, messageId: 7 }));
		await has(a, "one");
		expect((await client.next("puback")).messageId).toBe(7);
	});

	test("a defect in one line is not the others'", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		a.intake.during = () => {
			throw new Error("a defect");
		};
		client.send(publish("one"));
		await has(b, "one");
		await b.intake.until(() => b.intake.states.at(-1) !== undefined);
		expect(b.intake.states.at(-1)?.message).toBe("a defect");
		await broker.clients.next(); // as with a source of one's own, the connection is made again
	});

	test("lost: each line is told, one SUBSCRIBE brings all of them back", async () => {
		const [first, a, b] = (await open(2)) as [Client, Line, Line];
		first.socket.destroy();
		const second = await broker.clients.next();
		await second.next("subscribe");
		second.send(publish("kept", { retain: true }));
		second.send(publish("new"));
		for (const line of [a, b]) {
			await has(line, "new");
			expect(line.intake.payloads).toEqual(["kept", "new"]);
			const [up, down, again] = line.intake.states;
			expect([up, down?.code, again]).toEqual([
				undefined,
				"E_MQTT_CONNECT",
				undefined,
			]);
		}
	});
});

describe("coming and going", () => {
	test("who comes later gets the retained messages, and nobody gets them twice", async () => {
		const [client, a] = (await open(1)) as [Client, Line];
		await client.next("subscribe");
		client.send(publish("kept", { retain: true }));
		await has(a, "kept");
		const b = join();
		const c = join();
		await Promise.all([b.up, c.up]);
		await client.next("subscribe"); // one for both
		client.raw(
			Buffer.concat([
				generate(publish("kept", { retain: true })),
				generate(publish("new")),
			]),
		);
		for (const line of [b, c]) {
			await has(line, "new");
			expect(
				line.intake.taken.map(({ payload, flags }) => [payload, flags]),
			).toEqual([
				["kept", RETAINED],
				["new", 0],
			]);
		}
		await has(a, "new");
		expect(a.intake.payloads).toEqual(["kept", "new"]);
		expect(client.queue("subscribe").items).toHaveLength(0);
	});

	test("who comes while the retained messages of the others are on their way takes none of them", async () => {
		broker.subscribes = false; // SUBACK comes by hand
		const a = join();
		const client = await broker.clients.next();
		const kept = publish("kept", { retain: true });
		const answer = async () => {
			const { messageId } = await client.next("subscribe");
			return () => client.send({ cmd: "suback", messageId, granted: [0] });
		};
		const first = await answer();
		const b = join();
		client.send(kept);
		await has(a, "kept");
		expect(client.queue("subscribe").items).toHaveLength(0);
		first();
		await Promise.all([a.up, b.up]);
		const second = await answer();
		client.send(kept);
		await has(b, "kept");
		second();
		expect(a.intake.payloads).toEqual(["kept"]);
		expect(b.intake.payloads).toEqual(["kept"]);
	});

	test("the others go on when one goes; the last one says goodbye", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		await a.source.stop();
		await a.source.close();
		client.send(publish("one"));
		await has(b, "one");
		expect(a.intake.taken).toHaveLength(0);
		await b.source.stop();
		await client.next("disconnect");
		const c = join();
		const again = await broker.clients.next();
		await c.up;
		again.send(publish("two"));
		await has(c, "two");
	});

	test("who goes while another one takes gets nothing more", async () => {
		const [client, a, b, c] = (await open(3)) as [Client, Line, Line, Line];
		a.intake.during = () => void b.source.stop();
		client.send(publish("one"));
		await has(c, "one");
		expect(b.intake.taken).toHaveLength(0);
	});

	test("who is closed before it is up is told so; the others still come up", async () => {
		broker.connack = undefined;
		const a = join();
		const b = join();
		const client = await broker.clients.next();
		await a.source.close();
		await expect(a.up).rejects.toMatchObject({ code: "E_MQTT_CONNECT" });
		client.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
		await b.up;
	});
});

describe("pauses", () => {
	test("short ones cost nobody a reading", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		let takes = 0;
		a.intake.during = () => {
			takes++;
			a.source.pause();
			setImmediate(() => a.source.resume());
		};
		for (let i = 0; i < 20; i++) {
			client.send(publish(`${i}`));
			await has(b, `${i}`);
		}
		expect(takes).toBe(20);
		expect(a.intake.payloads).toEqual(b.intake.payloads);
		expect(a.intake.passed).toBe(0);
	});

	test("a line that pauses on is left behind, its readings are counted; it takes again when it can", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		a.source.pause();
		for (let i = 0; i < 500; i++) client.send(publish(`${i}`));
		await has(b, "499");
		expect(b.intake.taken).toHaveLength(500);
		// What was on its way when it began to pause may still arrive.
		expect(a.intake.taken.length + a.intake.passed).toBe(500);
		expect(a.intake.passed).toBeGreaterThan(0);
		a.source.resume();
		client.send(publish("again"));
		await has(a, "again");
		expect(b.intake.passed).toBe(0);
	});

	test("a line that stops for good does not hold up those that come later", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		a.source.pause();
		client.send(publish("one"));
		await has(b, "one");
		const c = join();
		await c.up;
		client.send(publish("two"));
		await has(c, "two");
	});

	test("a line may pause before it starts and after it stops", async () => {
		const source = share.join();
		source.pause();
		const a = { source, intake: new RecordingIntake(), up: Promise.resolve() };
		a.up = source.start(a.intake);
		lines.push(a);
		const b = join();
		const client = await broker.clients.next();
		await Promise.all([a.up, b.up]);
		client.send(publish("one"));
		await has(b, "one");
		await source.stop();
		source.resume();
		source.pause();
		client.send(publish("two"));
		await has(b, "two");
		expect(a.intake.taken).toHaveLength(0);
	});

	test("while all pause nothing is read and nothing missed", async () => {
		const [client, a, b] = (await open(2)) as [Client, Line, Line];
		a.source.pause();
		client.send(publish("one"));
		await has(b, "one"); // a is left behind by now
		b.source.pause();
		const before = a.intake.passed;
		client.send(publish("two"));
		client.send(publish("three"));
		a.source.resume(); // now b is waited for
		await has(a, "three");
		expect(a.intake.passed).toBe(before);
		expect(a.intake.payloads).toEqual(["two", "three"]);
	});
});
