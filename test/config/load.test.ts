import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig, type ToConfig } from "#host/config/index.js";
import type { PipelineConfig } from "#host/config/types.js";
import { MEMORY, MODULE_SIZE } from "#host/module/limits.js";
import { folder, parse, refusal, withPipeline } from "./gateway-file.js";

function brokerOf(to: ToConfig | undefined) {
	return to?.kind === "mqtt" ? to.broker : undefined;
}

/** As in README and docs/config.md. */
const EXAMPLE = `
broker: mqtt://127.0.0.1:1883
http: 127.0.0.1:3000
pipelines:
  overheat:
    from: { topic: plant/+/press/#, qos: 1 }
    filter: { module: build/filter.wasm, params: { LIMIT: 85 } }
    to: { topic: "alerts/{1}/{topic}", qos: 1 }
    delivery: at-least-once
    onError: quarantine
    limits: { memory: 16MiB, fuel: 10M, reading: 64KiB, output: 1MiB }
`;

describe("a gateway file becomes complete, plain data", () => {
	const config = parse(EXAMPLE);
	const { overheat } = config.pipelines;

	test("the gateway", () => {
		expect(config).toMatchObject({
			file: join(folder(), "gateway.yaml"),
			http: { host: "127.0.0.1", port: 3000 },
			threads: 1,
			quarantine: { dir: join(folder(), "quarantine"), maxBytes: 67_108_864 },
			images: { dir: join(folder(), "images") },
			log: { level: "info" },
			stop: { deadline: 10_000 },
		});
	});

	test("the broker", () => {
		expect(config.broker).toEqual({
			kind: "remote",
			url: "mqtt://127.0.0.1:1883",
			clientId: "wasieve-out-pi",
			protocol: 4,
			keepalive: 60,
			reconnect: { min: 1000, max: 30_000 },
			connectTimeout: 10_000,
			sessionExpiry: 86_400,
			maxInflight: 1000,
		});
	});

	test("the pipeline", () => {
		expect(overheat).toMatchObject({
			name: "overheat",
			from: {
				kind: "mqtt",
				topic: "plant/+/press/#",
				qos: 1,
				clientId: "wasieve-in-pi-overheat",
				clean: false,
				codec: "json",
			},
			filters: [
				{
					module: join(folder(), "build/filter.wasm"),
					params: { LIMIT: "85" },
					args: [],
					realTime: false,
				},
			],
			to: { kind: "mqtt", topic: "alerts/{1}/{topic}", qos: 1, retain: false },
			delivery: "at-least-once",
			onError: "quarantine",
			limits: {
				memory: 16_777_216,
				fuel: 10_000_000,
				reading: 65_536,
				output: 1_048_576,
				time: 250,
				module: 16_777_216,
				inflight: 16_384,
			},
			restart: { max: 5, backoff: 100, cooldown: 30_000 },
			quarantine: { file: join(folder(), "quarantine/overheat.ndjson") },
		});
	});

	test("both ends share the broker's object", () => {
		expect(overheat?.from).toHaveProperty("broker", config.broker);
		expect(brokerOf(overheat?.to)).toBe(config.broker);
	});

	test("frozen to the last leaf, and fit for another thread", () => {
		expect(() => {
			Object.assign(overheat?.limits ?? {}, { fuel: 1 });
		}).toThrow(TypeError);
		expect(structuredClone(config)).toEqual({
			...config,
			pipelines: { ...config.pipelines },
		});
	});
});

