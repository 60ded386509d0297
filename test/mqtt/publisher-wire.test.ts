import { generate, type IPublishPacket } from "mqtt-packet";
import { afterEach, describe, expect, test } from "vitest";
import { Inlet } from "#host/mqtt/inlet.js";
import { MqttPublisher, type PublisherOptions } from "#host/mqtt/publisher.js";
import { type MqttSink, mqttSink } from "#host/mqtt/sink.js";
import { type Client, FakeBroker } from "./fake-broker.js";
import { brokerAt, RecordingKeeper, say } from "./recorders.js";

let broker: FakeBroker;
let publisher: MqttPublisher;
let keeper: RecordingKeeper;
let sink: MqttSink;
let now = 0;

async function open(
	protocol: 4 | 5,
	qos: 0 | 1 | 2,
	more: Partial<PublisherOptions> = {},
	connack: object = {},
): Promise<Client> {
	broker = await new FakeBroker(protocol).start();
	broker.connack = connack;
	publisher = new MqttPublisher({
		broker: brokerAt(broker.url, { protocol, sessionExpiry: 60 }),
		window: 100,
		clock: () => now,
		...more,
	});
	sink = mqttSink(publisher, { qos, retain: false }) as MqttSink;
	keeper = new RecordingKeeper();
	await sink.start(keeper);
	return broker.clients.next();
}

afterEach(async () => {
	await sink.close();
	await broker.stop();
});

async function publishes(
	client: Client,
	count: number,
): Promise<IPublishPacket[]> {
	const packets: IPublishPacket[] = [];
	while (packets.length < count)
		packets.push((await client.next("publish")) as unknown as IPublishPacket);
	return packets;
}

const texts = (packets: IPublishPacket[]) => packets.map((p) => `${p.payload}`);

describe("what is sent", () => {
	test("bytes of a 3.1.1 PUBLISH", async () => {
		const client = await open(4, 1);
		const bytes = new Promise<Buffer>((resolve) =>
			client.socket.once("data", resolve),
		);
		say(sink, 7, "a/b", "hi");
		sink.commit();
		// biome-ignore format: a line is a field
		expect(await bytes).toEqual(Buffer.from([
			0x32, 0x09, // PUBLISH, QoS 1, 9 bytes to come
			0x00, 0x03, 0x61, 0x2f, 0x62, // topic "a/b"
			0x00, 0x01, // message id 1
			0x68, 0x69, // "hi"
		]));
	});

	test("bytes of an MQTT 5 PUBLISH with expiry and user properties", async () => {
		const client = await open(5, 1);
		now = 1000;
		const bytes = new Promise<Buffer>((resolve) =>
			client.socket.once("data", resolve),
		);
		say(sink, 7, "a", "hi", {
			user: Buffer.from([0x26, 0, 1, 0x6b, 0, 1, 0x76]),
			expires: 1000 + 300_500,
		});
		sink.commit();
		// biome-ignore format: a line is a field
		expect(await bytes).toEqual(Buffer.from([
			0x32, 0x14, // PUBLISH, QoS 1, 20 bytes to come
			0x00, 0x01, 0x61, // topic "a"
			0x00, 0x01, // message id 1
			0x0c, // 12 bytes of properties
			0x02, 0x00, 0x00, 0x01, 0x2c, // expires in 300 s
			0x26, 0x00, 0x01, 0x6b, 0x00, 0x01, 0x76, // user property k=v
			0x68, 0x69, // "hi"
		]));
	});

	test("one write for the commits of one turn, nothing before commit, nothing after rollback", async () => {
		const client = await open(4, 0);
		const chunks: Buffer[] = [];
		client.socket.on("data", (chunk) => chunks.push(chunk));
		say(sink, 1, "a", "1");
		sink.commit();
		say(sink, 2, "a", "taken back");
		sink.rollback();
		say(sink, 3, "a", "3");
		sink.commit();
		say(sink, 4, "a", "not committed");
		await keeper.until(() => keeper.safe.length === 2);
		expect(texts(await publishes(client, 2))).toEqual(["1", "3"]);
		expect(keeper.safe).toEqual([1, 3]);
		expect(chunks).toHaveLength(1);
	});

	test("payloads of all sizes around the encodings' and the slab's edges", async () => {
		const client = await open(4, 1, { window: 65_535 });
		const sizes = [
			0, 1, 119, 120, 121, 127, 128, 16_374, 16_375, 16_376, 262_130, 262_144,
			300_000, 2_097_140, 2_097_150,
		];
		for (const size of sizes) {
			say(sink, size, "a", "x".repeat(size));
			sink.commit();
		}
		const got = await publishes(client, sizes.length);
		expect(got.map((p) => p.payload.length)).toEqual(sizes);
		expect(got.map((p) => p.messageId)).toEqual(sizes.map((_, i) => i + 1));
	});

	test.each(["", "a/+", "a/#", "a\0b", "a\nb", "a\x7f", "a\u0085b"])(
		"the topic %j, on which brokers close the connection, is never sent",
		async (topic) => {
			const client = await open(4, 1);
			say(sink, 1, topic, "bad");
			say(sink, 2, "fine/ö", "good");
			sink.commit();
			const [packet] = await publishes(client, 1);
			expect(packet?.topic).toBe("fine/ö");
			await keeper.until(() => keeper.lost.length === 1);
			expect(keeper.lost[0]).toMatchObject({
				n: 1,
				topic,
				payload: "bad",
				error: { code: "E_OUTPUT_TOPIC" },
			});
		},
	);

	test("two sinks with unfinished batches do not get in each other's way", async () => {
		const client = await open(4, 1);
		const other = mqttSink(publisher, { qos: 0, retain: true });
		const otherKeeper = new RecordingKeeper();
		await other.start(otherKeeper);
		say(sink, 1, "a", "a1");
		say(other, 1, "b", "b1");
		say(sink, 2, "a", "a2");
		say(other, 2, "b", "taken back");
		other.rollback();
		sink.commit();
		say(other, 3, "b", "b3");
		other.commit();
		const got = await publishes(client, 3);
		expect(got.map((p) => [p.topic, `${p.payload}`, p.qos, p.retain])).toEqual([
			["a", "a1", 1, false],
			["a", "a2", 1, false],
			["b", "b3", 0, true],
		]);
		expect(otherKeeper.safe).toEqual([3]);
		await other.close();
	});
});

