import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
	closeSync,
	existsSync,
	openSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBroker } from "#host/mqtt/broker.js";
import { freePort } from "../../bench/ports.mjs";
import { assemble } from "../engine/wat.js";
import { folder, MAIN, ROOT, wasieve } from "./child.js";

const OVERHEAT = join(ROOT, "build/overheat.wasm");
const HOT = '{"device_id":"p1","temperature":91.2,"humidity":40,"timestamp":5}';
const ALERT =
	'{"device_id":"p1","alert_type":"high_temperature","value":91.2,"timestamp":5}';

function config(text: string): string {
	const path = join(folder(), "gateway.yaml");
	writeFileSync(path, text.replaceAll("OVERHEAT", OVERHEAT));
	return path;
}

/** `wasieve run` as a process that is talked to while it runs. */
function start(path: string, env: object = {}, options: string[] = []) {
	const child = spawn(process.execPath, [MAIN, "run", path, ...options], {
		cwd: ROOT,
		env: { ...process.env, ...env },
		stdio: "pipe",
	});
	onTestFinished(() => {
		child.kill("SIGKILL");
	});
	const log: string[] = [];
	createInterface(child.stderr).on("line", (line) => log.push(line));
	const closed = once(child, "close").then(([code]) => code as number | null);
	return {
		child,
		log,
		closed,
		out: createInterface(child.stdout)[Symbol.asyncIterator](),
	};
}

/** Resolves with the first line of stderr that matches. */
function said(
	{ child, log }: { child: ChildProcess; log: string[] },
	what: RegExp,
): Promise<string> {
	return new Promise((resolve, reject) => {
		const look = () => {
			const line = log.find((each) => what.test(each));
			if (line !== undefined) resolve(line);
		};
		look();
		child.stderr?.on("data", () => setImmediate(look));
		child.on("close", () =>
			reject(new Error(`never said ${what}:\n${log.join("\n")}`)),
		);
	});
}

const STDIN =
	"pipelines: { hot: { from: stdin, filter: { module: OVERHEAT }, to: stdout } }\n";