describe("what may be written in several ways", () => {
	test("a list of filters, in its order", () => {
		const text = withPipeline({
			filter:
				"[{ module: build/filter.wasm }, { module: ./build/filter.wasm }]",
		});
		expect(parse(text).pipelines.a?.filters).toHaveLength(2);
	});

	test("parameters reach the filter as they are written", () => {
		const text = withPipeline({
			filter:
				"{ module: build/filter.wasm, params: { A: 85.0, B: 1e3, C: yes, D: true, E: '07', F: 0x10 }, args: [-v, 2.50] }",
		});
		const [filter] = parse(text).pipelines.a?.filters ?? [];
		expect(filter?.params).toEqual({
			A: "85.0",
			B: "1e3",
			C: "yes",
			D: "true",
			E: "07",
			F: "0x10",
		});
		expect(filter?.args).toEqual(["-v", "2.50"]);
	});

	test.each([
		["stdin", { kind: "stdin", codec: "json" }],
		["{ stdin: true, codec: text }", { kind: "stdin", codec: "text" }],
		[
			"{ file: a.ndjson }",
			{ kind: "file", paths: [join(folder(), "a.ndjson")] },
		],
		["{ file: [/a, b] }", { kind: "file", paths: ["/a", join(folder(), "b")] }],
	])("from: %s", (from, expected) => {
		const text = withPipeline({ from, to: "stdout" });
		expect(parse(text).pipelines.a?.from).toMatchObject(expected);
		expect(parse(text).pipelines.a?.delivery).toBe("at-least-once");
	});

	test("from a topic filter into a file", () => {
		const to = parse(withPipeline({ to: "{ file: out.ndjson }" })).pipelines.a
			?.to;
		expect(to).toEqual({ kind: "file", path: join(folder(), "out.ndjson") });
	});

	test.each([
		["3000", { host: "127.0.0.1", port: 3000 }],
		["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
		['"[::1]:0"', { host: "::1", port: 0 }],
		["false", false],
	])("http: %s", (http, expected) => {
		const text = withPipeline({ top: `http: ${http}\n` });
		expect(parse(text).http).toEqual(expected);
	});

	test.each([
		[0, "{ topic: alerts }", 0, true, "at-most-once"],
		[1, "{ topic: alerts }", 1, false, "at-least-once"],
		[2, "{ topic: alerts }", 1, false, "at-least-once"],
		[1, "{ topic: alerts, qos: 0 }", 0, false, "at-most-once"],
	])("QoS %i to %s", (qos, to, outQos, clean, delivery) => {
		const { a } = parse(
			withPipeline({ from: `{ topic: x/+, qos: ${qos} }`, to }),
		).pipelines;
		expect(a?.to).toMatchObject({ qos: outQos });
		expect(a?.from).toMatchObject({ clean });
		expect(a?.delivery).toBe(delivery);
	});
});

describe("brokers", () => {
	test("embedded, on the port that is asked for", () => {
		const embedded = (broker: string) =>
			parse(withPipeline({ top: `broker: ${broker}\n` })).broker;
		expect(embedded("embedded")).toMatchObject({
			kind: "embedded",
			host: "127.0.0.1",
			port: 1883,
		});
		expect(embedded("{ embedded: 0.0.0.0:0 }")).toMatchObject({
			host: "0.0.0.0",
			port: 0,
		});
	});

	test("a pipeline's own, shared where the settings are equal", () => {
		const text = `
pipelines:
  a: &a
    from: { topic: in/+ }
    filter: { module: build/filter.wasm }
    to: { topic: out, broker: { url: mqtt://cloud:1883, keepalive: 20s } }
  b:
    from: { topic: in/+ }
    filter: { module: build/filter.wasm }
    to: { topic: out, broker: { keepalive: 20s, url: "mqtt://cloud" } }
`;
		const { a, b } = parse(text).pipelines;
		const [one, two] = [a, b].map((each) => brokerOf(each?.to));
		expect(one).toMatchObject({
			url: "mqtt://cloud:1883",
			clientId: "wasieve-out-pi-a",
			keepalive: 20,
		});
		expect(two).toBe(one);
	});

	test("MQTT_BROKER replaces the URL and nothing else", () => {
		const top =
			"broker: { url: mqtts://a, username: u, tls: { insecure: true } }\n";
		const env = { MQTT_BROKER: "mqtt://other:1884" };
		expect(parse(withPipeline({ top }), { env }).broker).toMatchObject({
			url: "mqtt://other:1884",
			username: "u",
		});
		expect(
			parse(withPipeline({ top }), { env: { MQTT_BROKER: "" } }).broker,
		).toMatchObject({ url: "mqtts://a:8883", tls: { insecure: true } });
	});

	test("MQTT_BROKER also stands in for an embedded broker, and the other way round", () => {
		const top = "broker: embedded\n";
		const env = { MQTT_BROKER: "mqtt://other" };
		expect(parse(withPipeline({ top }), { env }).broker.kind).toBe("remote");
		const embedded = { MQTT_BROKER: "embedded" };
		expect(parse(withPipeline({}), { env: embedded }).broker.kind).toBe(
			"embedded",
		);
	});
});

describe("secrets", () => {
	test("from the environment, from a file, from the URL", () => {
		const password = join(folder(), "password");
		writeFileSync(password, "from file\r\n");
		const broker = (written: string, env = {}) =>
			parse(withPipeline({ top: `broker: ${written}\n` }), { env }).broker;
		expect(
			// biome-ignore lint/suspicious/noTemplateCurlyInString: the config's own syntax
			broker("{ url: mqtt://b, username: '${WHO}', password: '${WORD}!' }", {
				WHO: "me",
				WORD: "p",
			}),
		).toMatchObject({ username: "me", password: "p!" });
		expect(
			broker("{ url: mqtt://b, username: u, password: { file: password } }"),
		).toMatchObject({ password: "from file" });
		const inUrl = broker("mqtt://u:p%40ss@b:1");
		expect(inUrl).toMatchObject({
			url: "mqtt://b:1",
			username: "u",
			password: "p@ss",
		});
	});

	test("never in a message, wherever they stand", () => {
		const { message } = refusal(`
broker: { url: "mqtt://u:hunter2@b:99999", password: [hunter2], username: { hunter2x: 1 } }
http: 70000
pipelines:
  a:
    from: { topic: x, broker: "ftp://u:hunter2@x" }
    filter: { module: build/filter.wasm }
    to: { topic: y, broker: { url: mqtt://y, password: hunter2 } }
`);
		expect(message.replace("hunter2x", "")).not.toContain("hunter2");
		for (const broken of [
			'broker: { password: "hunter2\\q" }',
			"broker: { password: *hunter2 }",
			"broker: { password: a: hunter2 }",
			'broker: mqtt://u:hunter2@b"\n  x: [',
			"broker: @hunter2",
			"broker: !hunter2 x\n- hunter2",
			"broker: 'x' hunter2",
		]) {
			expect(refusal(broken).message, broken).not.toContain("hunter2");
		}
	});
});

test("what a module may be by default is the same with a config and without", () => {
	const { limits } = parse(
		"pipelines: { a: { from: stdin, filter: { module: build/filter.wasm }, to: stdout } }",
	).pipelines.a as PipelineConfig;
	expect(limits).toMatchObject({ module: MODULE_SIZE, memory: MEMORY });
});

describe("the file itself", () => {
	const options = { env: {} };

	test("is missing, a folder, or not for us", () => {
		const module = Buffer.from("\0asm\x01\0\0\0");
		writeFileSync(join(folder(), "module.wasm"), module);
		writeFileSync(join(folder(), "utf16.yaml"), EXAMPLE, "utf16le");
		for (const [file, code] of [
			["none.yaml", "ENOENT"],
			[".", "a folder"],
			["module.wasm", "a WebAssembly module"],
			["utf16.yaml", "it is not text in UTF-8"],
		] as const) {
			const path = join(folder(), file);
			expect(() => loadConfig(path, options)).toThrow(
				expect.objectContaining({
					code: "E_CONFIG_READ",
					message: `the config ${path} cannot be read (${code})`,
				}),
			);
		}
	});

	test("is read from disk", () => {
		const path = join(folder(), "real.yaml");
		writeFileSync(path, EXAMPLE);
		chmodSync(path, 0o400);
		expect(loadConfig(path, options).pipelines.overheat?.name).toBe("overheat");
	});
});
