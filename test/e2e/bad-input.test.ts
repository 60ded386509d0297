import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { client, inbox, reading } from "./clients.js";
import {
	freePort,
	kill,
	OVERHEAT,
	runGateway,
	scratch,
	startMosquitto,
} from "./processes.js";

const folder = scratch();
const hot = (n: number) => reading(n, 99);

/** Topic, payload, what becomes of it: alerts by type, or the code in quarantine. */
const CASES: [
	topic: string,
	payload: string | Buffer,
	alerts: string[],
	code?: string,
	reason?: RegExp,
][] = [
	["s/good", hot(1), ["high_temperature"]],
	[
		"s/truncated",
		'{"temperature":99',
		[],
		"E_GUEST_REJECT",
		/not JSON.*byte 17/,
	],
	[
		"s/mistyped",
		'{"device_id":"a","temperature":"hot","humidity":96.1,"timestamp":2}',
		["high_humidity"],
		"E_GUEST_REJECT",
		/temperature.*string/,
	],
	[
		"s/string",
		'{"temperature":"95","humidity":1}',
		[],
		"E_GUEST_REJECT",
		/temperature/,
	],
	[
		"s/null",
		'{"temperature":null,"humidity":1}',
		[],
		"E_GUEST_REJECT",
		/temperature/,
	],
	["s/missing", '{"humidity":1}', [], "E_GUEST_REJECT", /temperature/],
	["s/array", "[99]", [], "E_GUEST_REJECT"],
	["s/empty", "", [], "E_GUEST_REJECT"],
	[
		"s/utf8",
		Buffer.from('{"temperature":99,"humidity":1,"device_id":"\xff"}', "latin1"),
		[],
		"E_GUEST_REJECT",
	],
	[
		"s/lines",
		'{"device_id":"b",\n\n"temperature":99,\n"humidity":1,"timestamp":3}\n',
		["high_temperature"],
	],
	["s/forged", "\x1ec9\n", [], "E_READING_RS", /0x1E/],
	[
		"s/large",
		Buffer.alloc(10_000_000, "x"),
		[],
		"E_READING_SIZE",
		/10000000|10,000,000/,
	],
	["s/ü %41\u{1f600}", hot(4), ["high_temperature"]],
	["s/good", hot(5), ["high_temperature"]],
];

test("bad input is counted and kept with topic and reason; everything right comes through", async () => {
	const port = await freePort();
	await startMosquitto(folder, port);
	const sender = await client(port);
	await sender.publishAsync("s/retained", hot(6), { qos: 1, retain: true });
	const alerts = await inbox(port, "alerts/#");
	const http = await freePort();
	const file = join(folder, "gateway.yaml");
	writeFileSync(
		file,
		`broker: mqtt://127.0.0.1:${port}
http: 127.0.0.1:${http}
quarantine: { dir: ${folder} }
pipelines:
  bad:
    from: { topic: s/#, qos: 1 }
    filter: { module: ${OVERHEAT} }
    to: { topic: "alerts/{topic}", qos: 1 }
`,
	);
	const gateway = runGateway(file);
	await gateway.says(/bad: up/);
	for (const [topic, payload] of CASES) {
		await sender.publishAsync(topic, payload, { qos: 1 });
	}
	const want = CASES.flatMap(([topic, , types]) =>
		types.map((type) => `alerts/${topic} ${type}`),
	);
	want.push("alerts/s/retained high_temperature");
	await alerts.until(() => alerts.messages.length >= want.length);
	expect(await health(http)).toMatchObject({ status: 200 });
	const counted = await (
		await fetch(`http://127.0.0.1:${http}/metrics`)
	).text();
	expect(await kill(gateway.child, "SIGTERM")).toBe(0);

	const got = alerts.messages.map(
		({ topic, text }) => `${topic} ${JSON.parse(text).alert_type}`,
	);
	expect(got.sort()).toEqual(want.sort());

	const kept = readFileSync(join(folder, "bad.ndjson"), "utf8")
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line));
	const bad = CASES.filter(([, , , code]) => code !== undefined);
	expect(kept.map(({ topic, code }) => `${topic} ${code}`).sort()).toEqual(
		bad.map(([topic, , , code]) => `${topic} ${code}`).sort(),
	);
	for (const [topic, , , , reason] of bad) {
		const entry = kept.find((each) => each.topic === topic);
		expect(entry.reason).toMatch(reason ?? /./);
		expect(Date.parse(entry.time)).toBeGreaterThan(0);
	}
	expect(counted).toMatch(/failed.*E_GUEST_REJECT.* 8$/m);
	expect(counted).toMatch(/failed.*E_READING_RS.* 1$/m);
	expect(gateway.log()).toMatch(
		/bad: taken 15 = emitted 5 \+ dropped 0 \+ failed 10 \+ open 0/,
	);
	await sender.endAsync();
	await alerts.client.endAsync();
});

async function health(port: number) {
	const { status } = await fetch(`http://127.0.0.1:${port}/health`);
	return { status };
}