describe("acknowledgements", () => {
	/** PUBACKs 1, 2, 3 with something for MQTT.js between them. */
	// biome-ignore format: a line is a packet
	const ACKS = Buffer.from([
		0x40, 0x02, 0x00, 0x01, // PUBACK 1
		0xd0, 0x00, // PINGRESP
		0x40, 0x02, 0x00, 0x03, // PUBACK 3: out of turn
		0x40, 0x02, 0x00, 0x02, // PUBACK 2
		0x40, 0x02, 0x00, 0x02, // PUBACK 2 again: means nothing
		0x40, 0x02, 0xff, 0xff, // an id that was never used
	]);

	test("cut anywhere", async () => {
		await open(4, 1);
		for (let cut = 0; cut <= ACKS.length; cut++) {
			keeper.safe.length = 0;
			for (const n of [10, 11, 12]) say(sink, n, "a", "");
			sink.commit();
			await Promise.resolve(); // the turn's write
			const base = cut * 3; // each round uses three more ids
			const bytes = Buffer.from(ACKS);
			for (const at of [2, 8, 12, 16])
				bytes.writeUInt16BE(bytes.readUInt16BE(at) + base, at);
			const inlet = new Inlet(publisher.largest);
			for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
				inlet.filled(piece.copy(inlet.room()));
				publisher.drink(inlet);
			}
			expect(keeper.safe).toEqual([10, 12, 11]);
		}
	});

	test("all of a chunk are settled at once", async () => {
		const client = await open(4, 1);
		for (let n = 0; n < 50; n++) say(sink, n, "a", "");
		sink.commit();
		const got = await publishes(client, 50);
		client.raw(
			Buffer.concat(
				got.map((p) =>
					generate({ cmd: "puback", messageId: p.messageId as number }),
				),
			),
		);
		await keeper.until(() => keeper.safe.length === 50);
		expect(keeper.settled).toBe(1);
	});

	test("ids come round after 65,535", async () => {
		const client = await open(4, 1, { window: 65_535 });
		const count = 140_000;
		client.socket.on("data", () => {}); // parsed below by the fake broker
		const answer = (async () => {
			for (let i = 0; i < count; i++) {
				const packet = await client.next("publish");
				client.send({ cmd: "puback", messageId: packet.messageId });
			}
		})();
		for (let n = 0; n < count; n++) {
			say(sink, n, "a", "");
			if (n % 1000 !== 999) continue;
			sink.commit();
			await keeper.until(() => keeper.safe.length >= n - 2000);
		}
		sink.commit();
		await answer;
		await sink.drain();
		expect(keeper.safe).toEqual([...Array(count).keys()]);
	});

	test("MQTT 5: a reason of 0x80 or more means refused", async () => {
		const client = await open(5, 1);
		say(sink, 1, "a", "secret plans");
		say(sink, 2, "a", "");
		sink.commit();
		const [first, second] = await publishes(client, 2);
		client.send({
			cmd: "puback",
			messageId: first?.messageId as number,
			reasonCode: 0x87,
		});
		client.send({
			cmd: "puback",
			messageId: second?.messageId as number,
			reasonCode: 0x10,
		}); // no subscribers: fine
		await keeper.until(() => keeper.safe.length === 1);
		expect(keeper.safe).toEqual([2]);
		expect(keeper.lost[0]).toMatchObject({
			n: 1,
			topic: "a",
			payload: "secret plans",
			error: { code: "E_OUTPUT_REFUSED" },
		});
		expect(keeper.lost[0]?.error.message).toContain("not authorized");
	});

	test("3.1.1, QoS 2: a broker that answers with PUBACK has lowered it to QoS 1", async () => {
		const warnings: unknown[] = [];
		const log = {
			debug() {},
			info() {},
			warn: (fields: object) => warnings.push(fields),
			error() {},
		};
		const client = await open(4, 2, { log });
		for (let n = 0; n < 30; n++) say(sink, n, "a", "");
		sink.commit();
		for (const { messageId } of await publishes(client, 20))
			client.send({ cmd: "puback", messageId: messageId as number });
		for (const { messageId } of await publishes(client, 10))
			client.send({ cmd: "puback", messageId: messageId as number });
		await keeper.until(() => keeper.safe.length === 30);
		expect(warnings).toEqual([{ broker: broker.url, qos: 1 }]);
	});

	test("QoS 2: PUBREC, PUBREL, PUBCOMP", async () => {
		const client = await open(5, 2);
		say(sink, 1, "a", "");
		sink.commit();
		const [packet] = await publishes(client, 1);
		const messageId = packet?.messageId as number;
		client.send({ cmd: "puback", messageId }); // the wrong answer is none
		client.send({ cmd: "pubrec", messageId });
		expect((await client.next("pubrel")).messageId).toBe(messageId);
		expect(keeper.safe).toEqual([]);
		client.send({ cmd: "pubcomp", messageId });
		await keeper.until(() => keeper.safe.length === 1);
	});
});

