import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { describe, expect, it, onTestFinished } from "vitest";
import { openFirehose } from "../../bench/load/firehose.mjs";
import {
	answeredBy,
	BASE,
	isHot,
	packetOf,
	payloadOf,
	renumber,
	SUBSCRIPTION,
} from "../../bench/load/readings.mjs";
import {
	PUBACK,
	PUBLISH,
	pubacks,
	publishParts,
	splitter,
} from "../../bench/load/wire.mjs";

/** Long enough for some of the 10 ms in which Linux counts a process's time, however many others want the core. */
const SPAN = { pid: process.pid, warmMs: 20, ms: 300, silenceMs: 1500 };

/** What a client does with reading `n` (packet identifier `id`), and with the PUBACK of alert `id`. */
interface Client {
	reading(n: number, id: number, socket: Socket): void;
	puback?(id: number, socket: Socket): void;
}

/** A client that subscribes to the firehose and behaves as told. */
async function attach(
	qos: 0 | 1,
	client: Client,
	version: 4 | 5 = 4,
): Promise<Awaited<ReturnType<typeof openFirehose>>> {
	const firehose = await openFirehose({ qos });
	const socket = dial(firehose.port, "127.0.0.1");
	onTestFinished(async () => {
		socket.destroy();
		await firehose.close();
	});
	const split = splitter((bytes, first, at, end) => {
		if (first >> 4 === PUBACK)
			return client.puback?.(bytes.readUInt16BE(at), socket);
		if (first >> 4 !== PUBLISH) return;
		const { payloadAt, id } = publishParts(bytes, first, at, version === 5);
		const reading = JSON.parse(bytes.toString("utf8", payloadAt, end));
		client.reading(reading.timestamp - BASE, id, socket);
	});
	await once(socket, "connect");
	socket.on("data", split);
	const options = { protocolVersion: version };
	socket.write(
		generate(
			{
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: version,
				clean: true,
				clientId: "test",
				keepalive: 0,
			},
			options,
		),
	);
	const subscriptions = [{ topic: SUBSCRIPTION, qos }];
	socket.write(
		generate({ cmd: "subscribe", messageId: 1, subscriptions }, options),
	);
	await firehose.subscribed;
	return firehose;
}

function alert(
	n: number,
	qos: 0 | 1 = 0,
	messageId = 1,
	version: 4 | 5 = 4,
): Buffer {
	return generate(
		{
			cmd: "publish",
			topic: `alerts/s/${n % 100}`,
			payload: `{"device_id":"press-627","alert_type":"high_temperature","value":95.08,"timestamp":${BASE + n}}`,
			qos,
			...(qos ? { messageId } : {}),
			dup: false,
			retain: false,
		},
		{ protocolVersion: version },
	);
}

describe("the firehose at QoS 0", () => {
	it.each([4, 5] as const)(
		"counts the answers of a client that speaks version %d",
		async (version) => {
			const firehose = await attach(
				0,
				{
					reading(n, _id, socket) {
						if (isHot(n)) socket.write(alert(n, 0, 1, version));
					},
				},
				version,
			);
			const measured = await firehose.measure(SPAN);
			expect(measured).toMatchObject({ lost: 0, wrong: 0, repeated: 0 });
			expect(measured.sent).toBeGreaterThan(0);
			expect(measured.alerts).toBe(measured.sent / 6);
			expect(measured.rate).toBeGreaterThan(0);
			expect(measured.cpu).toBeGreaterThan(0);
		},
	);

	it("notices what is lost, repeated or wrong", async () => {
		const firehose = await attach(0, {
			reading(n, _id, socket) {
				if (n === 6) return;
				if (isHot(n)) socket.write(alert(n));
				if (n === 12) socket.write(alert(n));
				if (n === 13) socket.write(alert(n));
			},
		});
		// The numbers come round again after 60,000 readings, and each round has the same faults.
		const measured = await firehose.measure({ ...SPAN, warmMs: 0, ms: 1 });
		const rounds = Math.ceil(measured.sent / 60_000);
		expect(measured.wrong).toBe(rounds);
		expect(measured.lost).toBe(rounds);
		expect(measured.repeated).toBe(rounds);
	});
});