describe("wasieve run without a broker", () => {
	it("carries a file through a filter to stdout and ends with it", async () => {
		const ran = await wasieve(["run", "examples/office.yaml"]);
		expect(ran.code, ran.stderr).toBe(0);
		const readings = readFileSync(
			join(ROOT, "examples/office-climate.ndjson"),
			"utf8",
		)
			.trim()
			.split("\n");
		const hot = readings.filter((line) => JSON.parse(line).temperature > 23);
		expect(ran.stdout.trim().split("\n").length).toBe(hot.length);
		expect(ran.stderr).toMatch(
			/^overheat: up, office-climate.ndjson → overheat LIMIT=23 → stdout$/m,
		);
		expect(ran.stderr).toMatch(
			new RegExp(
				`^overheat: taken 10808 = emitted ${hot.length} \\+ dropped ${10808 - hot.length} \\+ failed 0 \\+ open 0; outputs ${hot.length}$`,
				"m",
			),
		);
	});

	it("streams: an alert leaves before the next reading is sent", async () => {
		const running = start(config(STDIN));
		for (let i = 0; i < 3; i++) {
			running.child.stdin.write(`${HOT}\n`);
			expect((await running.out.next()).value).toBe(ALERT);
		}
		running.child.stdin.end();
		expect(await running.closed).toBe(0);
	});

	it.each(["SIGTERM", "SIGHUP"] as const)(
		"stops on %s while stdin is open",
		async (signal) => {
			const running = start(config(STDIN));
			running.child.stdin.write(`${HOT}\n`);
			await running.out.next();
			running.child.kill(signal);
			expect(await running.closed).toBe(0);
			expect(running.log.at(-1)).toBe(
				"hot: taken 1 = emitted 1 + dropped 0 + failed 0 + open 0; outputs 1",
			);
		},
	);

	it.skipIf(!existsSync("/dev/full"))(
		"counts no output that stdout did not take (/dev/full)",
		async () => {
			const full = openSync("/dev/full", "w");
			const child = spawn(
				process.execPath,
				[MAIN, "run", "examples/office.yaml"],
				{ cwd: ROOT, stdio: ["ignore", full, "pipe"] },
			);
			closeSync(full);
			const [said, [code]] = await Promise.all([
				text(child.stderr as Readable),
				once(child, "close"),
			]);
			expect(said).toMatch(
				/emitted 0 .* failed 360 .*outputs 0; not delivered 360$/m,
			);
			expect(said).toMatch(/^error E_FILE_WRITE: overheat: .*ENOSPC/m);
			expect(code).toBe(1);
		},
	);

	it("does not wait for a filter that cannot start", async () => {
		const path = config(STDIN.replace("OVERHEAT", "dead.wasm"));
		const dead = `(module (memory (export "memory") 1) (func (export "_start") unreachable))`;
		writeFileSync(join(path, "../dead.wasm"), await assemble(dead));
		const ran = await wasieve(["run", path], { input: `${HOT}\n` });
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^hot: taken 0 = .* open 0; outputs 0$/m);
		expect(ran.stderr).toMatch(/^error E_GUEST_START: hot: .*unreachable/m);
	});

	it("ends with an error at the reading that onError: stop stops on", async () => {
		const path = config(
			STDIN.replace("to: stdout", "to: stdout, onError: stop"),
		);
		const running = start(path);
		running.child.stdin.write(`{"temperature":\n`);
		expect(await running.closed).toBe(1);
		expect(running.log.join("\n")).toMatch(
			/^hot: taken 1 = .* open 1; outputs 0\nerror E_PIPELINE_ONERROR: hot: /m,
		);
	});

	it("keeps a broken reading and goes on", async () => {
		const path = config(STDIN);
		const ran = await wasieve(["run", path], {
			input: `{"temperature":\n${HOT}\n`,
		});
		expect(ran.code).toBe(0);
		expect(ran.stdout).toBe(`${ALERT}\n`);
		expect(ran.stderr).toMatch(
			/^hot: taken 2 = emitted 1 \+ dropped 0 \+ failed 1 \+ open 0;/m,
		);
		const kept = readFileSync(join(path, "../quarantine/hot.ndjson"), "utf8")
			.trim()
			.split("\n");
		expect(kept.map((line) => JSON.parse(line).code)).toEqual([
			"E_GUEST_REJECT",
		]);
	});
});

describe("wasieve run over MQTT", () => {
	it("runs examples/gateway.yaml on the broker that MQTT_BROKER names, until SIGINT", async () => {
		const broker = await startBroker({ host: "127.0.0.1", port: 0 });
		onTestFinished(() => broker.close());
		const text = readFileSync(join(ROOT, "examples/gateway.yaml"), "utf8");
		const running = start(
			config(
				text
					.replace("../build/overheat.wasm", "OVERHEAT")
					.replace(":3000", ":0"),
			),
			{ MQTT_BROKER: broker.url },
		);
		expect(await said(running, /^overheat: up/)).toBe(
			"overheat: up, plant/+/press/# → overheat LIMIT=85 → alerts/{1}/{topic}",
		);
		const http = (await said(running, /^http: up/)).match(
			/http:\/\/\S+\/health/,
		)?.[0] as string;
		expect((await fetch(http)).status).toBe(200);

		const client = await connectAsync(broker.url);
		onTestFinished(() => client.endAsync(true));
		await client.subscribeAsync("alerts/#", { qos: 1 });
		const alert = new Promise<string[]>((resolve) => {
			client.on("message", (topic, payload) =>
				resolve([topic, payload.toString()]),
			);
		});
		await client.publishAsync("plant/hall-3/press/7", HOT, { qos: 1 });
		expect(await alert).toEqual(["alerts/hall-3/plant/hall-3/press/7", ALERT]);

		running.child.kill("SIGINT");
		expect(await running.closed).toBe(0);
		expect(running.log.at(-1)).toBe(
			"overheat: taken 1 = emitted 1 + dropped 0 + failed 0 + open 0; outputs 1",
		);
	});

	it("waits for a broker that is down, and stops in order without ever having seen it", async () => {
		const port = await freePort();
		const running = start(
			config(
				readFileSync(join(ROOT, "examples/gateway.yaml"), "utf8")
					.replace("../build/overheat.wasm", "OVERHEAT")
					.replace(":3000", ":0"),
			),
			{
				MQTT_BROKER: `mqtt://127.0.0.1:${port}`,
			},
		);
		await said(running, /E_MQTT_CONNECT|ECONNREFUSED|cannot be reached/i);
		running.child.kill("SIGTERM");
		expect(await running.closed).toBe(0);
	});
});

