import { generate } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RETAINED } from "#host/contract.js";
import { Inlet } from "#host/mqtt/inlet.js";
import { MqttSource, type SourceOptions } from "#host/mqtt/source.js";
import { type Client, FakeBroker } from "./fake-broker.js";
import { brokerAt, RecordingIntake } from "./recorders.js";

let broker: FakeBroker;
let source: MqttSource;
let intake: RecordingIntake;

async function open(
	protocol: 4 | 5,
	more: Partial<SourceOptions> = {},
	clean = true,
): Promise<Client> {
	broker = await new FakeBroker(protocol).start();
	source = new MqttSource({
		broker: brokerAt(broker.url, { protocol, clean, sessionExpiry: 60 }),
		topic: "s/#",
		qos: 1,
		window: 100,
		maxReading: 64 * 1024,
		clock: () => 1_000_000,
		...more,
	});
	intake = new RecordingIntake();
	await source.start(intake);
	return broker.clients.next();
}

beforeEach(() => {
	source = undefined as unknown as MqttSource;
});
afterEach(async () => {
	await source?.close();
	await broker.stop();
});

/** Drinks `bytes` cut before the byte `cut`. */
function drink(bytes: Buffer, cut: number): void {
	const inlet = new Inlet(source.largest);
	for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
		if (piece.length === 0) continue;
		inlet.filled(piece.copy(inlet.room()));
		source.drink(inlet);
	}
}

// MQTT 3.1.1
// biome-ignore format: a line is a field
const V4 = Buffer.from([
	0x30, 0x08, // PUBLISH, QoS 0, 8 bytes to come
	0x00, 0x03, 0x73, 0x2f, 0x61, // topic "s/a"
	0x6f, 0x6e, 0x65, // "one"
	0x33, 0x0a, // PUBLISH, QoS 1, RETAIN
	0x00, 0x03, 0x73, 0x2f, 0x62, // topic "s/b"
	0x12, 0x34, // message id 0x1234
	0x74, 0x77, 0x6f, // "two"
	0x32, 0x07, // PUBLISH, QoS 1
	0x00, 0x03, 0x73, 0x2f, 0x63, // topic "s/c"
	0x00, 0x01, // message id 1, empty payload
	0xd0, 0x00, // PINGRESP: not a reading
	0x30, 0x08, // PUBLISH, QoS 0
	0x00, 0x03, 0x73, 0x2f, 0x64, // topic "s/d"
	0x65, 0x6e, 0x64, // "end"
]);

// MQTT 5
// biome-ignore format: a line is a field
const V5 = Buffer.from([
	0x32, 0x2b, // PUBLISH, QoS 1, 43 bytes to come
	0x00, 0x03, 0x73, 0x2f, 0x61, // topic "s/a"
	0x00, 0x07, // message id 7
	0x1f, // 31 bytes of properties
	0x26, 0x00, 0x01, 0x61, 0x00, 0x01, 0x62, // user property a=b
	0x02, 0x00, 0x00, 0x00, 0x3c, // expires in 60 s
	0x23, 0x00, 0x05, // topic alias 5
	0x0b, 0x81, 0x01, // subscription identifier 129
	0x26, 0x00, 0x01, 0x63, 0x00, 0x01, 0x64, // user property c=d
	0x01, 0x01, // the payload is UTF-8
	0x08, 0x00, 0x01, 0x72, // response topic "r"
	0x6f, 0x6e, 0x65, 0x21, // "one!"
	0x30, 0x09, // PUBLISH, QoS 0
	0x00, 0x00, // no topic, but
	0x03, 0x23, 0x00, 0x05, // topic alias 5
	0x74, 0x77, 0x6f, // "two"
	0x30, 0x06, // PUBLISH, QoS 0
	0x00, 0x03, 0x73, 0x2f, 0x62, // topic "s/b"
	0x00, // no properties, no payload
]);

