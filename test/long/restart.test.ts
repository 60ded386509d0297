/**
 * How long a gateway is away when it is restarted, updated, or one of two: the longest time between two alerts while 500
 * readings a second come in, and whether each reading has had its alert. The numbers of docs/deploy.md.
 * npm run test:deploy
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { client, inbox, numbers, reading } from "../e2e/clients.js";
import {
	freePort,
	type GatewayProcess,
	kill,
	OVERHEAT,
	runGateway,
	scratch,
	startMosquitto,
} from "../e2e/processes.js";
import { hasMosquitto } from "../mqtt/mosquitto.js";

const ROUNDS = 5;
const EVERY = 2; // ms

describe.skipIf(!hasMosquitto)("a gateway under load", () => {
	const dir = scratch();
	const results: string[] = [];
	let port = 0;
	beforeAll(async () => {
		port = await freePort();
	});
	afterAll(() => console.info(results.join("\n")));

	/** A config of one pipeline, whose session has a name. */
	function config(name: string, topic: string): string {
		const file = join(dir, `${name}.yaml`);
		writeFileSync(
			file,
			`broker: { url: "mqtt://127.0.0.1:${port}", protocol: 5, clientId: ${name}-out, reconnect: { min: 100ms } }
pipelines:
  overheat:
    from: { topic: "${topic}", qos: 1, clientId: ${name}-in }
    filter: { module: ${OVERHEAT} }
    to: { topic: "alerts/{topic}", qos: 1 }
`,
		);
		return file;
	}

	async function start(name: string, topic: string): Promise<GatewayProcess> {
		const gateway = runGateway(config(name, topic));
		await gateway.says(/overheat: up/);
		return gateway;
	}

	/** Readings at a steady rate while `during` runs; the longest silence, ms, and what never came. */
	async function underLoad(during: () => Promise<unknown>) {
		const alerts = await inbox(port, "alerts/#");
		const sensor = await client(port);
		let [last, longest, sent] = [0, 0, 0];
		alerts.client.on("message", () => {
			const now = performance.now();
			if (last > 0) longest = Math.max(longest, now - last);
			last = now;
		});
		const send = () =>
			sensor.publish("plant/press/1", reading(sent++), { qos: 1 });
		const timer = setInterval(send, EVERY);
		await alerts.until(() => alerts.messages.length > 500);
		longest = 0;
		await during();
		const before = alerts.messages.length;
		await alerts.until(() => alerts.messages.length > before + 500);
		clearInterval(timer);
		await sensor.endAsync();
		const all = sent;
		await alerts.until(() => numbers(alerts.messages).size === all);
		const repeats = alerts.messages.length - all;
		await alerts.client.endAsync(true);
		return { longest, repeats };
	}

	async function rounds(
		name: string,
		run: () => Promise<{ longest: number; repeats: number }>,
	) {
		const seen: { longest: number; repeats: number }[] = [];
		for (let i = 0; i < ROUNDS; i++) seen.push(await run());
		const gaps = seen.map(({ longest }) => longest).sort((a, b) => a - b);
		const [least, middle, most] = [0, ROUNDS >> 1, ROUNDS - 1].map((i) =>
			Math.round(gaps[i] as number),
		);
		const repeats = seen.reduce((sum, each) => sum + each.repeats, 0);
		results.push(
			`${name}: ${middle} ms (${least}–${most}), ${repeats} repeats in ${ROUNDS} rounds`,
		);
		return middle as number;
	}

	const one = async (signal: NodeJS.Signals) => {
		const broker = await startMosquitto(dir, port, KEEPING);
		let gateway = await start("one", "plant/#");
		const seen = await underLoad(async () => {
			const code = await kill(gateway.child, signal);
			if (signal === "SIGTERM") expect(code).toBe(0);
			gateway = await start("one", "plant/#");
		});
		await kill(gateway.child);
		await kill(broker);
		return seen;
	};

	test("restarted in order", async () => {
		await rounds("restart", () => one("SIGTERM"));
	});

	test("killed and started again", async () => {
		await rounds("kill -9", () => one("SIGKILL"));
	});

	test("one of two that share a subscription is restarted, then the other", async () => {
		const topic = "$share/gateways/plant/#";
		const gap = await rounds("two, one after the other", async () => {
			const broker = await startMosquitto(dir, port, KEEPING);
			let [a, b] = [await start("a", topic), await start("b", topic)];
			const seen = await underLoad(async () => {
				expect(await kill(a.child, "SIGTERM")).toBe(0);
				a = await start("a", topic);
				expect(await kill(b.child, "SIGTERM")).toBe(0);
				b = await start("b", topic);
			});
			await kill(a.child);
			await kill(b.child);
			await kill(broker);
			return seen;
		});
		expect(gap).toBeLessThan(1000);
	});
});

const KEEPING = [
	"max_queued_messages 0",
	"max_inflight_messages 1000",
	"set_tcp_nodelay true",
];