describe("the window", () => {
	test("outputs beyond it wait; a broker that never acknowledges stops the line", async () => {
		const client = await open(4, 1, {
			window: 10,
			queue: { count: 20, bytes: 1e6 },
		});
		let n = 0;
		while (sink.ready) {
			say(sink, n++, "a", "");
			sink.commit();
			await Promise.resolve();
		}
		expect(n).toBe(31); // 10 in flight, 20 waiting, and one to say so
		const got = await publishes(client, 10);
		expect(client.queue("publish").items).toHaveLength(0);
		for (const p of got)
			client.send({ cmd: "puback", messageId: p.messageId as number });
		await publishes(client, 10); // the next ten
		await keeper.until(() => keeper.safe.length === 10);
		expect(sink.ready).toBe(false);
		for (let id = 11; id <= 20; id++)
			client.send({ cmd: "puback", messageId: id });
		await keeper.until(() => keeper.welcomed === 1);
		expect(sink.ready).toBe(true);
	});

	test("MQTT 5: the broker's Receive Maximum", async () => {
		const client = await open(5, 1, {}, { properties: { receiveMaximum: 3 } });
		for (let n = 0; n < 7; n++) say(sink, n, "a", `${n}`);
		sink.commit();
		await publishes(client, 3);
		client.send({ cmd: "puback", messageId: 2, reasonCode: 0 }); // any of them frees a place
		expect(texts(await publishes(client, 1))).toEqual(["3"]);
		expect(client.queue("publish").items).toHaveLength(0);
	});

	test("QoS 0 needs no window", async () => {
		const client = await open(
			5,
			0,
			{ window: 1 },
			{ properties: { receiveMaximum: 1 } },
		);
		for (let n = 0; n < 5; n++) say(sink, n, "a", `${n}`);
		sink.commit();
		expect(texts(await publishes(client, 5))).toEqual([
			"0",
			"1",
			"2",
			"3",
			"4",
		]);
	});
});