describe("packets cut anywhere", () => {
	test("3.1.1", async () => {
		const client = await open(4);
		for (let cut = 0; cut <= V4.length; cut++) {
			intake.taken.length = 0;
			drink(V4, cut);
			expect(intake.taken.map((r) => [r.topic, r.payload, r.flags])).toEqual([
				["s/a", "one", 0],
				["s/b", "two", RETAINED],
				["s/c", "", 0],
				["s/d", "end", 0],
			]);
			source.acknowledge(intake.number);
			expect((await client.next("puback")).messageId).toBe(0x1234);
			expect((await client.next("puback")).messageId).toBe(1);
		}
	});

	test("MQTT 5: properties, topic alias, expiry", async () => {
		const client = await open(5);
		for (let cut = 0; cut <= V5.length; cut++) {
			intake.taken.length = 0;
			drink(V5, cut);
			expect(
				intake.taken.map(({ number, flags, ...reading }) => reading),
			).toEqual([
				{
					topic: "s/a",
					payload: "one!",
					user: "\x26\0\x01a\0\x01b\x26\0\x01c\0\x01d",
					expires: 1_060_000,
				},
				{
					topic: "s/a",
					payload: "two",
					user: "",
					expires: Number.POSITIVE_INFINITY,
				},
				{
					topic: "s/b",
					payload: "",
					user: "",
					expires: Number.POSITIVE_INFINITY,
				},
			]);
			source.acknowledge(intake.number);
			expect((await client.next("puback")).messageId).toBe(7);
		}
	});

	test("byte by byte through a real socket", async () => {
		const client = await open(4);
		client.socket.setNoDelay(true);
		for (const byte of V4) client.raw(Buffer.of(byte));
		await intake.until(() => intake.taken.length === 4);
		expect(intake.payloads).toEqual(["one", "two", "", "end"]);
	});
});

test("expiry and user properties of one source are not another's, which has none in MQTT 3.1.1", async () => {
	const of5 = await open(5);
	of5.send({
		cmd: "publish",
		topic: "s/a",
		payload: "5",
		qos: 0,
		dup: false,
		retain: false,
		properties: { messageExpiryInterval: 1, userProperties: { a: "b" } },
	});
	await intake.until(() => intake.taken.length === 1);
	expect(intake.taken[0]).toMatchObject({ expires: 1_001_000 });
	await source.close();
	await broker.stop();
	const of4 = await open(4);
	of4.raw(V4);
	await intake.until(() => intake.payloads.includes("end"));
	for (const { user, expires } of intake.taken)
		expect([user, expires]).toEqual(["", Number.POSITIVE_INFINITY]);
});

describe("what the broker must not send", () => {
	test.each([
		["QoS 3", 4, [0x36, 0x05, 0, 1, 0x73, 0, 1]],
		["a topic beyond the packet", 4, [0x30, 0x03, 0, 9, 0x73]],
		["a packet without a topic", 4, [0x30, 0x01, 0]],
		["a length of five bytes", 4, [0x30, 0x80, 0x80, 0x80, 0x80, 1]],
		["an unknown topic alias", 5, [0x30, 0x06, 0, 0, 3, 0x23, 0, 9]],
		["a topic alias of 0", 5, [0x30, 0x07, 0, 0, 3, 0x23, 0, 0, 1]],
		[
			"a topic alias above the maximum",
			5,
			[0x30, 0x06, 0, 0, 3, 0x23, 0x7f, 0xff],
		],
		["an unknown property", 5, [0x30, 0x05, 0, 1, 0x73, 1, 0x55]],
		["properties beyond the packet", 5, [0x30, 0x05, 0, 1, 0x73, 9, 0x01]],
		["a cut user property", 5, [0x30, 0x08, 0, 1, 0x73, 4, 0x26, 0, 9, 1]],
	] as const)("%s resets the connection", async (_, protocol, bytes) => {
		const client = await open(protocol);
		client.raw(
			Buffer.from([
				0x30,
				...(protocol === 5 ? [4, 0, 1, 0x73, 0] : [3, 0, 1, 0x73]),
				...bytes,
			]),
		);
		await client.next("close");
		await intake.until(() =>
			intake.states.some((e) => e?.code === "E_MQTT_PROTOCOL"),
		);
		expect(intake.taken).toHaveLength(1); // what came before it counts
		await broker.clients.next(); // and a new connection is made
	});
});

