import { afterEach, describe, expect, test, vi } from "vitest";
import { Keepalive } from "#host/mqtt/keepalive.js";
import { Nudge } from "#host/mqtt/nudge.js";
import { mqttSource } from "#host/mqtt/source.js";
import { FakeBroker } from "./fake-broker.js";
import { brokerAt, RecordingIntake } from "./recorders.js";

describe("keep-alive", () => {
	const said: string[] = [];
	let deaf = false;
	const make = () => {
		said.length = 0;
		deaf = false;
		// The timer is not waited for: the test looks by itself.
		return new Keepalive(
			3600,
			() => deaf,
			() => said.push("ping"),
			() => said.push("dead"),
		);
	};

	test("no needless ping while both sides talk", () => {
		const keepalive = make();
		for (let i = 0; i < 5; i++) {
			keepalive.sent = keepalive.heard = true;
			keepalive.look();
		}
		expect(said).toEqual([]);
		keepalive.stop();
	});

	test("only hearing is not enough: the broker wants to hear from us", () => {
		const keepalive = make();
		keepalive.heard = true;
		keepalive.look();
		expect(said).toEqual(["ping"]);
		keepalive.stop();
	});

	test("dead after three silent looks, but never while we do not listen", () => {
		const keepalive = make();
		for (let i = 0; i < 3; i++) keepalive.look();
		expect(said).toEqual(["ping", "ping", "dead"]);
		deaf = true;
		for (let i = 0; i < 5; i++) keepalive.look();
		expect(said.slice(3)).toEqual(Array(5).fill("ping"));
		keepalive.stop();
	});
});

describe("on a connection", () => {
	let broker: FakeBroker;
	const open = async () => {
		broker = await new FakeBroker(4).start();
		const source = mqttSource({
			broker: brokerAt(broker.url, { keepalive: 1 }),
			topic: "#",
			qos: 0,
			window: 1,
			maxReading: 100,
			clock: Date.now,
		});
		const intake = new RecordingIntake();
		await source.start(intake);
		return { source, intake, client: await broker.clients.next() };
	};
	afterEach(() => broker.stop());

	test("an idle one is pinged; a broker that does not answer is left", async () => {
		const { source, intake, client } = await open();
		await client.next("pingreq");
		client.send = () => {}; // no PINGRESP any more
		await intake.until(() => intake.states.at(-1) !== undefined);
		expect(intake.states.at(-1)).toMatchObject({
			code: "E_MQTT_CONNECT",
			message: expect.stringContaining("silent"),
		});
		await source.close();
	});

	test("a paused one lives on, although PINGRESP lies behind a reading", async () => {
		const { source, intake, client } = await open();
		source.pause();
		client.send({
			cmd: "publish",
			topic: "a",
			payload: "x",
			qos: 0,
			dup: false,
			retain: false,
		});
		for (let i = 0; i < 4; i++) await client.next("pingreq"); // two keep-alives
		source.resume();
		await intake.until(() => intake.taken.length === 1);
		expect(intake.states).toEqual([undefined]);
		await source.close();
	});
});

describe("a nudge", () => {
	test("is given for a while after a stall, not otherwise", () => {
		let pings = 0;
		const nudge = new Nudge(() => pings++);
		nudge.sent(0);
		nudge.heard(1);
		nudge.turned(1);
		expect(pings).toBe(0);
		nudge.heard(40); // 39 ms of silence with outputs in flight
		nudge.turned(40);
		expect(pings).toBe(1);
		nudge.heard(41);
		nudge.turned(30_039);
		expect(pings).toBe(2);
		nudge.turned(30_040);
		expect(pings).toBe(2);
	});

	test("is given a few times at once, then once a ms until an acknowledgement comes", () => {
		vi.useFakeTimers();
		try {
			let pings = 0;
			const nudge = new Nudge(() => pings++);
			nudge.sent(0);
			nudge.heard(40);
			for (let i = 0; i < 50; i++) nudge.turned(40);
			expect(pings).toBe(3);
			vi.advanceTimersByTime(1);
			expect(pings).toBe(4);
			vi.advanceTimersByTime(100);
			expect(pings).toBe(4);
			nudge.acknowledged();
			nudge.turned(140);
			expect(pings).toBe(5);
		} finally {
			vi.useRealTimers();
		}
	});
});
