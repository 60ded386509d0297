import { parseTarget, type Target } from "../mqtt/options.js";
import { isTopicName } from "../mqtt/topics.js";
import { parseAddress } from "./address.js";
import type { Path } from "./problem.js";
import { brokerKeys } from "./schema-broker.js";
import { expand, resolvePassword } from "./secret.js";
import { asValues, Section, type Surroundings } from "./section.js";
import { resolveTls } from "./tls.js";
import type { BrokerConfig, ConnectionConfig, WillConfig } from "./types.js";

const LOOPBACK = "127.0.0.1:1883";
const URL_HINT = "write it as mqtt://host:1883 or mqtts://host:8883";
/** What only makes sense for a broker somewhere else. */
const REMOTE_KEYS = ["username", "password", "tls", "sessionExpiry"];

/** The brokers of a gateway file. Equal settings become one object, and so one connection. */
export class Brokers {
	readonly #known = new Map<string, BrokerConfig>();
	readonly #around: Surroundings;

	constructor(around: Surroundings) {
		this.#around = around;
	}

	/** The gateway's own, which MQTT_BROKER may replace. */
	resolve(value: unknown, path: Path): BrokerConfig | undefined {
		const section = brokerSection(value, path);
		const instead = this.#around.env.MQTT_BROKER || undefined;
		const clientId = `wasieve-out-${this.#around.hostname}`;
		return this.#intern(section, instead, clientId);
	}

	/** A pipeline's own. */
	resolveOwn(
		value: unknown,
		path: Path,
		pipeline: string,
	): BrokerConfig | undefined {
		const section = brokerSection(value, path);
		if (section.has("embedded")) {
			const what = "only the gateway's broker can be embedded";
			this.#around.report.value(section.at("embedded"), what, URL_HINT);
			return undefined;
		}
		const clientId = `wasieve-out-${this.#around.hostname}-${pipeline}`;
		return this.#intern(section, undefined, clientId);
	}

	#intern(
		section: Section,
		instead: string | undefined,
		clientId: string,
	): BrokerConfig | undefined {
		const found = resolveBroker(section, instead, this.#around);
		if (found === undefined) return undefined;
		const same = JSON.stringify(found);
		const broker = this.#known.get(same) ?? { clientId, ...found };
		this.#known.set(same, broker);
		return broker;
	}
}

/** Without clientId when the file does not give one. */
type Found =
	| (Omit<Extract<BrokerConfig, { kind: "remote" }>, "clientId"> & OwnId)
	| (Omit<Extract<BrokerConfig, { kind: "embedded" }>, "clientId"> & OwnId);
type OwnId = { clientId?: string };

function brokerSection(value: unknown, path: Path): Section {
	if (typeof value !== "string") {
		return new Section(brokerKeys, asValues(value), path);
	}
	const data = value === "embedded" ? { embedded: LOOPBACK } : { url: value };
	return new Section(brokerKeys, data, path, true);
}

function resolveBroker(
	section: Section,
	instead: string | undefined,
	around: Surroundings,
): Found | undefined {
	const settings = connection(section, around);
	if (instead !== undefined) {
		return instead === "embedded"
			? { kind: "embedded", host: "127.0.0.1", port: 1883, ...settings }
			: remote(section, instead, settings, around, "MQTT_BROKER");
	}
	if (section.has("embedded")) return embedded(section, settings, around);
	if (section.has("url")) {
		const url = section.get<string>("url");
		return url === undefined
			? undefined
			: remote(section, url, settings, around);
	}
	const hint = "for example: url: mqtt://127.0.0.1:1883";
	const what = 'the key "url" is missing';
	around.report.add("E_CONFIG_KEY", section.path, what, hint, "key");
	return undefined;
}

function connection(
	section: Section,
	around: Surroundings,
): Omit<ConnectionConfig, "clientId"> & OwnId {
	const clientId = section.get<string>("clientId");
	const will = resolveWill(section, around);
	return {
		...(clientId === undefined ? {} : { clientId }),
		protocol: section.need<4 | 5>("protocol"),
		keepalive: wholeSeconds(section, "keepalive", around),
		reconnect: reconnect(section.section("reconnect"), around),
		connectTimeout: section.need<number>("connectTimeout"),
		sessionExpiry: wholeSeconds(section, "sessionExpiry", around),
		maxInflight: section.need<number>("maxInflight"),
		...(will === undefined ? {} : { will }),
	};
}

