/**
 * What a gateway file becomes: checked, complete (every default filled in), deeply frozen, plain
 * data. It can be posted to another thread as it is. Sizes are bytes, durations milliseconds,
 * paths absolute. It holds secrets: do not print it.
 */
export interface GatewayConfig {
	/** The config file. */
	readonly file: string;
	readonly broker: BrokerConfig;
	/** Where /health and /metrics listen; false: nowhere. */
	readonly http: HttpConfig | false;
	/** Threads that pipelines are spread over, 1 … 64. */
	readonly threads: number;
	/** How long a fast flow's readings may gather before they are read, ms; 0: not at all. */
	readonly gather: number;
	readonly quarantine: QuarantineConfig;
	/** Where modules that are images (`oci://…`) are kept. */
	readonly images: { readonly dir: string };
	readonly log: { readonly level: LogLevel };
	/** How long a staged stop may take. */
	readonly stop: { readonly deadline: number };
	/** By name, in the order of the file. Names match {@link PIPELINE_NAME}; the record has no prototype. */
	readonly pipelines: Readonly<Record<string, PipelineConfig>>;
}

/** Names become file names, client ids, URL segments and metric labels. */
export const PIPELINE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export interface HttpConfig {
	readonly host: string;
	/** 0: any free port. */
	readonly port: number;
}

export interface QuarantineConfig {
	/** One file a pipeline lies in it. */
	readonly dir: string;
	/** Most bytes a pipeline's quarantine takes on disk, both generations together. */
	readonly maxBytes: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * A broker. Ends with equal settings share one object, so it can be the key of a map of
 * connections. `clientId` is that of the connection that publishes; a thread other than the
 * first appends its number. Reading connections have the `clientId` of their `from`.
 */
export type BrokerConfig = RemoteBroker | EmbeddedBroker;

export interface RemoteBroker extends ConnectionConfig {
	readonly kind: "remote";
	/** `mqtt://host:port` or `mqtts://host:port`, never with user name or password. */
	readonly url: string;
	readonly username?: string;
	readonly password?: string;
	/** Present exactly when the URL is mqtts. */
	readonly tls?: TlsConfig;
}

/** Started by the gateway, for anybody who reaches host:port. Always MQTT 3.1.1. */
export interface EmbeddedBroker extends ConnectionConfig {
	readonly kind: "embedded";
	readonly host: string;
	/** 0: any free port. */
	readonly port: number;
}

export interface ConnectionConfig {
	readonly clientId: string;
	/** 4 is MQTT 3.1.1, 5 is MQTT 5. */
	readonly protocol: 4 | 5;
	/** Seconds; 0: off. */
	readonly keepalive: number;
	/** Pause before connecting again: grows from min to max. */
	readonly reconnect: { readonly min: number; readonly max: number };
	/** From the first SYN to the CONNACK. */
	readonly connectTimeout: number;
	/** How long the broker keeps a persistent session (MQTT 5), in seconds. */
	readonly sessionExpiry: number;
	/** Outputs sent and not yet acknowledged, at most, per connection. */
	readonly maxInflight: number;
	readonly will?: WillConfig;
}

export interface TlsConfig {
	/** PEM texts, read from the files that the config names. */
	readonly ca?: string;
	readonly cert?: string;
	readonly key?: string;
	/** Name the certificate must have; by default the host of the URL. */
	readonly servername?: string;
	/** True: the broker's certificate is not verified. */
	readonly insecure: boolean;
}

export interface WillConfig {
	readonly topic: string;
	readonly payload: string;
	readonly qos: QoS;
	readonly retain: boolean;
}

export type QoS = 0 | 1 | 2;

export interface PipelineConfig {
	readonly name: string;
	readonly from: FromConfig;
	/** At least one, in the order readings pass them. */
	readonly filters: readonly FilterConfig[];
	readonly to: ToConfig;
	readonly delivery: Delivery;
	readonly onError: OnError;
	readonly limits: Limits;
	readonly restart: RestartConfig;
	readonly quarantine: {
		readonly file: string;
		readonly maxBytes: number;
	};
}

export type Delivery = "at-most-once" | "at-least-once";
export type OnError = "quarantine" | "drop" | "stop";
export type Codec = "json" | "text" | "base64";

export type FromConfig = MqttFrom | FileFrom | StdinFrom;

export interface MqttFrom {
	readonly kind: "mqtt";
	readonly broker: BrokerConfig;
	/** A topic filter, `$share/group/…` included. */
	readonly topic: string;
	readonly qos: QoS;
	readonly clientId: string;
	/** False: a persistent session. */
	readonly clean: boolean;
	/** It may read the same connection as equal ones: QoS 0, no session, no clientId in the file, no `$share`. */
	readonly shared: boolean;
	readonly codec: Codec;
}

export interface FileFrom {
	readonly kind: "file";
	/** NDJSON files, read one after the other. */
	readonly paths: readonly string[];
	readonly codec: Codec;
}

export interface StdinFrom {
	readonly kind: "stdin";
	readonly codec: Codec;
}

export type ToConfig = MqttTo | FileTo | StdoutTo;

export interface MqttTo {
	readonly kind: "mqtt";
	readonly broker: BrokerConfig;
	/** A template: {topic}, {1} …, {suffix}, {field}. */
	readonly topic: string;
	readonly qos: QoS;
	readonly retain: boolean;
}

export interface FileTo {
	readonly kind: "file";
	/** Appended to. */
	readonly path: string;
}

export interface StdoutTo {
	readonly kind: "stdout";
}

export interface FilterConfig {
	/** The compiled module's file, or `oci://REGISTRY/NAME:TAG` as it is written. */
	readonly module: string;
	/** The module's WASI environment. */
	readonly params: Readonly<Record<string, string>>;
	/** The module's arguments, without its own name. */
	readonly args: readonly string[];
	/** Whether clocks tell real time (modules in a worker); otherwise time stands at the reading's arrival. */
	readonly realTime: boolean;
	readonly engine: EngineConfig;
}

/**
 * The gateway's own engine, a runtime known by name (host/engine/runtimes/), a command that runs a
 * module's file, or a container of an image that holds the module.
 */
export type EngineConfig =
	| string
	| { readonly command: readonly string[] }
	| ContainerConfig;

export interface ContainerConfig {
	/** docker, docker-wasm, podman or ctr. */
	readonly container: string;
	/** Left out: one is made of the module. */
	readonly image?: string;
	readonly network?: string;
}

export const EMBEDDED = "embedded";

export interface Limits {
	/** Linear memory of one instance. */
	readonly memory: number;
	/** Units of fuel per reading (modules run inline). */
	readonly fuel: number;
	/** Longest payload. */
	readonly reading: number;
	/** Output per reading. */
	readonly output: number;
	/** Per reading (modules in a worker). */
	readonly time: number;
	/** Size of the .wasm file. */
	readonly module: number;
	/** Readings taken and not yet settled. */
	readonly inflight: number;
}

export interface RestartConfig {
	/** Failures in a row before the pipeline is stopped. */
	readonly max: number;
	/** Pause before the first restart; doubles with each failure in a row. */
	readonly backoff: number;
	/** How long a stopped pipeline rests before it is tried again; 0: for ever. */
	readonly cooldown: number;
}
