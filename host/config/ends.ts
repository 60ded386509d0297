import type { Brokers } from "./broker.js";
import type { Key } from "./schema.js";
import { asValues, Section, type Surroundings } from "./section.js";
import { filterFault, placeholdersFault, templateFault } from "./template.js";
import type { BrokerConfig, FromConfig, QoS, ToConfig } from "./types.js";

/** The pipeline that an end belongs to. */
export interface Owner {
	readonly name: string;
	readonly brokers: Brokers;
	/** Undefined when the gateway's broker is wrong. */
	readonly broker: BrokerConfig | undefined;
}

const FROM_KINDS = ["topic", "file", "stdin"] as const;
const TO_KINDS = ["topic", "file", "stdout"] as const;
const MQTT_ONLY = ["qos", "broker", "clientId", "session", "retain"];

/** `from`; undefined when something in it is wrong (reported). */
export function resolveFrom(
	pipeline: Section,
	owner: Owner,
	around: Surroundings,
): FromConfig | undefined {
	const from = endSection(pipeline, "from", "stdin", around);
	const kind = from && kindOf(from, FROM_KINDS, around);
	if (!from || kind === undefined) return undefined;
	const codec = from.need<FromConfig["codec"]>("codec");
	if (kind === "stdin") return { kind, codec };
	if (kind === "topic") return mqttFrom(from, owner, around);
	const files = from.get<string | string[]>("file");
	if (files === undefined) return undefined;
	const paths = [files].flat().map(around.path);
	const at = from.at("file");
	paths.forEach((file, i) => {
		const place = Array.isArray(files) ? [...at, i] : at;
		around.meet({ kind: "source", file }, place);
	});
	return { kind: "file", paths, codec };
}

/** `to`; undefined when something in it is wrong (reported). */
export function resolveTo(
	pipeline: Section,
	from: FromConfig | undefined,
	owner: Owner,
	around: Surroundings,
): ToConfig | undefined {
	const to = endSection(pipeline, "to", "stdout", around);
	const kind = to && kindOf(to, TO_KINDS, around);
	if (!to || kind === undefined) return undefined;
	if (kind === "stdout") return { kind };
	if (kind === "topic") return mqttTo(to, from, owner, around);
	const written = to.get<string>("file");
	if (written === undefined) return undefined;
	const file = around.path(written);
	around.meet({ kind: "sink", file }, to.at("file"));
	return { kind, path: file };
}

/** An end may be one word instead of a map. */
function endSection(
	pipeline: Section,
	name: string,
	word: string,
	{ report }: Surroundings,
): Section | undefined {
	const value = pipeline.get<unknown>(name);
	if (value === undefined) return undefined;
	const key = pipeline.key.properties?.[name] as Key;
	if (typeof value !== "string") {
		return new Section(key, asValues(value), pipeline.at(name));
	}
	if (value === word) {
		return new Section(key, { [word]: true }, pipeline.at(name), true);
	}
	// A broker's URL may hold a password.
	const isUrl = value.includes("://");
	const shown = isUrl ? "a URL" : JSON.stringify(value);
	const what = `must be a map of keys or the word ${word}, not ${shown}`;
	const example = isUrl ? "TOPIC, broker: URL" : JSON.stringify(value);
	const hint = `for MQTT: ${name}: { topic: ${example} }`;
	report.value(pipeline.at(name), what, hint);
	return undefined;
}

/** Which of the kinds it is: exactly one of their keys must be there. */
function kindOf<K extends string>(
	end: Section,
	kinds: readonly K[],
	{ report }: Surroundings,
): K | undefined {
	const [kind, second] = kinds.filter((name) => end.has(name));
	const all = `${kinds.slice(0, -1).join(", ")} or ${kinds.at(-1)}`;
	if (kind === undefined) {
		const what = `the key ${all} is missing`;
		const hint = `for example: topic: ${end.key.properties?.topic?.examples?.[0]}`;
		report.add("E_CONFIG_KEY", end.path, what, hint, "key");
		return undefined;
	}
	if (second !== undefined) {
		const what = `"${kind}" and "${second}" exclude each other`;
		const hint = "keep one; a second pipeline can have the other";
		report.add("E_CONFIG_KEY", end.at(second), what, hint, "key");
		return undefined;
	}
	if (kind !== "topic") refuseMqttKeys(end, kind, report);
	return kind;
}

function refuseMqttKeys(
	end: Section,
	kind: string,
	report: Surroundings["report"],
): void {
	for (const name of end.given(MQTT_ONLY)) {
		const what = `"${name}" does not apply to ${kind}`;
		const hint = "remove it; it belongs to topic";
		report.add("E_CONFIG_KEY", end.at(name), what, hint, "key");
	}
}

function mqttFrom(
	from: Section,
	owner: Owner,
	around: Surroundings,
): FromConfig | undefined {
	const topic = from.get<string>("topic");
	const broker = brokerOf(from, owner);
	const fault = topic === undefined ? undefined : filterFault(topic);
	if (fault) {
		around.report.add("E_CONFIG_TOPIC", from.at("topic"), ...fault);
		return undefined;
	}
	if (topic === undefined || broker === undefined) return undefined;
	const qos = from.need<QoS>("qos");
	const session = from.get<string>("session");
	const clean = session === undefined ? qos === 0 : session === "clean";
	return {
		kind: "mqtt",
		broker,
		topic,
		qos,
		clientId:
			from.get<string>("clientId") ??
			`wasieve-in-${around.hostname}-${owner.name}`,
		clean,
		shared:
			qos === 0 &&
			clean &&
			!from.has("clientId") &&
			!topic.startsWith("$share/"),
		codec: from.need<FromConfig["codec"]>("codec"),
	};
}

function mqttTo(
	to: Section,
	from: FromConfig | undefined,
	owner: Owner,
	around: Surroundings,
): ToConfig | undefined {
	const topic = to.get<string>("topic");
	const broker = brokerOf(to, owner);
	const fault = topic === undefined ? undefined : topicFault(topic, from);
	if (fault) {
		around.report.add("E_CONFIG_TOPIC", to.at("topic"), ...fault);
		return undefined;
	}
	if (topic === undefined || broker === undefined) return undefined;
	const reliable = from?.kind !== "mqtt" || from.qos > 0;
	const qos = to.get<QoS>("qos") ?? (reliable ? 1 : 0);
	return { kind: "mqtt", broker, topic, qos, retain: to.need("retain") };
}

/** Nothing is known of {1} when `from` itself is wrong. */
function topicFault(topic: string, from: FromConfig | undefined) {
	const fault = templateFault(topic);
	if (fault || from === undefined) return fault;
	return placeholdersFault(
		topic,
		from.kind === "mqtt" ? from.topic : undefined,
	);
}

function brokerOf(end: Section, owner: Owner): BrokerConfig | undefined {
	if (!end.has("broker")) return owner.broker;
	const value = end.get<unknown>("broker");
	if (value === undefined) return undefined;
	return owner.brokers.resolveOwn(value, end.at("broker"), owner.name);
}
