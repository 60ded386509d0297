import { brokerKeys } from "./schema-broker.js";
import { pipelineKeys } from "./schema-pipeline.js";
import type { Unit } from "./units.js";

/**
 * A key of the gateway file: JSON Schema (draft 7) plus three keywords of our own. Kept so
 * plain that no error needs `oneOf`, whose messages nobody can act on: a key with several forms lists
 * their types, and what depends on other keys is checked in code.
 */
export interface Key {
	/** The same as another key, by its place in {@link SCHEMA}: compiled once, at every start. */
	readonly $ref?: string;
	readonly type?: string | readonly string[];
	readonly description?: string;
	readonly default?: unknown;
	readonly examples?: readonly unknown[];
	readonly enum?: readonly unknown[];
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minLength?: number;
	readonly minItems?: number;
	readonly minProperties?: number;
	readonly pattern?: string;
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, Key>>;
	readonly additionalProperties?: boolean | Key;
	readonly propertyNames?: Key;
	readonly items?: Key;
	/** Written with a unit (units.ts), between `least` and `most`. */
	readonly unit?: Unit;
	readonly least?: number;
	readonly most?: number;
	/** What stands there must never be repeated in a message. */
	readonly secret?: boolean;
	/** A default that depends on something else, in words. */
	readonly defaultText?: string;
}

/** Keywords that say nothing about what is right by themselves: `unit` reads the first two. */
export const OWN_WORDS = ["least", "most", "secret", "defaultText"];

const log: Key = {
	type: "object",
	description:
		"The log: JSON lines on stderr; lines that do not begin with `{` there are of `wasieve run` itself: what is up, the account of each pipeline at the end, errors with their hints. A pipeline's failures of one code come as one line in 10 s; `repeated` in the next one counts those in between, `/metrics` and the quarantine have every one.",
	additionalProperties: false,
	properties: {
		level: {
			type: "string",
			description: "Least important lines that are written.",
			enum: ["debug", "info", "warn", "error", "silent"],
			default: "info",
			examples: ["warn"],
		},
	},
};

const quarantine: Key = {
	type: "object",
	description:
		"Where readings that failed are kept (`onError: quarantine`): one NDJSON file per pipeline, `DIR/PIPELINE.ndjson`, mode 0600.",
	additionalProperties: false,
	properties: {
		dir: {
			type: "string",
			description: "The folder; made when it is first needed.",
			minLength: 1,
			default: "quarantine",
			examples: ["/var/lib/wasieve/quarantine"],
		},
		maxBytes: {
			type: ["string", "integer"],
			description:
				"Most disk space one pipeline's quarantine takes. When half of it is full, the file becomes `PIPELINE.ndjson.1` and replaces the one before, whose readings are then gone and counted.",
			unit: "bytes",
			least: 64 * 1024,
			most: 2 ** 40,
			default: "64MiB",
			examples: ["1GiB"],
		},
	},
};

const images: Key = {
	type: "object",
	description:
		"Where modules that are images (`module: oci://…`) are kept, so that they run without the registry.",
	additionalProperties: false,
	properties: {
		dir: {
			type: "string",
			description: "The folder; made when it is first needed.",
			minLength: 1,
			default: "images",
			examples: ["/var/lib/wasieve/images"],
		},
	},
};

const stop: Key = {
	type: "object",
	description: "The staged stop on SIGTERM, SIGINT and SIGHUP.",
	additionalProperties: false,
	properties: {
		deadline: {
			type: ["string", "integer"],
			description:
				"How long draining may take. What is not acknowledged by then stays with the broker.",
			unit: "duration",
			least: 0,
			most: 86_400_000,
			default: "10s",
			examples: ["30s"],
		},
	},
};

/** The gateway file. docs/config.md and docs/gateway.schema.json are made from it. */
export const SCHEMA: Key = {
	type: "object",
	description: "A gateway file of wasieve.",
	additionalProperties: false,
	required: ["pipelines"],
	properties: {
		broker: {
			...brokerKeys,
			description:
				"The broker that pipelines read from and publish to: a URL, `embedded`, or the keys below. The environment variable MQTT_BROKER replaces its URL.",
			default: "mqtt://127.0.0.1:1883",
			examples: ["mqtts://broker.example:8883", "embedded"],
		},
		http: {
			type: ["string", "integer", "boolean"],
			description:
				"Address for /health, /metrics and the stop and resume commands: `host:port`, a port on loopback, or false for none. Nobody has to log in there: keep it on loopback or a network that you trust.",
			default: false,
			examples: ["127.0.0.1:3000", 3000],
		},
		threads: {
			type: "integer",
			description:
				"Threads that pipelines are spread over. They share nothing; a pipeline lives on one of them.",
			minimum: 1,
			maximum: 64,
			default: 1,
			examples: [4],
		},
		gather: {
			type: ["string", "integer"],
			description:
				"Longest time that readings may gather in the kernel before they are read, once they come faster than 4,000 a second: fewer wake-ups, and so less CPU, for up to this much latency (twice at QoS 1). 0 reads each at once. Not used beside an embedded broker or filters that do not run inline.",
			unit: "duration",
			least: 0,
			most: 10,
			default: "2ms",
			examples: [0, "5ms"],
		},
		quarantine,
		images,
		log,
		stop,
		pipelines: {
			type: "object",
			description:
				"The pipelines by name. A name has letters, digits, `_`, `.` and `-`, at most 64; it appears in file names, client ids, URLs and metrics.",
			minProperties: 1,
			propertyNames: { pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" },
			additionalProperties: pipelineKeys,
			examples: [
				{
					overheat: {
						from: { topic: "plant/+/press/#", qos: 1 },
						filter: { module: "build/overheat.wasm" },
						to: { topic: "alerts/{1}/{topic}" },
					},
				},
			],
		},
	},
};