describe("readings that are too large", () => {
	const huge = (qos: 0 | 1, size: number, protocol: 4 | 5) =>
		generate(
			{
				cmd: "publish",
				topic: "s/huge",
				payload: Buffer.alloc(size, "x"),
				qos,
				dup: false,
				retain: false,
				messageId: 99,
			},
			{ protocolVersion: protocol },
		);

	test.each([
		[4, 65_537],
		[4, 300_000],
		[4, 10_000_000],
		[5, 10_000_000],
	] as const)(
		"MQTT %d: %d bytes are refused, acknowledged when settled, and the next one is fine",
		async (protocol, size) => {
			const client = await open(protocol, { keepRefused: 1000 });
			client.raw(huge(1, size, protocol));
			client.send({
				cmd: "publish",
				topic: "s/a",
				payload: "next",
				qos: 1,
				dup: false,
				retain: false,
				messageId: 100,
			});
			await intake.until(() => intake.taken.length === 1);
			expect(intake.refused).toHaveLength(1);
			const refused = intake.refused[0];
			expect(refused?.topic).toBe("s/huge");
			expect(refused?.error.code).toBe("E_READING_SIZE");
			expect(refused?.payload.equals(Buffer.alloc(1000, "x"))).toBe(true);
			expect(client.queue("puback").items).toHaveLength(0);
			source.acknowledge(2);
			expect((await client.next("puback")).messageId).toBe(99);
			expect((await client.next("puback")).messageId).toBe(100);
		},
	);

	test("the largest reading allowed is taken", async () => {
		const client = await open(4, { maxReading: 1_000_000 });
		client.raw(huge(1, 1_000_000, 4));
		await intake.until(() => intake.taken.length === 1);
		expect(intake.payloads[0]).toHaveLength(1_000_000);
	});
});