function wholeSeconds(
	section: Section,
	name: string,
	around: Surroundings,
): number {
	const seconds = section.need<number>(name) / 1000;
	if (!Number.isInteger(seconds)) {
		const hint = "write it in s, m, h or d";
		around.report.value(section.at(name), "must be whole seconds", hint);
	}
	return seconds;
}

function reconnect(section: Section, { report }: Surroundings) {
	const min = section.need<number>("min");
	const max = section.need<number>("max");
	if (min > max) {
		const hint = "raise reconnect.max or lower reconnect.min";
		report.value(section.path, "min is longer than max", hint);
	}
	return { min, max };
}

function resolveWill(
	broker: Section,
	{ report }: Surroundings,
): WillConfig | undefined {
	const will = broker.section("will");
	const topic = will.get<string>("topic");
	if (topic === undefined) return undefined;
	if (!isTopicName(topic)) {
		const what = `${JSON.stringify(topic)} is not a topic`;
		const hint = "a topic to publish to has no + and #, and is not empty";
		report.add("E_CONFIG_TOPIC", will.at("topic"), what, hint);
	}
	return {
		topic,
		payload: will.need("payload"),
		qos: will.need("qos"),
		retain: will.need("retain"),
	};
}

function embedded(
	section: Section,
	settings: Omit<ConnectionConfig, "clientId"> & OwnId,
	around: Surroundings,
): Found | undefined {
	for (const name of section.given(["url", ...REMOTE_KEYS])) {
		const what = `"${name}" does not apply to an embedded broker`;
		const hint = `remove ${name}, or connect to a broker with url`;
		around.report.add("E_CONFIG_KEY", section.at(name), what, hint, "key");
	}
	if (settings.protocol !== 4) {
		const what = "the embedded broker speaks MQTT 3.1.1 only";
		around.report.value(section.at("protocol"), what, "remove protocol");
	}
	const written = section.get<string | number>("embedded");
	if (written === undefined) return undefined;
	const address = parseAddress(written);
	if (address) return { kind: "embedded", ...address, ...settings };
	const what = "must be host:port or a port from 0 to 65535";
	around.report.value(section.at("embedded"), what, `for example: ${LOOPBACK}`);
	return undefined;
}

function remote(
	section: Section,
	url: string,
	settings: Omit<ConnectionConfig, "clientId"> & OwnId,
	around: Surroundings,
	variable?: string,
): Found | undefined {
	const path = variable ? section.path : section.at("url");
	const target = resolveTarget(expand(url, path, around));
	if (target === undefined) {
		const what = `${variable ? `the environment variable ${variable}` : "the URL"} is not a broker's URL`;
		around.report.value(path, what, URL_HINT);
		return undefined;
	}
	const { username, password } = credentials(
		section,
		target,
		settings.protocol,
		around,
	);
	checkProtocol(section, settings, around);
	return {
		kind: "remote",
		url: target.name,
		...(username === undefined ? {} : { username }),
		...(password === undefined ? {} : { password }),
		...(target.secure
			? { tls: resolveTls(section.section("tls"), around) }
			: checkPlain(section, around, variable)),
		...settings,
	};
}

function resolveTarget(url: string): Target | undefined {
	try {
		return parseTarget(url);
	} catch {
		return undefined;
	}
}

function credentials(
	section: Section,
	target: Target,
	protocol: 4 | 5,
	around: Surroundings,
) {
	const written = section.get<string>("username");
	const username =
		target.username ??
		(written && expand(written, section.at("username"), around));
	const password = target.password ?? resolvePassword(section, around);
	// [MQTT-3.1.2-22]; MQTT 5 has dropped the rule
	if (protocol === 4 && password !== undefined && username === undefined) {
		const what = "a password without a user name";
		const hint = "set username as well, or protocol: 5";
		around.report.value(section.at("password"), what, hint);
	}
	return { username, password };
}

function checkProtocol(
	section: Section,
	{ protocol }: { protocol: 4 | 5 },
	{ report }: Surroundings,
): void {
	if (protocol === 5 || !section.has("sessionExpiry")) return;
	const what = "sessionExpiry needs MQTT 5";
	report.value(section.at("sessionExpiry"), what, "set protocol: 5");
}

/** MQTT_BROKER may lead from TLS to a plain broker on the bench: then `tls` just rests. */
function checkPlain(
	section: Section,
	{ report }: Surroundings,
	variable: string | undefined,
): object {
	if (variable === undefined && section.has("tls")) {
		const what = "tls needs a URL that begins with mqtts://";
		report.value(section.at("tls"), what, "change the URL or remove tls");
	}
	return {};
}
