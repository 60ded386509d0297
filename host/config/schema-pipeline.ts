import type { Key } from "./schema.js";

const qos: Key = { type: "integer", enum: [0, 1, 2] };

const ownBroker: Key = {
	$ref: "#/properties/broker",
	description:
		"Another broker than the gateway's, in the same forms (not `embedded`).",
	defaultText: "the gateway's broker",
	examples: ["mqtt://cloud.example:1883"],
};

const from: Key = {
	type: ["object", "string"],
	description:
		"Where readings come from: an MQTT topic filter (`topic`), NDJSON files (`file`), or the word `stdin`.",
	examples: [{ topic: "plant/+/press/#", qos: 1 }, "stdin"],
	additionalProperties: false,
	properties: {
		topic: {
			type: "string",
			description:
				"MQTT topic filter, with `+` and `#`; `$share/GROUP/…` shares the readings with other gateways.",
			examples: ["plant/+/press/#"],
		},
		qos: {
			...qos,
			description:
				"QoS of the subscription. From 1 on, readings are acknowledged when what they caused is safe.",
			default: 1,
			examples: [0],
		},
		broker: ownBroker,
		clientId: {
			type: "string",
			description:
				"Client id of this connection. A persistent session hangs on it: keep it. At QoS 0 pipelines that read the same topic filter share a connection, under the first one's id; a clientId gives a pipeline a connection of its own.",
			minLength: 1,
			defaultText: "`wasieve-in-HOST-PIPELINE`",
			examples: ["press-hall-overheat"],
		},
		session: {
			type: "string",
			description:
				"persistent: the broker keeps what comes while the gateway is away, and what was not acknowledged; clean: it does not.",
			enum: ["persistent", "clean"],
			defaultText: "persistent, clean at QoS 0",
			examples: ["clean"],
		},
		file: {
			type: ["string", "array"],
			description:
				"NDJSON files, one reading a line, read one after the other.",
			minLength: 1,
			minItems: 1,
			items: { type: "string", minLength: 1 },
			examples: ["readings.ndjson", ["monday.ndjson", "tuesday.ndjson"]],
		},
		stdin: {
			type: "boolean",
			description: "True: lines from standard input, as `from: stdin`.",
			enum: [true],
			examples: [true],
		},
		codec: {
			type: "string",
			description:
				"What payloads are: JSON as it is, or text or bytes handed to the filter as a JSON string (bytes in base64).",
			enum: ["json", "text", "base64"],
			default: "json",
			examples: ["text"],
		},
	},
};

function image(description: string): Key {
	return {
		type: ["string", "boolean"],
		description: `${description} \`true\`: made of \`module\` and loaded by the gateway.`,
		minLength: 1,
		examples: ["plant/overheat:1.2", true],
	};
}

const engine: Key = {
	type: ["string", "object"],
	description:
		"What runs the filter (docs/engines.md): the gateway's own engine (`embedded`), `wazero`, `wasmtime`, `iwasm`, `wasmedge`, `docker`, `podman`, `ctr`, another command, or a container of an image that holds the module.",
	defaultText: "the pipeline's engine",
	minLength: 1,
	additionalProperties: false,
	examples: ["wazero", "docker", { docker: "plant/overheat:1.2" }],
	properties: {
		command: {
			type: "array",
			description:
				"A program and its arguments. `{module}` stands for the module's file (without it the file comes last), `{param}` for a parameter: the word that it stands in comes once for each.",
			items: { type: "string" },
			minItems: 1,
			examples: [["wazero", "run", "-env={param}", "{module}"]],
		},
		docker: image("A Linux image that holds a runtime and the module."),
		podman: image("The same by podman."),
		"docker-wasm": image(
			"A wasi/wasm image, run by Docker's wasmtime shim. Needs a `network`.",
		),
		ctr: image("A wasi/wasm image, run by containerd's own command."),
		network: {
			type: "string",
			description:
				"The container's network: `none`, `host` or `container:NAME`; docker-wasm cannot start with `none`.",
			defaultText: "none",
			examples: ["container:pause"],
		},
	},
};

const filter: Key = {
	type: ["object", "array"],
	description: "The filter, or a list of filters that readings pass in a row.",
	examples: [{ module: "build/overheat.wasm" }],
	additionalProperties: false,
	required: ["module"],
	minItems: 1,
	properties: {
		module: {
			type: "string",
			description:
				"The compiled module (`wasieve build`), or an image of it (docs/images.md): pulled before the gateway starts, pinned to its digest, kept in `images.dir`.",
			minLength: 1,
			examples: ["build/overheat.wasm", "oci://localhost:5000/overheat:1.2"],
		},
		params: {
			type: "object",
			description:
				"Parameters, handed over as WASI environment exactly as they are written here. A module made with `wasieve build` says which it has; others are refused.",
			propertyNames: { pattern: "^[^=\\0]+$" },
			additionalProperties: { type: ["string", "number", "boolean"] },
			default: {},
			examples: [{ LIMIT: 85 }],
		},
		args: {
			type: "array",
			description:
				"Arguments for modules that take them, without the program's name.",
			items: { type: ["string", "number", "boolean"] },
			default: [],
			examples: [["--verbose"]],
		},
		realTime: {
			type: "boolean",
			description:
				"Lets a module that was made elsewhere see the real clock. Otherwise its time moves only with its readings, so that a replay gives the same result.",
			default: false,
			examples: [true],
		},
		engine,
	},
};