describe("the firehose at QoS 1", () => {
	it("finds nothing to blame in a client that waits for its outputs", async () => {
		const waiting: Array<{ n: number; id: number }> = [];
		let safe = -1;
		function release(socket: Socket): void {
			while (waiting[0] && (!isHot(waiting[0].n) || waiting[0].id <= safe))
				socket.write(pubacks([(waiting.shift() as { id: number }).id]));
			safe = -1;
		}
		const firehose = await attach(1, {
			reading(n, id, socket) {
				waiting.push({ n, id });
				if (isHot(n)) socket.write(alert(n, 1, id));
				else release(socket);
			},
			puback(id, socket) {
				safe = id;
				release(socket);
			},
		});
		const measured = await firehose.measure(SPAN);
		expect(measured).toMatchObject({
			lost: 0,
			wrong: 0,
			repeated: 0,
			disordered: 0,
			early: 0,
		});
		expect(measured.acked).toBe(measured.sent);
	});

	it("tells a client that acknowledges first from one that waits", async () => {
		const firehose = await attach(1, {
			reading(n, id, socket) {
				socket.write(pubacks([id]));
				if (isHot(n)) socket.write(alert(n, 1, id));
			},
		});
		const measured = await firehose.measure(SPAN);
		expect(measured).toMatchObject({ lost: 0, disordered: 0 });
		expect(measured.early).toBe(measured.alerts);
	});

	it("notices PUBACKs out of receive order", async () => {
		let held = 0;
		const firehose = await attach(1, {
			reading(n, id, socket) {
				if (isHot(n)) socket.write(alert(n, 1, id));
				if (n === 100) held = id;
				else socket.write(pubacks(n === 101 ? [id, held] : [id]));
			},
		});
		const measured = await firehose.measure({ ...SPAN, warmMs: 0, ms: 1 });
		expect(measured.disordered).toBe(2 * Math.ceil(measured.sent / 60_000));
	});
});

describe("readings", () => {
	it("come in other sizes and with other shares of alerts", () => {
		for (const size of [10, 256, 4096]) {
			const text = payloadOf(600, { size, hotEvery: 600 });
			expect(text.length).toBe(Math.max(size, payloadOf(0).length));
			expect(JSON.parse(text)).toMatchObject({
				temperature: 95.08,
				timestamp: BASE + 600,
			});
			expect(JSON.parse(payloadOf(6, { hotEvery: 600 })).temperature).toBe(
				60.08,
			);
		}
	});

	it("are renumbered in place", () => {
		const packet = packetOf(3, { qos: 0 });
		renumber(packet, packet.length, 987_654_303);
		const reading = payloadOf(3).replace(
			String(BASE + 3),
			String(BASE + 987_654_303),
		);
		expect(packet.toString("utf8", packet.length - reading.length)).toBe(
			reading,
		);
	});

	it.each([
		["the right alert", alert(12), 12],
		["a cold reading's", alert(13), -1],
		["another value", replaced(alert(12), "95.08", "95.09"), -1],
		["another topic", replaced(alert(12), "s/12", "s/13"), -1],
		["a digit that is none", replaced(alert(12), "12}", "1x}"), -1],
		["nothing behind the topic", alert(12).subarray(0, 15), -1],
	])("are answered by %s or not", (_name, packet, expected) => {
		let found: number | undefined;
		const whole = Buffer.from(packet);
		whole[1] = whole.length - 2;
		splitter((bytes, first, at, end) => {
			const { payloadAt } = publishParts(bytes, first, at);
			found = answeredBy(bytes, at, payloadAt, end);
		})(whole);
		expect(found).toBe(expected);
	});
});

function replaced(packet: Buffer, from: string, to: string): Buffer {
	return Buffer.from(packet.toString("latin1").replace(from, to), "latin1");
}
