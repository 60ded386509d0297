import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";

/** An MQTT client as a device or an operator would have one. */
export function client(
	port: number,
	options: IClientOptions = {},
): Promise<MqttClient> {
	return connectAsync({
		host: "127.0.0.1",
		port,
		protocol: "mqtt",
		reconnectPeriod: 50,
		...options,
	});
}

/** Everything that arrives on a topic filter. */
export interface Inbox {
	messages: { topic: string; text: string }[];
	/** Resolves when `enough` says so; asked after each message. */
	until(enough: () => boolean): Promise<void>;
	client: MqttClient;
}

export async function inbox(
	port: number,
	filter: string,
	options: IClientOptions = {},
): Promise<Inbox> {
	const subscriber = await client(port, options);
	const messages: Inbox["messages"] = [];
	const waiting = new Set<() => void>();
	subscriber.on("message", (topic, payload) => {
		messages.push({ topic, text: payload.toString() });
		for (const look of waiting) look();
	});
	await subscriber.subscribeAsync(filter, { qos: 2 });
	return {
		messages,
		client: subscriber,
		until: (enough) =>
			new Promise((resolve) => {
				const look = () => {
					if (!enough()) return;
					waiting.delete(look);
					resolve();
				};
				waiting.add(look);
				look();
			}),
	};
}

/** A reading of the seed rule's kind; above 85 degrees it makes an alert. */
export function reading(n: number, temperature = 95.5): string {
	return JSON.stringify({
		device_id: `press-${n % 7}`,
		temperature,
		humidity: 50,
		timestamp: n,
	});
}

/** The numbers that reading() put into the alerts. */
export function numbers(alerts: readonly { text: string }[]): Set<number> {
	return new Set(alerts.map(({ text }) => JSON.parse(text).timestamp));
}