describe("what an MQTT 5 broker allows", () => {
	test("larger than Maximum Packet Size: undeliverable, the next one goes", async () => {
		const client = await open(
			5,
			1,
			{},
			{ properties: { maximumPacketSize: 100 } },
		);
		say(sink, 1, "a", "x".repeat(200));
		say(sink, 2, "a", "small");
		sink.commit();
		expect(texts(await publishes(client, 1))).toEqual(["small"]);
		expect(keeper.lost).toMatchObject([
			{
				n: 1,
				topic: "a",
				payload: "x".repeat(200),
				error: { code: "E_OUTPUT_REFUSED" },
			},
		]);
	});

	test.each([0, 1] as const)(
		"Maximum QoS %d lowers the QoS, also of what was encoded before",
		async (maximumQoS) => {
			const client = await open(5, 2);
			client.socket.destroy(); // encode while not connected
			await keeper.until(() => keeper.states.some((error) => error));
			broker.connack = { properties: { maximumQoS, retainAvailable: false } };
			say(sink, 1, "topic", "x".repeat(119));
			say(sink, 2, "topic", "x".repeat(120));
			say(sink, 3, "topic", "x".repeat(121));
			sink.commit();
			const next = await broker.clients.next();
			const got = await publishes(next, 3);
			say(sink, 4, "topic", "later");
			sink.commit();
			got.push(...(await publishes(next, 1)));
			expect(got.map((p) => [p.qos, p.topic, p.payload.length])).toEqual([
				[maximumQoS, "topic", 119],
				[maximumQoS, "topic", 120],
				[maximumQoS, "topic", 121],
				[maximumQoS, "topic", 5],
			]);
		},
	);

	test("an expiry that passed while waiting: undeliverable", async () => {
		const client = await open(5, 1, { window: 1 });
		now = 0;
		say(sink, 1, "a", "first", { expires: 5000 });
		say(sink, 2, "a", "late", { expires: 5000 });
		say(sink, 3, "a", "later", { expires: 9500 });
		sink.commit();
		const [first] = await publishes(client, 1);
		expect(first?.properties?.messageExpiryInterval).toBe(5);
		now = 6000;
		client.send({ cmd: "puback", messageId: 1, reasonCode: 0 });
		const [second] = await publishes(client, 1);
		expect(`${second?.payload}`).toBe("later");
		expect(second?.properties?.messageExpiryInterval).toBe(3);
		expect(keeper.lost).toMatchObject([
			{ n: 2, error: { code: "E_READING_EXPIRED" } },
		]);
	});
});

