import { generate } from "mqtt-packet";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Gather, type Thread } from "#host/mqtt/gather.js";
import { mqttPublisher } from "#host/mqtt/publisher.js";
import { mqttSink } from "#host/mqtt/sink.js";
import { mqttSource } from "#host/mqtt/source.js";
import { type Client, FakeBroker } from "./fake-broker.js";
import { hasMosquitto, Mosquitto, OPEN } from "./mosquitto.js";
import {
	brokerAt,
	RecordingIntake,
	RecordingKeeper,
	say,
} from "./recorders.js";

const COUNT = 3000;
/** Readings a turn of the event loop; the thread rests 1 ms in most turns. */
const TOGETHER = 30;
const NUMBERS = [...Array(COUNT).keys()];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** Gathers from the first reading on, whatever this machine's speed: for it the clock stands still at a fast moment. */
function gathering(thread: Partial<Thread> = {}): Gather {
	const gather = new Gather(1, {
		now: () => 1000,
		afterTurn: setImmediate,
		sleep() {},
		...thread,
	});
	gather.took(100_000, 100_000, Number.POSITIVE_INFINITY, false, 1000);
	expect(gather.on).toBe(true);
	return gather;
}

/** One that sleeps and counts. */
function counting() {
	const cell = new Int32Array(new SharedArrayBuffer(4));
	const counted = {
		rests: 0,
		gather: gathering({
			sleep(ms) {
				counted.rests++;
				Atomics.wait(cell, 0, 0, ms);
			},
		}),
	};
	return counted;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** In → echo → out, acknowledged when delivered, all through `url`. */
async function echo(url: string, qos: 0 | 1 | 2, gather: Gather) {
	const common = { clock: Date.now, window: 1000, gather };
	const publisher = mqttPublisher({ ...common, broker: brokerAt(url) });
	const sink = mqttSink(publisher, { qos, retain: false });
	const source = mqttSource({
		...common,
		broker: brokerAt(url),
		topic: "in/#",
		qos,
		maxReading: 65_536,
	});
	const [keeper, intake] = [new RecordingKeeper(), new RecordingIntake()];
	const settle = keeper.settle.bind(keeper);
	keeper.settle = () => {
		settle();
		source.acknowledge(keeper.safe.length);
	};
	intake.during = (batch) => {
		for (let i = 0; i < batch.count; i++)
			say(sink, batch.number[i] as number, "out", batch.payload(i).toString());
		sink.commit();
	};
	await sink.start(keeper);
	await source.start(intake);
	closing.push(
		() => sink.close(),
		() => source.close(),
	);
	return { keeper, intake };
}

describe.skipIf(!hasMosquitto)("through mosquitto", () => {
	const brokers = {
		"Nagle's algorithm on": new Mosquitto(OPEN),
		set_tcp_nodelay: new Mosquitto([...OPEN, "set_tcp_nodelay true"]),
	};
	beforeAll(async () => {
		for (const broker of Object.values(brokers)) await broker.start();
	});
	afterAll(async () => {
		for (const broker of Object.values(brokers)) await broker.remove();
	});

	const cases = Object.entries(brokers).flatMap(([name, broker]) =>
		([0, 1, 2] as const).map((qos) => [name, qos, broker] as const),
	);
	test.each(cases)(
		"%s, QoS %d: all arrive, once, in order, while the thread rests",
		async (_, qos, broker) => {
			const counted = counting();
			const { keeper } = await echo(broker.url, qos, counted.gather);
			const out = mqttSource({
				broker: brokerAt(broker.url),
				topic: "out",
				qos,
				window: 1000,
				maxReading: 65_536,
				clock: Date.now,
			});
			const arrived = new RecordingIntake();
			arrived.during = () =>
				queueMicrotask(() => out.acknowledge(arrived.number));
			await out.start(arrived);
			const feed = mqttPublisher({
				broker: brokerAt(broker.url),
				window: 1000,
				clock: Date.now,
			});
			const feeder = mqttSink(feed, { qos, retain: false });
			const fed = new RecordingKeeper();
			await feeder.start(fed);
			closing.push(
				() => out.close(),
				() => feeder.close(),
			);

			for (let n = 0; n < COUNT; n++) {
				say(feeder, n, "in/x", `${n}`);
				if (n % TOGETHER !== 0 && n !== COUNT - 1) continue;
				feeder.commit();
				if (!feeder.ready) {
					const before = fed.welcomed;
					await fed.until(() => fed.welcomed > before);
				} else await turn();
			}
			await arrived.until(() => arrived.taken.length >= COUNT);
			expect(arrived.payloads.map(Number)).toEqual(NUMBERS);
			await keeper.until(() => keeper.safe.length === COUNT);
			expect(keeper.safe).toEqual(NUMBERS);
			// How often is the broker's to say, by how it cuts its stream.
			expect(counted.rests).toBeGreaterThan(0);
		},
	);
});

describe("acknowledgements", () => {
	async function pour(gather: Gather) {
		const broker = await new FakeBroker().start();
		const { intake } = await echo(broker.url, 1, gather);
		closing.unshift(() => broker.stop());
		const [output, input] = [
			await broker.clients.next(),
			await broker.clients.next(),
		];
		const told: number[] = [];
		const listening = (async () => {
			while (told.length < COUNT)
				told.push((await input.next("puback")).messageId);
		})();
		const echoing = (async () => {
			for (let n = 0; n < COUNT; n++) {
				const { messageId } = await output.next("publish");
				output.send({ cmd: "puback", messageId });
			}
		})();
		for (let n = 0; n < COUNT; n++) {
			input.send({
				cmd: "publish",
				topic: "in/x",
				payload: `${n}`,
				qos: 1,
				messageId: n + 1,
				dup: false,
				retain: false,
			});
			if (n % TOGETHER === 0) await turn();
		}
		await Promise.all([listening, echoing]);
		expect(intake.payloads.map(Number)).toEqual(NUMBERS);
		return told;
	}

	test("all, in the order of their readings [MQTT-4.6.0-2]", async () => {
		const counted = counting();
		const told = await pour(counted.gather);
		expect(told).toEqual(NUMBERS.map((n) => n + 1));
		expect(counted.rests).toBeGreaterThan(10);
	});

	test("what is settled when the source closes still leaves", async () => {
		const broker = await new FakeBroker().start();
		const gather = gathering({ afterTurn() {} }); // a turn that never ends
		const source = mqttSource({
			broker: brokerAt(broker.url),
			topic: "in/#",
			qos: 1,
			window: 100,
			maxReading: 65_536,
			clock: Date.now,
			gather,
		});
		const intake = new RecordingIntake();
		await source.start(intake);
		const client = await broker.clients.next();
		client.send({
			cmd: "publish",
			topic: "in/x",
			payload: "1",
			qos: 1,
			messageId: 7,
			dup: false,
			retain: false,
		});
		await intake.until(() => intake.taken.length === 1);
		source.acknowledge(1);
		await source.close();
		expect((await client.next("puback")).messageId).toBe(7);
		await broker.stop();
	});
});

describe("what belongs to one connection", () => {
	/** A source at a broker that does as told, on a clock that only the test moves. */
	async function subscribed(qos: 0 | 1) {
		const broker = await new FakeBroker().start();
		const rests: number[] = [];
		const clock = { now: 1000 };
		const gather = gathering({
			now: () => clock.now,
			sleep: (ms) => rests.push(ms),
		});
		const source = mqttSource({
			broker: brokerAt(broker.url),
			topic: "in/#",
			qos,
			window: 1000,
			maxReading: 65_536,
			clock: Date.now,
			gather,
		});
		const intake = new RecordingIntake();
		await source.start(intake);
		closing.push(
			() => broker.stop(),
			() => source.close(),
		);
		return { broker, rests, clock, gather, source, intake };
	}

	/** So many readings in one piece. */
	function readings(client: Client, count: number, qos: 0 | 1): void {
		const packets = Array.from({ length: count }, (_, n) =>
			generate({
				cmd: "publish",
				topic: "in/x",
				payload: `${n}`,
				qos,
				...(qos > 0 && { messageId: n + 1 }),
				dup: false,
				retain: false,
			}),
		);
		client.raw(Buffer.concat(packets));
	}

	test("a broker that comes back with another window is seen anew", async () => {
		const { broker, rests, clock, gather, source, intake } =
			await subscribed(1);
		const before = await broker.clients.next();
		readings(before, 100, 1); // and no acknowledgement: its window is 100 or more
		await intake.until(() => intake.taken.length === 100);
		before.socket.destroy();
		const after = await broker.clients.next();
		await after.next("subscribe");
		for (let k = 1; k <= 10; k++) {
			clock.now += 2;
			gather.took(1000, 1000, Number.POSITIVE_INFINITY, false, clock.now); // others keep the thread fast
			readings(after, 4, 1);
			await intake.until(() => intake.taken.length === 100 + 4 * k);
			source.acknowledge(intake.number);
			for (let i = 0; i < 4; i++) await after.next("puback");
			await turn();
		}
		// Two readings/ms, four at a time: half a ms is a quarter of what the window lasts for.
		expect(rests.at(-1)).toBeCloseTo(0.5, 1);
		expect(rests).toContain(4); // it was looked for, once
	});

	test("PINGREQs after a stall end when the flow pauses", async () => {
		const { broker, clock, intake } = await subscribed(0);
		const client = await broker.clients.next();
		readings(client, 1, 0);
		await intake.until(() => intake.taken.length === 1);
		clock.now += 40;
		readings(client, 400, 0);
		await intake.until(() => intake.taken.length === 401);
		await client.next("pingreq");
		const pings = () =>
			client.packets.filter(({ cmd }) => cmd === "pingreq").length;
		// The fake broker has answered: nothing but that comes from now on.
		for (let quiet = 0, seen = 0; quiet < 500; seen = pings()) {
			await turn();
			quiet = pings() === seen ? quiet + 1 : 0;
		}
		expect(pings()).toBeLessThan(100); // 32 a read, and 400 readings may come in a few
	});
});

test("a full window of outputs is told", async () => {
	const broker = await new FakeBroker(5).start();
	broker.connack = { properties: { receiveMaximum: 2 } };
	const gather = gathering();
	const full: number[] = [];
	gather.full = (window) => full.push(window);
	const publisher = mqttPublisher({
		broker: brokerAt(broker.url, { protocol: 5 }),
		window: 1000,
		clock: Date.now,
		gather,
	});
	const sink = mqttSink(publisher, { qos: 1, retain: false });
	const keeper = new RecordingKeeper();
	await sink.start(keeper);
	const client = await broker.clients.next();
	for (let n = 0; n < 3; n++) say(sink, n, "out", `${n}`);
	sink.commit();
	for (let n = 0; n < 3; n++) {
		const { messageId } = await client.next("publish");
		client.send({ cmd: "puback", messageId });
	}
	await keeper.until(() => keeper.safe.length === 3);
	expect(full).toEqual([2]);
	await sink.close();
	await broker.stop();
});
