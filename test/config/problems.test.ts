// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config's own syntax
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WasieveError } from "#host/errors.js";
import { folder } from "../cli/child.js";
import { parse, problems, refusal, withPipeline } from "./gateway-file.js";

test("everything wrong is told at once, in the order of the file, each with its place and what to do", () => {
	const text = `
brokr: mqtt://x
http: 70000
threads: two
pipelines:
  over heat: { from: stdin, filter: { module: build/filter.wasm }, to: stdout }
  a:
    from: { topic: plant/#/x, qos: 3 }
    filter: { modul: build/filter.wasm, params: { LIMIT: } }
    to: { topic: "alerts/{1}", qos: 1, retian: true }
    limits: { memory: 16Mb, fuel: 1, time: 250 }
    onError: explode
`;
	expect(problems(text)).toEqual([
		'2:1 E_CONFIG_KEY brokr: unknown key "brokr", did you mean "broker"? → write "broker" or remove the key',
		"3:7 E_CONFIG_VALUE http: must be host:port, a port from 0 to 65535 or false, not 70000 → for example: 127.0.0.1:3000",
		'4:10 E_CONFIG_VALUE threads: must be a whole number, not "two" → for example: 4',
		'6:3 E_CONFIG_KEY pipelines.over heat: "over heat" cannot be a name → use letters, digits, _ . and -, beginning with a letter or digit, at most 64',
		'8:20 E_CONFIG_TOPIC pipelines.a.from.topic: "plant/#/x" is not a topic filter → # may only be the last level',
		"8:36 E_CONFIG_VALUE pipelines.a.from.qos: must be 0, 1 or 2, not 3 → for example: 0",
		'9:5 E_CONFIG_KEY pipelines.a.filter: the key "module" is missing → for example: module: build/overheat.wasm',
		'9:15 E_CONFIG_KEY pipelines.a.filter.modul: unknown key "modul", did you mean "module"? → write "module" or remove the key',
		"9:58 E_CONFIG_VALUE pipelines.a.filter.params.LIMIT: must be a text, a number or true or false, but nothing stands there → docs/config.md describes every key",
		'10:40 E_CONFIG_KEY pipelines.a.to.retian: unknown key "retian", did you mean "retain"? → write "retain" or remove the key',
		'11:23 E_CONFIG_VALUE pipelines.a.limits.memory: must be a size such as 16MiB (B, KB, MB, GB, KiB, MiB, GiB), not "16Mb" → for example: 64MiB',
		"11:35 E_CONFIG_VALUE pipelines.a.limits.fuel: must be between 1k and 1000G, not 1 → for example: 100M",
		"11:44 E_CONFIG_VALUE pipelines.a.limits.time: must be a duration such as 250ms (ms, s, m, h, d), not 250 → for example: 2s",
		'12:14 E_CONFIG_VALUE pipelines.a.onError: must be quarantine, drop or stop, not "explode" → for example: quarantine',
	]);
});

test("one mistake does not hide others beside it", () => {
	const text = `
pipelines:
  "over heat":
    from: { topic: "a/#/b" }
    filter: { module: absent.wasm, engine: wazeroo }
    to: { topic: "alerts/{1}/{oops" }
`;
	expect(problems(text).map((each) => each.split(" → ")[0])).toEqual([
		'3:3 E_CONFIG_KEY pipelines.over heat: "over heat" cannot be a name',
		'4:20 E_CONFIG_TOPIC pipelines.over heat.from.topic: "a/#/b" is not a topic filter',
		expect.stringMatching(
			/^5:23 E_CONFIG_MODULE .*: there is no file .*absent.wasm$/,
		),
		'5:44 E_CONFIG_VALUE pipelines.over heat.filter.engine: there is no engine "wazeroo", did you mean "wazero"?',
		'6:18 E_CONFIG_TOPIC pipelines.over heat.to.topic: "alerts/{1}/{oops" has a brace without its partner',
	]);
});