describe("acknowledgements", () => {
	const publish = (
		messageId: number,
		payload: string,
		qos: 0 | 1 | 2 = 1,
		dup = false,
	) =>
		({
			cmd: "publish",
			topic: "s/a",
			payload,
			qos,
			dup,
			retain: false,
			messageId,
		}) as const;

	test("go out in the order the readings came, only up to the number", async () => {
		const client = await open(4);
		for (const id of [9, 3, 7]) client.send(publish(id, `${id}`));
		await intake.until(() => intake.taken.length === 3);
		source.acknowledge(2);
		source.acknowledge(2);
		source.acknowledge(1); // a smaller number is no news
		source.acknowledge(3);
		const ids = [];
		for (let i = 0; i < 3; i++)
			ids.push((await client.next("puback")).messageId);
		expect(ids).toEqual([9, 3, 7]);
		expect(client.packets.filter((p) => p.cmd === "puback")).toHaveLength(3);
	});

	test("may be given from within take()", async () => {
		const client = await open(4);
		intake.during = () => source.acknowledge(intake.number);
		for (let id = 1; id <= 3000; id++) client.send(publish(id, ""));
		for (let id = 1; id <= 3000; id++)
			expect((await client.next("puback")).messageId).toBe(id);
	});

	test("are never sent on another connection than the reading's", async () => {
		const first = await open(4, {}, false);
		first.send(publish(5, "five"));
		await intake.until(() => intake.taken.length === 1);
		broker.connack = { sessionPresent: true };
		first.socket.destroy();
		const second = await broker.clients.next();
		await intake.until(() => intake.states.at(-1) === undefined);
		source.acknowledge(1); // settles number 0: the lost connection's id 5
		second.send(publish(5, "five", 1, true)); // comes again: a new reading
		await intake.until(() => intake.taken.length === 2);
		expect(second.queue("puback").items).toHaveLength(0);
		source.acknowledge(2);
		expect((await second.next("puback")).messageId).toBe(5);
		expect(second.packets.filter((p) => p.cmd === "puback")).toHaveLength(1);
		expect(second.packets.some((p) => p.cmd === "subscribe")).toBe(false); // the session has it
	});

	test("a repeat of what is under way on the same connection is not taken again", async () => {
		const client = await open(4);
		client.send(publish(5, "five"));
		await intake.until(() => intake.taken.length === 1);
		client.send(publish(5, "five", 1, true));
		client.send(publish(6, "six"));
		await intake.until(() => intake.payloads.includes("six"));
		expect(intake.payloads).toEqual(["five", "six"]);
		source.acknowledge(2);
		expect((await client.next("puback")).messageId).toBe(5);
		expect((await client.next("puback")).messageId).toBe(6);
		client.send(publish(5, "five", 1, true)); // our PUBACK was too late: it wants another
		await intake.until(() => intake.taken.length === 3);
		source.acknowledge(3);
		expect((await client.next("puback")).messageId).toBe(5);
		expect(client.packets.filter((p) => p.cmd === "puback")).toHaveLength(3);
	});

	test.each([
		[1, "puback"],
		[2, "pubrec"],
	] as const)(
		"QoS %d: a repeat that comes together with the first is not taken again",
		async (qos, answer) => {
			const client = await open(4, { qos: 2 });
			intake.during = () => source.acknowledge(intake.number); // settled before the next
			const once = publish(5, "five", qos);
			const all = [once, { ...once, dup: true }, publish(6, "six", qos)];
			client.raw(Buffer.concat(all.map((packet) => generate(packet))));
			await intake.until(() => intake.payloads.includes("six"));
			expect(intake.payloads).toEqual(["five", "six"]);
			const ids: unknown[] = [];
			while (!ids.includes(6)) ids.push((await client.next(answer)).messageId);
			// To an id of QoS 1 a second answer could settle the next message that gets it.
			expect(ids).toEqual(qos === 1 ? [5, 6] : [5, 5, 6]);
		},
	);

	test("QoS 1 and 2 on one subscription keep their order", async () => {
		const client = await open(4, { qos: 2 });
		client.send(publish(1, "a", 2));
		client.send(publish(2, "b", 1));
		client.send(publish(3, "c", 0));
		client.send(publish(4, "d", 2));
		await intake.until(() => intake.taken.length === 4);
		expect(intake.payloads).toEqual(["a", "b", "c", "d"]); // at PUBLISH, not at PUBREL
		source.acknowledge(4);
		expect((await client.next("pubrec")).messageId).toBe(1);
		expect((await client.next("puback")).messageId).toBe(2);
		expect((await client.next("pubrec")).messageId).toBe(4);
		const order = client.packets
			.map((p) => p.cmd)
			.filter((cmd) => cmd.startsWith("pub"));
		expect(order).toEqual(["pubrec", "puback", "pubrec"]);
		client.send({ cmd: "pubrel", messageId: 1 });
		expect((await client.next("pubcomp")).messageId).toBe(1);
	});

	test("QoS 2: what a resumed session sends again is not taken twice", async () => {
		const first = await open(4, { qos: 2 }, false);
		first.send(publish(1, "settled", 2));
		first.send(publish(2, "open", 2));
		await intake.until(() => intake.taken.length === 2);
		source.acknowledge(1);
		await first.next("pubrec");
		broker.connack = { sessionPresent: true };
		first.socket.destroy();
		const second = await broker.clients.next();
		second.send(publish(1, "settled", 2, true));
		second.send(publish(2, "open", 2, true));
		second.send(publish(3, "new", 2));
		await intake.until(() => intake.taken.length === 3);
		expect(intake.payloads).toEqual(["settled", "open", "new"]);
		expect((await second.next("pubrec")).messageId).toBe(1);
		source.acknowledge(3);
		expect((await second.next("pubrec")).messageId).toBe(2);
		expect((await second.next("pubrec")).messageId).toBe(3);
		second.send({ cmd: "pubrel", messageId: 1 });
		await second.next("pubcomp");
		second.send(publish(1, "id used again", 2));
		await intake.until(() => intake.taken.length === 4);
	});

	test("a session that is gone is told, as what it held is lost; a kept one and a clean one are not", async () => {
		const told: unknown[] = [];
		const log = {
			info: () => {},
			warn: (_: unknown, what: unknown) => told.push(what),
			error: () => {},
		} as unknown as NonNullable<SourceOptions["log"]>;
		for (const [clean, sessionPresent, losses] of [
			[false, true, 0],
			[true, false, 0],
			[false, false, 1],
		] as const) {
			const first = await open(4, { log }, clean);
			expect(told).toEqual([]); // at the first connection nobody knows
			broker.connack = { sessionPresent };
			first.socket.destroy();
			await broker.clients.next();
			await intake.until(() => intake.states.at(-1) === undefined);
			expect(told.length).toBe(losses);
			await source.close();
			await broker.stop();
		}
		expect(told[0]).toMatch(/^the broker has forgotten the session: .* lost/);
	});

	test("QoS 2: a session that is gone makes its ids mean nothing", async () => {
		const first = await open(4, { qos: 2 }, false);
		first.send(publish(1, "old", 2));
		await intake.until(() => intake.taken.length === 1);
		first.socket.destroy();
		const second = await broker.clients.next();
		await second.next("subscribe");
		second.send(publish(1, "other", 2));
		await intake.until(() => intake.taken.length === 2);
		expect(intake.payloads).toEqual(["old", "other"]);
	});
});

