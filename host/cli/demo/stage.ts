import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GatewayConfig, PipelineConfig } from "../../config/types.js";
import { startBroker } from "../../mqtt/broker.js";
import type { BrokerOptions } from "../../mqtt/options.js";
import { mqttPublisher } from "../../mqtt/publisher.js";
import { mqttSink } from "../../mqtt/sink.js";
import { mqttSource } from "../../mqtt/source.js";
import { readConfig } from "../config.js";
import { type Gateway, startGateway } from "../gateway.js";
import type { Io } from "../io.js";
import { packageFolder } from "../version.js";
import { type Devices, startDevices } from "./devices.js";
import { type Listener, startListener } from "./listener.js";
import { dealReadings, type Publication } from "./readings.js";

const EXAMPLES = join(packageFolder(), "examples");

/** Everything that plays in the demo, connected. */
export interface Stage {
	readonly broker: string;
	readonly config: GatewayConfig;
	readonly gateway: Gateway;
	readonly listener: Listener;
	readonly devices: Devices;
	readonly readings: readonly Publication[];
	close(): Promise<void>;
}

/** Starts a broker of its own, a gateway with examples/demo.yaml, devices and a listener; `dir` takes the quarantine. */
export async function openStage(dir: string, env: Io["env"]): Promise<Stage> {
	const closers: (() => Promise<unknown>)[] = [];
	const close = async () => {
		for (const each of closers.splice(0).reverse()) await each();
	};
	try {
		return { ...(await open(dir, env, closers)), close };
	} catch (thrown) {
		await close();
		throw thrown;
	}
}

async function open(
	dir: string,
	env: Io["env"],
	closers: (() => Promise<unknown>)[],
): Promise<Omit<Stage, "close">> {
	const { url, close } = await startBroker({ host: "127.0.0.1", port: 0 });
	closers.push(close);
	const config = quarantineIn(
		dir,
		readConfig(join(EXAMPLES, "demo.yaml"), { ...env, MQTT_BROKER: url }),
	);
	const gateway = await startGateway(config);
	closers.push(() => gateway.stop(0));
	const listener = await startListener(listening(url));
	closers.push(() => listener.close());
	const publisher = mqttPublisher({
		broker: connection(url, "demo-devices"),
		window: 1000,
		clock: Date.now,
	});
	closers.push(() => publisher.close());
	const devices = await startDevices(
		mqttSink(publisher, { qos: 1, retain: false }),
	);
	closers.push(() => devices.close());
	await gateway.up;
	const readings = dealReadings(
		readFileSync(join(EXAMPLES, "office-climate.ndjson"), "utf8"),
	);
	return { broker: url, config, gateway, listener, devices, readings };
}

/** A demo leaves nothing behind, so its quarantine lies in a folder that goes with it. */
function quarantineIn(dir: string, config: GatewayConfig): GatewayConfig {
	const moved = Object.values(config.pipelines).map(
		(each): [string, PipelineConfig] => {
			const file = join(dir, `${each.name}.ndjson`);
			return [each.name, { ...each, quarantine: { ...each.quarantine, file } }];
		},
	);
	return { ...config, pipelines: Object.fromEntries(moved) };
}

function listening(url: string) {
	return mqttSource({
		broker: connection(url, "demo-listener"),
		topic: "out/#",
		qos: 1,
		window: 1000,
		maxReading: 1024 * 1024,
		clock: Date.now,
	});
}

function connection(url: string, clientId: string): BrokerOptions {
	return {
		url,
		clientId,
		protocol: 4,
		keepalive: 60,
		clean: true,
		reconnect: { min: 100, max: 1000 },
		connectTimeout: 10_000,
	};
}