test("the error lists them for people and for programs", () => {
	const error = refusal("pipelines: {}\nhttp: true\n");
	const file = error.problems[0]?.file;
	expect(error).toBeInstanceOf(WasieveError);
	expect(error.code).toBe("E_CONFIG");
	expect(error.message).toBe(`${file} has 2 errors:
  ${file}:1:12 pipelines: must not be empty
    for example: { overheat: { from: { topic: "plant/+/press/#", qos: 1 }, filter: { module: build/overheat.wasm }, to: { topic: "alerts/{1}/{topic}" } } }
  ${file}:2:7 http: must be host:port, a port from 0 to 65535 or false, not true
    for example: 127.0.0.1:3000`);
	const { errors } = error.cause as AggregateError;
	expect(errors.map(({ code, hint }: WasieveError) => [code, hint])).toEqual([
		["E_CONFIG_VALUE", expect.stringMatching(/^for example: { overheat/)],
		["E_CONFIG_VALUE", "for example: 127.0.0.1:3000"],
	]);
});

describe("not the YAML of a gateway", () => {
	test.each([
		["", ['1:1 E_CONFIG_KEY : the key "pipelines" is missing']],
		["- a", ["1:1 E_CONFIG_VALUE : must be a map of keys, not a list"]],
		["hello", ['1:1 E_CONFIG_VALUE : must be a map of keys, not "hello"']],
		[
			"a: [1, 2\nb: 3",
			[
				"2:1 E_CONFIG_YAML : not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
			],
		],
		[
			"a: 1\na: 2",
			[
				'1:1 E_CONFIG_KEY : the key "pipelines" is missing',
				'1:1 E_CONFIG_KEY a: unknown key "a"',
				"2:1 E_CONFIG_YAML a: the key is there twice: it already stands in line 1",
			],
		],
		[
			"http: *none",
			[
				"1:7 E_CONFIG_YAML : not valid YAML: an alias without an anchor before it",
			],
		],
		[
			`a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghi"
				.split("")
				.map((c, i) => {
					const up = String.fromCharCode(97 + i);
					return `${c}: &${c} [${Array(9).fill(`*${up}`).join(", ")}]\n`;
				})
				.join("")}`,
			["1:1 E_CONFIG_YAML : its aliases multiply to more than is reasonable"],
		],
	])("%j", (text, expected) => {
		expect(problems(text).map((each) => each.replace(/ → .*$/, ""))).toEqual(
			expected,
		);
	});
});

test("a key that is there twice hides no other mistake, its own two values' neither", () => {
	const text = `
pipelines:
  a:
    from: { topic: plant/#/x }
    from: { topic: plant/x, qos: 1, qos: 2, "qos": 3 }
    filter: [{ module: build/filter.wasm, params: { LIMIT: 1, LIMIT: [] } }]
    to: stdout
  a: { from: stdin, filter: { module: build/filter.wasm }, to: stdot }
htp: false
`;
	const twice = "the key is there twice: it already stands in line";
	expect(problems(text).map((each) => each.replace(/ → .*$/, ""))).toEqual([
		'4:20 E_CONFIG_TOPIC pipelines.a.from.topic: "plant/#/x" is not a topic filter',
		`5:5 E_CONFIG_YAML pipelines.a.from: ${twice} 4`,
		`5:37 E_CONFIG_YAML pipelines.a.from.qos: ${twice} 5`,
		`6:63 E_CONFIG_YAML pipelines.a.filter[0].params.LIMIT: ${twice} 6`,
		`8:3 E_CONFIG_YAML pipelines.a: ${twice} 3`,
		expect.stringMatching(/^8:64 E_CONFIG_VALUE pipelines.a.to: .*"stdot"/),
		'9:1 E_CONFIG_KEY htp: unknown key "htp", did you mean "http"?',
	]);
});

test.each([
	"http: &x false\nhttp: false\nthreads: *x",
	"http: false\nhttp: &x false\nthreads: *x",
])("an anchor on one of two equal keys: %j", (text) => {
	const all = problems(text).join("\n");
	expect(all).toContain("E_CONFIG_YAML http: the key is there twice");
	expect(all).not.toContain("aliases");
});

// The parser takes the first two; the last is more than its stack holds.
test.each([
	[99, '1:1 E_CONFIG_KEY : the key "pipelines" is missing'],
	[101, "1:103 E_CONFIG_YAML : nested deeper than 100 levels"],
	[20_000, "E_CONFIG_YAML : nested deeper than 100 levels"],
])("%i lists in each other", (levels, expected) => {
	const [first] = problems(`a: ${"[".repeat(levels)}${"]".repeat(levels)}`);
	expect(first).toContain(expected);
});

/** The problems of pipeline `a` with one part replaced, without place and hint. */
function wrong(
	parts: Parameters<typeof withPipeline>[0],
	options = {},
): string[] {
	return problems(withPipeline(parts), options).map((each) =>
		each.replace(/^\d+:\d+ /, "").replace(/ → .*$/, ""),
	);
}

describe("topics", () => {
	test.each([
		["plant/#/x", "# may only be the last level"],
		["plant/a+/x", "+ and # stand for a whole level: a/+/c, not a/b+/c"],
		["", "for example: plant/+/press/#"],
		[
			"$share//x",
			"a filter has at most 65,535 bytes and no NUL; a shared one is $share/GROUP/FILTER",
		],
	])("filter %j", (topic, hint) => {
		const text = withPipeline({ from: `{ topic: ${JSON.stringify(topic)} }` });
		expect(problems(text)).toEqual([
			`3:20 E_CONFIG_TOPIC pipelines.a.from.topic: ${JSON.stringify(topic)} is not a topic filter → ${hint}`,
		]);
	});

	test.each([
		["alerts/+", "is not a topic to publish to"],
		["", "is not a topic to publish to"],
		["alerts/{1", "has a brace without its partner"],
		["alerts/1}", "has a brace without its partner"],
		["{2}", 'has {2}, but from.topic "plant/+" has 1 wildcard'],
		["{0}", 'has {0}, but from.topic "plant/+" has 1 wildcard'],
		["{01}", 'has {01}, but from.topic "plant/+" has 1 wildcard'],
		["x/{}", "has {}, which is neither a number nor the name of a field"],
		["x/{a b}", "has {a b}, which is neither a number nor the name of a field"],
	])("template %j", (topic, what) => {
		expect(wrong({ to: `{ topic: ${JSON.stringify(topic)} }` })).toEqual([
			`E_CONFIG_TOPIC pipelines.a.to.topic: ${JSON.stringify(topic)} ${what}`,
		]);
	});

	test("{1} without any wildcard, {topic} without a topic", () => {
		const to = '{ topic: "x/{1}" }';
		expect(wrong({ from: "{ topic: plant/7 }", to })).toEqual([
			'E_CONFIG_TOPIC pipelines.a.to.topic: "x/{1}" has {1}, but from.topic "plant/7" has no wildcard',
		]);
		expect(wrong({ from: "stdin", to: '{ topic: "x/{topic}" }' })).toEqual([
			'E_CONFIG_TOPIC pipelines.a.to.topic: "x/{topic}" has {topic}, but readings from files and stdin have no topic',
		]);
	});

	test("right ones: shared filters, fields, suffix", () => {
		const text = withPipeline({
			from: "{ topic: $share/g/plant/+/# }",
			to: '{ topic: "x/{1}/{2}/{device_id}/{suffix}" }',
		});
		expect(parse(text).pipelines.a?.to).toHaveProperty("topic");
	});
});

describe("ends", () => {
	test.each([
		[
			{ from: "{ qos: 1 }" },
			"E_CONFIG_KEY pipelines.a.from: the key topic, file or stdin is missing",
		],
		[
			{ to: "{}" },
			"E_CONFIG_KEY pipelines.a.to: the key topic, file or stdout is missing",
		],
		[
			{ from: "{ topic: x, file: y }" },
			'E_CONFIG_KEY pipelines.a.from.file: "topic" and "file" exclude each other',
		],
		[
			{ from: "{ file: x, qos: 1 }" },
			'E_CONFIG_KEY pipelines.a.from.qos: "qos" does not apply to file',
		],
		[
			{ to: "{ stdout: true, retain: true }" },
			'E_CONFIG_KEY pipelines.a.to.retain: "retain" does not apply to stdout',
		],
		[
			{ from: "plant/+" },
			'E_CONFIG_VALUE pipelines.a.from: must be a map of keys or the word stdin, not "plant/+"',
		],
		[
			{ from: "mqtt://gateway:hunter2@h/plant" },
			"E_CONFIG_VALUE pipelines.a.from: must be a map of keys or the word stdin, not a URL",
		],
		[
			{ from: "{ file: [] }" },
			"E_CONFIG_VALUE pipelines.a.from.file: must not be empty",
		],
		[{ filter: "[]" }, "E_CONFIG_VALUE pipelines.a.filter: must not be empty"],
		[
			{ from: "{ topic: 7 }" },
			"E_CONFIG_VALUE pipelines.a.from.topic: must be a text, not 7",
		],
		[
			{ filter: "{ module: build/filter.wasm, params: { 'A=B': 1 } }" },
			'E_CONFIG_KEY pipelines.a.filter.params.A=B: "A=B" cannot be a name',
		],
		[
			{ filter: '{ module: build/filter.wasm, args: [a, "b\\0"] }' },
			"E_CONFIG_VALUE pipelines.a.filter.args[1]: must not hold NUL",
		],
		[
			{ more: "delivery: journaled" },
			"E_CONFIG_VALUE pipelines.a.delivery: journaled is not available yet",
		],
		[
			{ from: "{ topic: x, qos: 0 }", more: "delivery: at-least-once" },
			"E_CONFIG_VALUE pipelines.a.delivery: at-least-once cannot be promised while from and to have QoS 0",
		],
	])("%j", (parts, expected) => {
		expect(wrong(parts)).toEqual([expected]);
	});

	test("missing parts of a pipeline", () => {
		expect(problems("pipelines:\n  a: {}\n")).toEqual([
			'2:3 E_CONFIG_KEY pipelines.a: the key "from" is missing → for example: from: { topic: "plant/+/press/#", qos: 1 }',
			'2:3 E_CONFIG_KEY pipelines.a: the key "filter" is missing → for example: filter: { module: build/overheat.wasm }',
			'2:3 E_CONFIG_KEY pipelines.a: the key "to" is missing → for example: to: { topic: "alerts/{1}/{topic}" }',
		]);
	});
});

describe("modules", () => {
	test("missing", () => {
		expect(
			problems(withPipeline({ filter: "{ module: build/none.wasm }" })),
		).toEqual([
			"4:23 E_CONFIG_MODULE pipelines.a.filter.module: there is no file build/none.wasm → build it (wasieve build), or mend the path, which is relative to the config file",
		]);
		expect(wrong({ filter: "{ module: build }" })).toEqual([
			"E_CONFIG_MODULE pipelines.a.filter.module: build is not a file",
		]);
		// As a folder that is closed to this user, but for root as well.
		const ring = join(folder(), "ring.wasm");
		symlinkSync(ring, ring);
		expect(wrong({ filter: `{ module: ${ring} }` })).toEqual([
			`E_CONFIG_MODULE pipelines.a.filter.module: ${ring} cannot be read (ELOOP)`,
		]);
	});

	test("refused by inspection, with the pipeline's limits", () => {
		const seen: unknown[] = [];
		const inspect = (file: string, limits: object) => {
			seen.push(file.replace(/.*\//, ""), limits);
			throw new WasieveError("E_MODULE_IMPORT", "it imports env.socket", {
				hint: "build it for WASI",
			});
		};
		const text = withPipeline({ more: "limits: { memory: 1MiB }" });
		expect(problems(text, { inspect })).toEqual([
			"4:23 E_CONFIG_MODULE pipelines.a.filter.module: it imports env.socket (E_MODULE_IMPORT) → build it for WASI",
		]);
		expect(seen).toEqual([
			"filter.wasm",
			expect.objectContaining({ memory: 1_048_576, module: 16_777_216 }),
		]);
	});
});

describe("parameters", () => {
	const inspect = () => ({ params: { LIMIT: 85, NAME: "x", FAR: null } });
	const given = (params: string) =>
		problems(
			withPipeline({
				filter: `{ module: build/filter.wasm, params: ${params} }`,
			}),
			{ inspect },
		);

	test("are those that the module has", () => {
		expect(given("{ LIMTI: 85, OTHER: 1 }")).toEqual([
			'4:52 E_CONFIG_KEY pipelines.a.filter.params.LIMTI: the filter has no parameter "LIMTI", did you mean "LIMIT"? → it has LIMIT, NAME, FAR',
			'4:63 E_CONFIG_KEY pipelines.a.filter.params.OTHER: the filter has no parameter "OTHER" → it has LIMIT, NAME, FAR',
		]);
	});

	test("are numbers where the default is one", () => {
		expect(given("{ LIMIT: hot, NAME: 5, FAR: x }")).toEqual([
			`4:59 E_CONFIG_VALUE pipelines.a.filter.params.LIMIT: must be a number, not "hot" → the filter's default is 85`,
		]);
	});
});

describe("brokers", () => {
	test.each([
		["localhost:1883", "E_CONFIG_VALUE broker: the URL is not a broker's URL"],
		["ws://x", "E_CONFIG_VALUE broker: the URL is not a broker's URL"],
		["{ keepalive: 20s }", 'E_CONFIG_KEY broker: the key "url" is missing'],
		[
			"{ url: mqtt://x, keepalive: 1500ms }",
			"E_CONFIG_VALUE broker.keepalive: must be whole seconds",
		],
		[
			"{ url: mqtt://x, reconnect: { min: 2m } }",
			"E_CONFIG_VALUE broker.reconnect: min is longer than max",
		],
		[
			"{ url: mqtt://x, will: { topic: a/# } }",
			'E_CONFIG_TOPIC broker.will.topic: "a/#" is not a topic',
		],
		[
			"{ url: mqtt://x, tls: {} }",
			"E_CONFIG_VALUE broker.tls: tls needs a URL that begins with mqtts://",
		],
		[
			"{ url: mqtt://x, sessionExpiry: 1h }",
			"E_CONFIG_VALUE broker.sessionExpiry: sessionExpiry needs MQTT 5",
		],
		[
			"{ url: mqtt://x, password: p }",
			"E_CONFIG_VALUE broker.password: a password without a user name",
		],
		[
			"{ embedded: 1883, username: u }",
			'E_CONFIG_KEY broker.username: "username" does not apply to an embedded broker',
		],
		[
			"{ embedded: 1883, protocol: 5 }",
			"E_CONFIG_VALUE broker.protocol: the embedded broker speaks MQTT 3.1.1 only",
		],
		[
			"{ embedded: 99999 }",
			"E_CONFIG_VALUE broker.embedded: must be host:port or a port from 0 to 65535",
		],
		[
			"'mqtt://u:${NOPE}@x'",
			'E_CONFIG_VALUE broker: the environment variable "NOPE" is not set',
		],
	])("%s", (broker, expected) => {
		expect(wrong({ top: `broker: ${broker}\n` })).toEqual([expected]);
	});

	test("MQTT_BROKER that is none", () => {
		expect(wrong({}, { env: { MQTT_BROKER: "nonsense" } })).toEqual([
			"E_CONFIG_VALUE broker: the environment variable MQTT_BROKER is not a broker's URL",
		]);
	});

	test("a pipeline cannot embed one", () => {
		expect(wrong({ to: "{ topic: x, broker: embedded }" })).toEqual([
			"E_CONFIG_VALUE pipelines.a.to.broker: only the gateway's broker can be embedded",
		]);
	});
});

describe("loops", () => {
	const loop = (parts: Parameters<typeof withPipeline>[0]) =>
		wrong(parts).filter((each) => each.startsWith("E_CONFIG_LOOP"));

	test.each([
		["plant/+", "plant/x"],
		["plant/#", "{topic}/alerts"],
		["plant/+", "{topic}"],
		["+/raw", "{1}/{kind}"],
		["#", "alerts/{topic}"],
		["$share/g/plant/+", "plant/x"],
		["a/+/c", "a{suffix}"],
	])("%s → %s", (from, to) => {
		expect(
			loop({ from: `{ topic: "${from}" }`, to: `{ topic: "${to}" }` }),
		).toEqual([
			`E_CONFIG_LOOP pipelines.a.to.topic: a loop: the output "${to}" can be a reading of the same pipeline (from.topic "${from}")`,
		]);
	});

	test.each([
		["plant/+", "alerts/{topic}"],
		["plant/+", "plant/{1}/alert"],
		["+", "$alerts"],
		["plant/+/temp", "plant/{1}/alert/{device_id}"],
	])("none: %s → %s", (from, to) => {
		const text = withPipeline({
			from: `{ topic: "${from}" }`,
			to: `{ topic: "${to}" }`,
		});
		expect(parse(text).pipelines.a?.name).toBe("a");
	});

	const ring = (brokerOfC: string) => `
broker: mqtt://localhost
pipelines:
  a: { from: { topic: 1/+ }, filter: { module: build/filter.wasm }, to: { topic: "2/{1}" } }
  b: { from: { topic: 2/+ }, filter: { module: build/filter.wasm }, to: { topic: "3/{1}" } }
  c: { from: { topic: 3/+ }, filter: { module: build/filter.wasm }, to: { topic: "1/{1}"${brokerOfC} } }
`;

	test("through several pipelines, told once, also under another name of the same broker", () => {
		for (const broker of ["", ', broker: "mqtt://127.0.0.1:1883"']) {
			expect(problems(ring(broker))).toEqual([
				"4:82 E_CONFIG_LOOP pipelines.a.to.topic: a loop: outputs come back as readings by way of a → b → c → a → begin output topics with a level that no from.topic in the ring matches",
			]);
		}
	});

	test("not when one of them goes to another broker", () => {
		const text = ring(", broker: mqtt://cloud");
		expect(Object.keys(parse(text).pipelines)).toEqual(["a", "b", "c"]);
	});

	test("what is fed by a ring or feeds one is not in it", () => {
		const text = `${ring("")}  d: { from: { topic: 2/+ }, filter: { module: build/filter.wasm }, to: { topic: 4/x } }
  e: { from: { topic: 5/+ }, filter: { module: build/filter.wasm }, to: { topic: 1/x } }
`;
		expect(problems(text)).toHaveLength(1);
	});

	test("through a file", () => {
		expect(
			loop({ from: "{ file: x.ndjson }", to: "{ file: ./x.ndjson }" })[0],
		).toMatch(
			/^E_CONFIG_LOOP pipelines\.a\.to\.file: a loop: the output ".*x\.ndjson" can be a reading/,
		);
	});
});

describe("side by side", () => {
	test("client ids", () => {
		const text = `
broker: { url: mqtt://b, clientId: one }
pipelines:
  a: { from: { topic: 1/+, clientId: one }, filter: { module: build/filter.wasm }, to: { topic: x } }
  b: { from: { topic: 2/+, clientId: two }, filter: { module: build/filter.wasm }, to: stdout }
  c: { from: { topic: 2/+, clientId: two }, filter: { module: build/filter.wasm }, to: stdout }
  d: { from: { topic: 2/+, clientId: two, broker: mqtt://other }, filter: { module: build/filter.wasm }, to: stdout }
`;
		const what = problems(text).map((each) => each.replace(/ → .*$/, ""));
		expect(what).toEqual([
			'4:38 E_CONFIG_VALUE pipelines.a.from.clientId: the client id "one" is also that of pipelines.a: the two would cut each other off',
			'6:38 E_CONFIG_VALUE pipelines.c.from.clientId: the client id "two" is also that of pipelines.b.from: the two would cut each other off',
		]);
	});

	test("stdin is read by one pipeline only", () => {
		const text = `
pipelines:
  a: { from: stdin, filter: { module: build/filter.wasm }, to: stdout }
  b: { from: stdin, filter: { module: build/filter.wasm }, to: stdout }
`;
		expect(problems(text)).toEqual([
			"4:14 E_CONFIG_VALUE pipelines.b.from: pipeline a already reads stdin → read it in one pipeline only",
		]);
	});
});

describe("hints say what was probably meant", () => {
	test("a word of a list", () => {
		expect(problems(withPipeline({ more: "onError: quarantin" }))).toEqual([
			expect.stringContaining('→ did you mean "quarantine"?'),
		]);
	});

	test("a filter's module without its key", () => {
		expect(problems(withPipeline({ filter: "filters/hot.wasm" }))).toEqual([
			expect.stringContaining("→ write filter: { module: filters/hot.wasm }"),
		]);
	});
});
