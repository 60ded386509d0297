import type {
	BrokerConfig,
	MqttFrom,
	MqttTo,
	PipelineConfig,
	RemoteBroker,
} from "../config/types.js";
import type { Sink, Source } from "../contract.js";
import type { Gather } from "../mqtt/gather.js";
import type { BrokerOptions } from "../mqtt/options.js";
import { mqttPublisher, type Publisher } from "../mqtt/publisher.js";
import { mqttShare, type Share } from "../mqtt/share.js";
import { mqttSink } from "../mqtt/sink.js";
import { mqttSource } from "../mqtt/source.js";
import { fileSink, fileSource } from "../store/ndjson.js";
import type { Surroundings } from "./lines.js";

/** What a thread connects with, made when a pipeline needs it. */
export interface Connections {
	/** One a broker. */
	publishers: Map<BrokerConfig, Publisher>;
	/** One each subscription of QoS 0. */
	shares: Map<BrokerConfig, Map<string, Share>>;
	/** Rests, which are the whole thread's. */
	gather: Gather;
}

/** A pipeline's source: a connection of its own, or its end of a shared one. */
export function sourceOf(
	{ from, limits }: PipelineConfig,
	{ shares, gather }: Connections,
	{ clock, log, stdin }: Surroundings,
): Source {
	if (from.kind === "mqtt") {
		const options = () => ({
			broker: optionsOf(from.broker, from.clientId, from.clean),
			topic: from.topic,
			qos: from.qos,
			window: Math.min(limits.inflight, 65_535),
			maxReading: limits.reading,
			gather,
			clock,
			log,
		});
		if (!from.shared) return mqttSource(options());
		const equal = known(shares, from.broker, () => new Map());
		const key = `${limits.reading} ${from.topic}`;
		return known(equal, key, () => mqttShare(options())).join();
	}
	return fileSource({
		...(from.kind === "file" ? { paths: from.paths } : { stdin }),
		maxReading: limits.reading,
	});
}

/** A pipeline's sink: its way into the publisher that all have in common who send to that broker. */
export function sinkOf(
	{ to }: PipelineConfig,
	connections: Connections,
	around: Surroundings,
): Sink {
	if (to.kind === "mqtt") return mqttSinkOf(to, connections, around);
	const { stdout } = around;
	return fileSink(to.kind === "file" ? { path: to.path } : { stdout });
}

function mqttSinkOf(
	to: MqttTo,
	{ publishers, gather }: Connections,
	{ clock, log, thread }: Surroundings,
): Sink {
	const clientId =
		thread === 0 ? to.broker.clientId : `${to.broker.clientId}-${thread}`;
	const publisher = known(publishers, to.broker, () =>
		mqttPublisher({
			broker: optionsOf(to.broker, clientId, true),
			window: to.broker.maxInflight,
			gather,
			clock,
			log,
		}),
	);
	return mqttSink(publisher, { qos: to.qos, retain: to.retain });
}

/** What connects to a broker as a config describes it. */
export function optionsOf(
	broker: BrokerConfig,
	clientId: MqttFrom["clientId"],
	clean: boolean,
): BrokerOptions {
	const { url, username, password, tls, will, ...rest } =
		broker as RemoteBroker;
	return {
		url,
		clientId,
		clean,
		protocol: rest.protocol,
		keepalive: rest.keepalive,
		sessionExpiry: rest.sessionExpiry,
		reconnect: rest.reconnect,
		connectTimeout: rest.connectTimeout,
		...(username !== undefined && { username }),
		...(password !== undefined && { password }),
		...(tls !== undefined && {
			tls: {
				...(tls.ca !== undefined && { ca: tls.ca }),
				...(tls.cert !== undefined && { cert: tls.cert }),
				...(tls.key !== undefined && { key: tls.key }),
				...(tls.servername !== undefined && { servername: tls.servername }),
				rejectUnauthorized: !tls.insecure,
			},
		}),
		// One will a broker is enough: the publishing connection's.
		...(will !== undefined && clean && { will }),
	};
}

/** The value for a key, made when it is not there. */
export function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const value = map.get(key) ?? make();
	map.set(key, value);
	return value;
}