const filters: Key = {
	...filter,
	items: {
		type: "object",
		$ref: "#/properties/pipelines/additionalProperties/properties/filter",
	},
};

const to: Key = {
	type: ["object", "string"],
	description:
		"Where outputs go: an MQTT topic (`topic`), an NDJSON file (`file`), or the word `stdout`.",
	examples: [{ topic: "alerts/{1}/{topic}" }, "stdout"],
	additionalProperties: false,
	properties: {
		topic: {
			type: "string",
			description:
				"Topic to publish to. `{topic}` is the reading's topic, `{1}`, `{2}` … what the wildcards of `from.topic` stood for, `{suffix}` the suffix of emitTo(), any other `{name}` that field of the output.",
			examples: ["alerts/{1}/{topic}", "alerts/{device_id}"],
		},
		qos: {
			...qos,
			description: "QoS of the outputs.",
			defaultText: "1, or 0 when `from.qos` is 0",
			examples: [1],
		},
		retain: {
			type: "boolean",
			description: "Whether the broker keeps the last output of each topic.",
			default: false,
			examples: [true],
		},
		broker: ownBroker,
		file: {
			type: "string",
			description: "NDJSON file that outputs are appended to.",
			minLength: 1,
			examples: ["alerts.ndjson"],
		},
		stdout: {
			type: "boolean",
			description: "True: lines on standard output, as `to: stdout`.",
			enum: [true],
			examples: [true],
		},
	},
};

function limit(
	unit: "bytes" | "count" | "duration",
	description: string,
	preset: string,
	[least, most]: [number, number],
	example: string,
): Key {
	return {
		type: ["string", "integer"],
		description,
		unit,
		least,
		most,
		default: preset,
		examples: [example],
	};
}

const KIB = 1024;
const GIB = 2 ** 30;

const limits: Key = {
	type: "object",
	description: "What one filter and one reading may use.",
	additionalProperties: false,
	properties: {
		memory: limit(
			"bytes",
			"Linear memory of one instance.",
			"16MiB",
			[64 * KIB, 4 * GIB],
			"64MiB",
		),
		fuel: limit(
			"count",
			"Units of work per reading, for modules that run inline; the same on every CPU and in every replay.",
			"10M",
			[1000, 1e12],
			"100M",
		),
		reading: limit(
			"bytes",
			"Longest payload; longer readings fail.",
			"64KiB",
			[1, 256 * 1024 * KIB],
			"1MiB",
		),
		output: limit(
			"bytes",
			"Most that a filter may write for one reading.",
			"1MiB",
			[1, 256 * 1024 * KIB],
			"4MiB",
		),
		time: limit(
			"duration",
			"Longest time for one reading, for modules that run in a worker or another engine.",
			"250ms",
			[1, 3_600_000],
			"2s",
		),
		module: limit(
			"bytes",
			"Largest module file.",
			"16MiB",
			[KIB, GIB],
			"64MiB",
		),
		inflight: limit(
			"count",
			"Readings taken and not yet settled before the source is paused.",
			"16384",
			[1, 65_535],
			"100",
		),
	},
};

const restart: Key = {
	type: "object",
	description: "What happens when a filter dies again and again.",
	additionalProperties: false,
	properties: {
		max: {
			type: "integer",
			description: "Failures in a row after which the pipeline is stopped.",
			minimum: 1,
			maximum: 1000,
			default: 5,
			examples: [20],
		},
		backoff: limit(
			"duration",
			"Pause before the first restart; doubles with each failure in a row.",
			"100ms",
			[0, 3_600_000],
			"1s",
		),
		cooldown: limit(
			"duration",
			"How long a stopped pipeline rests before it is tried again; 0: until it is resumed by command. Where every source is a file or stdin, `wasieve run` ends instead (exit code 1) if the filter cannot start, or with 0.",
			"30s",
			[0, 86_400_000],
			"5m",
		),
	},
};

export const pipelineKeys: Key = {
	type: "object",
	description:
		"A pipeline: one source, one or more filters in a row, one sink.",
	additionalProperties: false,
	required: ["from", "filter", "to"],
	properties: {
		from,
		filter: filters,
		to,
		engine: {
			type: ["string", "object"],
			description:
				"What runs those of its filters that name no engine of their own, written as a filter's `engine`.",
			defaultText: "embedded",
			minLength: 1,
			additionalProperties: false,
			properties: engine.properties as Record<string, Key>,
			examples: ["wazero"],
		},
		delivery: {
			type: "string",
			description:
				"at-most-once: what arrives is processed once; at-least-once: a reading is acknowledged after its outputs are; a crash may repeat it, never lose it.",
			enum: ["at-most-once", "at-least-once", "journaled"],
			defaultText:
				"at-least-once, but at-most-once when either end has QoS 0 (journaled is not available yet)",
			examples: ["at-least-once"],
		},
		onError: {
			type: "string",
			description:
				"What becomes of a reading that fails: kept with its reason, counted and dropped, or the pipeline stops until it is resumed.",
			enum: ["quarantine", "drop", "stop"],
			default: "quarantine",
			examples: ["quarantine"],
		},
		limits,
		restart,
	},
};
