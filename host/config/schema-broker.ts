// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what the config takes
import type { Key } from "./schema.js";

const password: Key = {
	type: ["string", "object"],
	description:
		"Password: `${NAME}` takes it from the environment, `{ file: PATH }` from a file (one line end at its end is cut off).",
	secret: true,
	additionalProperties: false,
	required: ["file"],
	properties: {
		file: {
			type: "string",
			description: "File that holds the password.",
			minLength: 1,
			examples: ["/run/secrets/mqtt"],
		},
	},
	examples: ["${MQTT_PASSWORD}", { file: "/run/secrets/mqtt" }],
};

const tls: Key = {
	type: "object",
	description:
		"TLS for `mqtts://`. Without it the system's authorities are trusted.",
	additionalProperties: false,
	properties: {
		ca: {
			type: "string",
			description:
				"PEM file of the authority that signed the broker's certificate.",
			minLength: 1,
			examples: ["certs/ca.pem"],
		},
		cert: {
			type: "string",
			description: "PEM file of the gateway's own certificate; needs key.",
			minLength: 1,
			examples: ["certs/gateway.pem"],
		},
		key: {
			type: "string",
			description: "PEM file of the certificate's private key; needs cert.",
			minLength: 1,
			examples: ["certs/gateway.key"],
		},
		servername: {
			type: "string",
			description: "Name that the broker's certificate must have.",
			minLength: 1,
			defaultText: "the host of the URL",
			examples: ["broker.plant.example"],
		},
		insecure: {
			type: "boolean",
			description:
				"True accepts any certificate: whoever is on the way can then read and forge everything.",
			default: false,
			examples: [true],
		},
	},
};

const will: Key = {
	type: "object",
	description:
		"Message that the broker publishes when the publishing connection is lost.",
	additionalProperties: false,
	required: ["topic"],
	properties: {
		topic: {
			type: "string",
			description: "Topic of the will.",
			examples: ["gateways/press-hall"],
		},
		payload: {
			type: "string",
			description: "Payload of the will.",
			default: "",
			examples: ["gone"],
		},
		qos: {
			type: "integer",
			description: "QoS of the will.",
			enum: [0, 1, 2],
			default: 0,
			examples: [1],
		},
		retain: {
			type: "boolean",
			description: "Whether the broker keeps the will for later subscribers.",
			default: false,
			examples: [true],
		},
	},
};

function pause(description: string, preset: string, example: string): Key {
	return {
		type: ["string", "integer"],
		description,
		unit: "duration",
		least: 1,
		most: 3_600_000,
		default: preset,
		examples: [example],
	};
}

const reconnect: Key = {
	type: "object",
	description:
		"Pause before connecting again; it doubles from min to max, half of it by chance.",
	additionalProperties: false,
	properties: {
		min: pause("Pause before the first attempt.", "1s", "200ms"),
		max: pause("Longest pause.", "30s", "2m"),
	},
};

/** Either a broker to connect to (`url`) or one to start (`embedded`). */
export const brokerKeys: Key = {
	type: ["string", "object"],
	secret: true,
	additionalProperties: false,
	properties: {
		url: {
			type: "string",
			description:
				"`mqtt://host:port` (1883) or `mqtts://host:port` (8883). `${NAME}` takes a part from the environment.",
			secret: true,
			examples: ["mqtts://broker.example:8883"],
		},
		embedded: {
			type: ["string", "integer"],
			description:
				"Starts a broker in the gateway instead (optional package aedes, MQTT 3.1.1): `host:port`, or a port on loopback; port 0 is any free one. It asks nobody for a password.",
			examples: ["127.0.0.1:1883"],
		},
		clientId: {
			type: "string",
			description:
				"Client id of the connection that publishes; threads beyond the first append `-1`, `-2` …",
			minLength: 1,
			defaultText: "`wasieve-out-HOST`, with `-PIPELINE` for a pipeline's own",
			examples: ["press-hall-out"],
		},
		username: {
			type: "string",
			description: "User name. `${NAME}` takes it from the environment.",
			secret: true,
			examples: ["gateway"],
		},
		password,
		tls,
		protocol: {
			description: "4 (MQTT 3.1.1) or 5.",
			type: "integer",
			enum: [4, 5],
			default: 4,
			examples: [5],
		},
		keepalive: {
			type: ["string", "integer"],
			description: "Longest silence before a ping, in whole seconds; 0: off.",
			unit: "duration",
			least: 0,
			most: 65_535_000,
			default: "60s",
			examples: ["20s"],
		},
		connectTimeout: pause(
			"Longest wait for the broker's answer to CONNECT.",
			"10s",
			"30s",
		),
		reconnect,
		sessionExpiry: {
			type: ["string", "integer"],
			description:
				"How long the broker keeps a persistent session while the gateway is away (protocol 5; 3.1.1 brokers decide for themselves).",
			unit: "duration",
			least: 0,
			most: 4_294_967_295_000,
			default: "1d",
			examples: ["7d"],
		},
		maxInflight: {
			type: ["string", "integer"],
			description:
				"Outputs sent and not yet acknowledged, at most, per connection.",
			unit: "count",
			least: 1,
			most: 65_535,
			default: 1000,
			examples: [100],
		},
		will,
	},
};
