import type {
	EmbeddedBroker,
	GatewayConfig,
	RemoteBroker,
} from "../../config/types.js";
import { asWasieveError } from "../../errors.js";
import { findBroker } from "../../mqtt/broker.js";
import { certificateOf, probeBroker } from "../../mqtt/probe.js";
import { optionsOf } from "../connections.js";
import {
	type Around,
	type Finding,
	fail,
	failure,
	ok,
	warn,
} from "./finding.js";
import { brokersOf } from "./needs.js";

const DAY = 86_400_000;
/** Before that somebody should think of a new certificate. */
const SOON = 14 * DAY;

/**
 * Connects to each broker as the gateway would, but with a client id of its own: the gateway's may be in use, and
 * the broker would cut it off.
 */
export async function lookAtBrokers(around: Around): Promise<Finding[]> {
	const { config } = around;
	if (config === undefined) return [];
	const found = await Promise.all(
		brokersOf(config).map((broker) =>
			broker.kind === "embedded"
				? lookAtEmbedded(broker, around)
				: lookAtRemote(broker, around, config),
		),
	);
	return found.flat();
}

async function lookAtRemote(
	broker: RemoteBroker,
	{ deadline, clock }: Around,
	config: GatewayConfig,
): Promise<Finding[]> {
	const options = optionsOf(broker, `${broker.clientId}-doctor`, true);
	const time = Math.min(broker.connectTimeout, deadline * 0.8);
	const [accepted, certificate] = await Promise.all([
		accept(broker, time),
		broker.tls && certificateOf(options, time),
	]);
	const insecure = broker.tls?.insecure === true;
	return [
		accepted,
		...(certificate ? lookAtDates(broker.url, certificate, clock()) : []),
		...(insecure
			? [
					warn(
						"broker",
						`${broker.url} may be anybody: its certificate is not verified`,
						`tls.ca instead of tls.insecure in ${config.file}`,
					),
				]
			: []),
	];
}

async function accept(broker: RemoteBroker, time: number): Promise<Finding> {
	const { will: _will, ...options } = optionsOf(
		broker,
		`${broker.clientId}-doctor`,
		true,
	);
	try {
		const took = await probeBroker(options, time);
		const { username } = broker;
		const who = username === undefined ? "us without a user name" : "the user";
		return ok(
			"broker",
			`${broker.url} accepts ${who}, MQTT ${broker.protocol === 5 ? "5" : "3.1.1"}, ${Math.ceil(took)} ms`,
		);
	} catch (thrown) {
		return calmly(failure("broker", thrown), thrown);
	}
}

/** What to do, where nobody keeps trying. */
function calmly(finding: Finding, thrown: unknown): Finding {
	const { cause } = asWasieveError(thrown);
	const { code } = (cause ?? {}) as NodeJS.ErrnoException;
	const mend =
		code === "ECONNREFUSED"
			? "sudo systemctl start mosquitto, or whichever broker is to be there"
			: finding.mend?.replace("; wasieve keeps trying", "");
	return mend === undefined ? finding : { ...finding, mend };
}

/** A certificate that is not valid now is either wrong itself or shows that the clock is. */
function lookAtDates(
	url: string,
	{ from, to }: { from: Date; to: Date },
	now: number,
): Finding[] {
	const here = new Date(now).toISOString().slice(0, 10);
	if (now < from.getTime())
		return [
			fail(
				"clock",
				`${url} has a certificate from ${day(from)} on, and it is ${here} here`,
				"sudo timedatectl set-ntp true, if that is not today",
				"E_MQTT_TLS",
			),
		];
	const ended = now > to.getTime();
	if (!ended && now < to.getTime() - SOON) return [];
	const what = `${url} has a certificate until ${day(to)}, and it is ${here} here`;
	const mend = "renew the broker's certificate, if that is today";
	return [
		ended
			? fail("broker", what, mend, "E_MQTT_TLS")
			: warn("broker", what, mend),
	];
}

function day(date: Date): string {
	return date.toISOString().slice(0, 10);
}

async function lookAtEmbedded(
	broker: EmbeddedBroker,
	{ deadline }: Around,
): Promise<Finding[]> {
	try {
		await findBroker();
	} catch (thrown) {
		return [failure("broker", thrown)];
	}
	const { host, port } = broker;
	const at = `${host}:${port}`;
	if (port === 0) return [ok("broker", "embedded, on any free port")];
	const url = `mqtt://${host.includes(":") ? `[${host}]` : host}:${port}`;
	try {
		const remote: RemoteBroker = { ...broker, kind: "remote", url };
		await probeBroker(
			optionsOf(remote, `${broker.clientId}-doctor`, true),
			deadline / 2,
		);
		const what = `embedded: a broker listens at ${at} already`;
		return [warn("broker", what, "nothing, if it is this gateway's, running")];
	} catch (thrown) {
		return [lookAtPort(thrown, at)];
	}
}

function lookAtPort(thrown: unknown, at: string): Finding {
	const { cause } = asWasieveError(thrown);
	const { code } = (cause ?? {}) as NodeJS.ErrnoException;
	if (code === "ECONNREFUSED")
		return ok("broker", `embedded, and ${at} is free`);
	const what = `embedded: another program listens at ${at}`;
	return fail("broker", what, "choose another port", "E_BROKER_PORT");
}
