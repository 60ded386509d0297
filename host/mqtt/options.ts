import { WasieveError } from "../errors.js";

/** How to reach a broker. Config fills it in; nothing here has a hidden default. */
export interface BrokerOptions {
	/** `mqtt://host:port` (1883), `mqtts://host:port` (8883); `tcp`, `ssl` and `tls` are other names for them. */
	url: string;
	clientId: string;
	username?: string;
	password?: string;
	/** PEM texts. Only used by mqtts. */
	tls?: {
		ca?: Buffer | string;
		cert?: Buffer | string;
		key?: Buffer | string;
		/** Default true: a broker whose certificate cannot be verified is refused. */
		rejectUnauthorized?: boolean;
	};
	/** 4 is MQTT 3.1.1, 5 is MQTT 5. */
	protocol: 4 | 5;
	/** Seconds; 0 turns it off. */
	keepalive: number;
	/** False keeps the session at the broker: what was not acknowledged comes again. */
	clean: boolean;
	/** Seconds that the broker keeps the session after a lost connection (MQTT 5); default for ever, as in 3.1.1. */
	sessionExpiry?: number;
	will?: { topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean };
	/** Pause before an attempt to connect again, ms: grows from min to max, half of it by chance. */
	reconnect: { min: number; max: number };
	/** From the first SYN to the CONNACK, ms. */
	connectTimeout: number;
}

/** A broker's address, without secrets: safe in messages. */
export interface Target {
	readonly host: string;
	readonly port: number;
	readonly secure: boolean;
	/** `mqtt://host:port`, never with user name or password. */
	readonly name: string;
	readonly username: string | undefined;
	readonly password: string | undefined;
}

const PLAIN = new Set(["mqtt:", "tcp:"]);
const SECURE = new Set(["mqtts:", "ssl:", "tls:"]);

/**
 * Reads a broker URL.
 * @throws {WasieveError} E_MQTT_CONNECT when it is not one
 */
export function parseTarget(url: string): Target {
	const parsed = URL.canParse(url) ? new URL(url) : undefined;
	const secure = parsed !== undefined && SECURE.has(parsed.protocol);
	if (!parsed || !(secure || PLAIN.has(parsed.protocol)) || !parsed.hostname)
		throw new WasieveError("E_MQTT_CONNECT", "The broker URL is not usable.", {
			hint: "Write it as mqtt://host:1883 or mqtts://host:8883.",
		});
	const host = parsed.hostname.replace(/^\[|\]$/g, ""); // [::1] → ::1
	const port = Number(parsed.port) || (secure ? 8883 : 1883);
	return {
		host,
		port,
		secure,
		name: `${secure ? "mqtts" : "mqtt"}://${parsed.hostname}:${port}`,
		username: decoded(parsed.username),
		password: decoded(parsed.password),
	};
}

function decoded(text: string): string | undefined {
	return text === "" ? undefined : decodeURIComponent(text);
}