describe("a lost connection", () => {
	test("unacknowledged outputs come again, in order, with DUP and their ids", async () => {
		const client = await open(4, 1);
		for (let n = 0; n < 5; n++) say(sink, n, "a", `${n}`);
		sink.commit();
		await publishes(client, 5);
		client.send({ cmd: "puback", messageId: 2 });
		client.send({ cmd: "puback", messageId: 4 });
		await keeper.until(() => keeper.safe.length === 2);
		client.socket.destroy();
		await keeper.until(() => keeper.states.some((error) => error));
		say(sink, 5, "a", "5"); // written meanwhile
		sink.commit();
		const next = await broker.clients.next();
		const got = await publishes(next, 4);
		expect(got.map((p) => [`${p.payload}`, p.messageId, p.dup])).toEqual([
			["0", 1, true],
			["2", 3, true],
			["4", 5, true],
			["5", 6, false],
		]);
		for (const p of got)
			next.send({ cmd: "puback", messageId: p.messageId as number });
		await sink.drain();
		expect(keeper.safe).toEqual([1, 3, 0, 2, 4, 5]);
	});

	test("MQTT 5, QoS 2: a kept session goes on with PUBREL", async () => {
		const client = await open(5, 2);
		expect(client.packets[0]).toMatchObject({
			clean: true,
			properties: { sessionExpiryInterval: 60 },
		});
		say(sink, 1, "a", "one");
		say(sink, 2, "a", "two");
		sink.commit();
		await publishes(client, 2);
		client.send({ cmd: "pubrec", messageId: 1, reasonCode: 0 });
		await client.next("pubrel");
		broker.connack = { sessionPresent: true };
		client.socket.destroy();
		const next = await broker.clients.next();
		expect(next.packets[0]).toMatchObject({ clean: false });
		expect((await next.next("pubrel")).messageId).toBe(1);
		const [again] = await publishes(next, 1);
		expect([again?.messageId, again?.dup]).toEqual([2, true]);
		next.send({ cmd: "pubcomp", messageId: 1, reasonCode: 0 });
		next.send({ cmd: "pubrec", messageId: 2, reasonCode: 0 });
		await next.next("pubrel");
		next.send({ cmd: "pubcomp", messageId: 2, reasonCode: 0 });
		await sink.drain();
		expect(keeper.safe).toEqual([1, 2]);
	});

	test("QoS 2: a session that is gone begins again with PUBLISH", async () => {
		const client = await open(5, 2);
		say(sink, 1, "a", "one");
		sink.commit();
		await publishes(client, 1);
		client.send({ cmd: "pubrec", messageId: 1, reasonCode: 0 });
		await client.next("pubrel");
		client.socket.destroy();
		const next = await broker.clients.next();
		expect(texts(await publishes(next, 1))).toEqual(["one"]);
	});

	test("QoS 0 outputs wait in the queue while there is no connection", async () => {
		const client = await open(4, 0, { queue: { count: 3, bytes: 1000 } });
		client.socket.destroy();
		await keeper.until(() => keeper.states.some((error) => error));
		let n = 0;
		while (sink.ready) {
			say(sink, n++, "a", `${n}`);
			sink.commit();
		}
		expect(n).toBe(4);
		expect(keeper.safe).toEqual([]);
		expect(texts(await publishes(await broker.clients.next(), 4))).toEqual([
			"1",
			"2",
			"3",
			"4",
		]);
		await keeper.until(() => keeper.welcomed === 1);
	});

	test("an output on which the broker always closes is given up, the others are delivered", async () => {
		const first = await open(4, 1);
		const serve = async (client: Client) => {
			for (;;) {
				const packet = (await client.next(
					"publish",
				)) as unknown as IPublishPacket;
				if (`${packet.payload}` === "poison") return client.socket.destroy();
				client.send({ cmd: "puback", messageId: packet.messageId as number });
			}
		};
		serve(first);
		void (async () => {
			for (;;) serve(await broker.clients.next());
		})();
		for (const text of ["1", "poison", "2", "3"]) say(sink, 1, "a", text);
		sink.commit();
		await sink.drain();
		expect(keeper.safe).toHaveLength(3);
		expect(keeper.lost).toMatchObject([
			{ payload: "poison", error: { code: "E_OUTPUT_REFUSED" } },
		]);
	});
});

describe("a line with a defect", () => {
	/** Two lines on one publisher, an output each in flight; the first cannot be told. */
	async function two(qos: 0 | 1): Promise<[Client, RecordingKeeper]> {
		const client = await open(4, qos);
		const other = mqttSink(publisher, { qos, retain: false });
		const otherKeeper = new RecordingKeeper();
		await other.start(otherKeeper);
		const settle = keeper.settle.bind(keeper);
		keeper.settle = () => {
			keeper.settle = settle;
			throw new TypeError("a defect");
		};
		say(sink, 1, "a", "1");
		sink.commit();
		say(other, 2, "a", "2");
		other.commit();
		return [client, otherKeeper];
	}

	test("does not keep what another one waits for", async () => {
		const [client, other] = await two(1);
		for (const { messageId } of await publishes(client, 2))
			client.send({ cmd: "puback", messageId: messageId as number });
		await other.until(() => other.settled > 0);
		await client.next("close");
		expect(keeper.safe).toEqual([1]);
		expect(other.safe).toEqual([2]);
	});

	test("costs a connection and not the thread, also where no answer is waited for", async () => {
		const [client, other] = await two(0);
		await other.until(() => other.settled > 0);
		await client.next("close");
		await keeper.until(() => keeper.states.length > 2);
		expect(keeper.states.map((state) => state?.code)).toEqual([
			undefined,
			"E_INTERNAL",
			undefined,
		]);
		say(sink, 3, "a", "3");
		sink.commit();
		await keeper.until(() => keeper.safe.length === 2);
	});
});