describe("back-pressure", () => {
	const cold = (i: number) =>
		({
			cmd: "publish",
			topic: "s/a",
			payload: `${i}`.padEnd(1000),
			qos: 0,
			dup: false,
			retain: false,
		}) as const;

	test("a paused source stops reading; resume() loses nothing", async () => {
		const client = await open(4);
		intake.during = () => source.pause();
		const count = 20_000; // 20 MB: more than any socket buffer
		let left = 0;
		const sent = (async () => {
			for (; left < count; left++)
				if (!client.socket.write(generate(cold(left))))
					await new Promise((drained) => client.socket.once("drain", drained));
		})();
		await intake.until(() => intake.taken.length > 0);
		// The broker gets stuck: nothing is read while paused.
		const stuck = new Promise<void>((resolve) => {
			let last = -1;
			const look = () => {
				if (left === last && client.socket.writableLength > 0) return resolve();
				last = left;
				setTimeout(look, 50); // looks until nothing moves; no fixed wait
			};
			look();
		});
		await stuck;
		const taken = intake.taken.length;
		expect(taken).toBeLessThanOrEqual(1024);
		expect(left).toBeLessThan(count);
		intake.during = () => {};
		source.resume();
		await sent;
		await intake.until(() => intake.taken.length === count);
		expect(intake.payloads.map(Number)).toEqual([...Array(count).keys()]);
	});

	test("pause() in every take(), resume() later: batches in order", async () => {
		const client = await open(4);
		intake.during = () => {
			source.pause();
			setImmediate(() => source.resume());
		};
		const all = Buffer.concat(
			Array.from({ length: 5000 }, (_, i) =>
				generate({ ...cold(i), payload: `${i}` }),
			),
		);
		client.raw(all);
		await intake.until(() => intake.taken.length === 5000);
		expect(intake.payloads.map(Number)).toEqual([...Array(5000).keys()]);
	});

	test("what was read from a lost connection is handed over on resume", async () => {
		const client = await open(4);
		client.send({ ...cold(0), qos: 1, messageId: 1 });
		await intake.until(() => intake.taken.length === 1);
		source.pause();
		// One write, one chunk: the answer to PUBREL says that the readings have been read too.
		client.raw(
			Buffer.concat([
				generate({ cmd: "pubrel", messageId: 77 }),
				generate(cold(1)),
				generate(cold(2)),
			]),
		);
		await client.next("pubcomp");
		client.socket.resetAndDestroy();
		source.acknowledge(1); // the write finds out
		await intake.until(() => intake.states.some((error) => error));
		await (await broker.clients.next()).next("subscribe");
		source.resume();
		await intake.until(() => intake.taken.length === 3);
		expect(intake.payloads.map(Number)).toEqual([0, 1, 2]);
	});

	test("a defect while they are handed over does not stop the source for good", async () => {
		const client = await open(4);
		client.send({ ...cold(0), qos: 1, messageId: 1 });
		await intake.until(() => intake.taken.length === 1);
		source.pause();
		const unread = (i: number) =>
			Buffer.concat([
				generate({ cmd: "pubrel", messageId: 77 }),
				generate(cold(i)),
			]);
		client.raw(unread(1));
		await client.next("pubcomp");
		client.socket.resetAndDestroy();
		source.acknowledge(1); // the write finds out
		const next = await broker.clients.next();
		await next.next("subscribe");
		next.raw(unread(2));
		await next.next("pubcomp");
		intake.during = () => {
			throw new Error("a defect");
		};
		expect(() => source.resume()).toThrow("a defect");
		intake.during = () => {};
		source.resume();
		await intake.until(() => intake.payloads.map(Number).includes(2));
	});

	test("after stop() nothing is taken, acknowledging still works", async () => {
		const client = await open(4);
		client.send({
			cmd: "publish",
			topic: "s/a",
			payload: "1",
			qos: 1,
			dup: false,
			retain: false,
			messageId: 1,
		});
		await intake.until(() => intake.taken.length === 1);
		await source.stop();
		client.send({
			cmd: "publish",
			topic: "s/a",
			payload: "2",
			qos: 1,
			dup: false,
			retain: false,
			messageId: 2,
		});
		source.resume();
		source.acknowledge(1);
		expect((await client.next("puback")).messageId).toBe(1);
		await source.close();
		await client.next("disconnect");
		expect(intake.taken).toHaveLength(1);
	});
});