describe("wasieve run with an output that cannot leave", () => {
	/** A pipeline with one output that waits for a broker that is gone. */
	async function stuck(...options: string[]) {
		const broker = await startBroker({ host: "127.0.0.1", port: 0 });
		const path = config(
			`broker: ${broker.url}\nhttp: 127.0.0.1:0\npipelines: { hot: { from: stdin, filter: { module: OVERHEAT }, to: { topic: alerts, qos: 1 } } }\n`,
		);
		const running = start(path, {}, options);
		await said(running, /^hot: up/);
		await broker.close();
		await said(running, /E_MQTT_CONNECT/);
		running.child.stdin.write(`${HOT}\n`);
		const metrics = (await said(running, /^http: up/)).match(
			/http:\S+\/metrics/,
		)?.[0] as string;
		while (
			!/^wasieve_readings_taken_total\{.*\} 1$/m.test(
				await (await fetch(metrics)).text(),
			)
		);
		return running;
	}

	it("lets go at the deadline and says so", async () => {
		const running = await stuck("--deadline", "300ms");
		running.child.kill("SIGTERM");
		expect(await running.closed).toBe(1);
		expect(running.log.join("\n")).toMatch(
			/error E_STOP_DEADLINE: .* 0.3 s have passed\n {2}hint: /,
		);
	});

	it("is forced by a second signal", async () => {
		const running = await stuck("--deadline", "1h");
		running.child.kill("SIGTERM");
		await said(running, /^SIGTERM: stopping/);
		running.child.kill("SIGINT");
		expect(await running.closed).toBe(1);
		expect(running.log.join("\n")).toMatch(
			/error E_STOP_DEADLINE: .* a second signal came/,
		);
	});
});

describe("wasieve run refuses", () => {
	it("a config with errors, before anything starts", async () => {
		const ran = await wasieve([
			"run",
			config(
				"pipelines: { a: { from: stdin, filter: { module: nope.wasm }, to: stdout, x: 1 } }",
			),
		]);
		expect(ran).toMatchObject({ code: 3, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_CONFIG_MODULE: /m);
		expect(ran.stderr).toMatch(/^error E_CONFIG_KEY: /m);
		expect(ran.stderr).not.toMatch(/up/);
	});

	it("a port for /health that is taken", async () => {
		const taken = createServer().listen(0, "127.0.0.1");
		await once(taken, "listening");
		onTestFinished(() => {
			taken.close();
		});
		const { port } = taken.address() as { port: number };
		const ran = await wasieve([
			"run",
			config(`http: 127.0.0.1:${port}\n${STDIN}`),
		]);
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_HTTP_PORT: .*\n {2}hint: /m);
		// Whatever else was still on its way up: here a broker that is not there.
		const gone = createServer().listen(0, "127.0.0.1");
		await once(gone, "listening");
		const { port: nobody } = gone.address() as { port: number };
		await new Promise((closed) => gone.close(closed));
		const both = await wasieve([
			"run",
			config(
				`broker: mqtt://127.0.0.1:${nobody}\nhttp: 127.0.0.1:${port}\n${STDIN.replace("to: stdout", "to: { topic: x }")}`,
			),
		]);
		expect(both.code).toBe(1);
		expect(both.stderr).toMatch(/^error E_HTTP_PORT: .*\n {2}hint: /m);
		expect(both.stderr).not.toContain(" at ");
	});

	it.each([
		[
			["--deadline", "soon", "x.yaml"],
			"--deadline 'soon' is not a duration such as",
		],
		[["--deadline", "-1", "x.yaml"], "--deadline"],
		[[], "CONFIG is missing"],
		[["a", "b"], "'b' is one operand too many"],
	])("%j", async (args, message) => {
		const ran = await wasieve(["run", ...args]);
		expect(ran.code).toBe(2);
		expect(ran.stderr).toContain(message);
	});
});