describe("connecting", () => {
	test("MQTT 5 offers topic aliases to a clean session only", async () => {
		const client = await open(5, { window: 33 });
		expect(client.packets[0]).toMatchObject({
			clean: true,
			properties: { topicAliasMaximum: 256, sessionExpiryInterval: 0 },
		});
	});

	test("MQTT 5 announces the window and the session", async () => {
		const client = await open(5, { window: 33 }, false);
		const connect = client.packets[0];
		expect(connect).toMatchObject({
			cmd: "connect",
			clean: false,
			properties: {
				receiveMaximum: 33,
				// A broker may keep messages with aliases that nobody knows any more.
				topicAliasMaximum: 0,
				sessionExpiryInterval: 60,
			},
		});
	});

	test("a refused subscription is told and tried again", async () => {
		broker = await new FakeBroker(4).start();
		broker.granted = 0x80;
		source = new MqttSource({
			broker: brokerAt(broker.url),
			topic: "s/#",
			qos: 1,
			window: 10,
			maxReading: 1000,
			clock: Date.now,
		});
		intake = new RecordingIntake();
		const started = source.start(intake);
		await intake.until(() => intake.states.length > 0);
		expect(intake.states[0]?.code).toBe("E_MQTT_SUBSCRIBE");
		expect(intake.states[0]?.message).toContain("s/#");
		broker.granted = undefined;
		await started;
		expect(intake.states.at(-1)).toBeUndefined();
	});

	test("close() before it is subscribed rejects start()", async () => {
		broker = await new FakeBroker(4).start();
		broker.connack = undefined;
		source = new MqttSource({
			broker: brokerAt(broker.url),
			topic: "s/#",
			qos: 1,
			window: 10,
			maxReading: 1000,
			clock: Date.now,
		});
		const started = source.start(new RecordingIntake());
		await broker.clients.next();
		await source.close();
		await expect(started).rejects.toThrow("before it was subscribed");
	});
});

describe("when the connection fails at a bad moment", () => {
	test("lost between SUBSCRIBE and SUBACK: subscribes again, though the broker has a session", async () => {
		const first = await open(4, {}, false);
		broker.subscribes = false;
		first.socket.destroy();
		const second = await broker.clients.next();
		await second.next("subscribe");
		broker.connack = { sessionPresent: true };
		broker.subscribes = true;
		second.socket.destroy();
		const third = await broker.clients.next();
		await third.next("subscribe");
	});

	/** PUBLISH, QoS 0, topic "s/a", a byte of payload. */
	const one = (payload: number) =>
		Buffer.from([0x30, 0x06, 0x00, 0x03, 0x73, 0x2f, 0x61, payload]);
	/** PUBLISH of QoS 3, behind a full batch: the line may pause before it. */
	const BROKEN = Buffer.concat([
		Buffer.from([0x32, 0x08, 0x00, 0x03, 0x73, 0x2f, 0x61, 0x00, 0x01, 0x31]), // QoS 1
		...Array.from({ length: 1023 }, () => one(0x31)),
		one(0x32),
		Buffer.from([0x36, 0x05, 0x00, 0x03, 0x73, 0x2f, 0x61]),
	]);

	test("a malformed packet behind a pause ends the connection, not whoever resumes", async () => {
		const client = await open(4);
		intake.during = () => {
			source.pause();
			setImmediate(() => source.resume());
		};
		client.raw(BROKEN);
		await intake.until(() =>
			intake.states.some((state) => state?.code === "E_MQTT_PROTOCOL"),
		);
		await broker.clients.next();
		expect(intake.taken).toHaveLength(1025);
	});

	test("a malformed packet among readings of a lost connection is left out", async () => {
		const first = await open(4);
		intake.during = () => source.pause();
		first.raw(BROKEN);
		await intake.until(() => intake.taken.length === 1024);
		first.socket.resetAndDestroy();
		await first.next("close");
		source.acknowledge(1); // a socket that is not read finds out when it writes
		await intake.until(() => intake.states.at(-1) !== undefined);
		const second = await broker.clients.next();
		await intake.until(() => intake.states.at(-1) === undefined);
		second.raw(one(0x33));
		intake.during = () => {};
		source.resume();
		await intake.until(() => intake.taken.length === 1026);
		expect(intake.payloads.slice(1023)).toEqual(["1", "2", "3"]);
	});
});
