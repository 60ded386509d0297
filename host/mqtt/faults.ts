import { WasieveError } from "../errors.js";
import { malformed } from "./inlet.js";
import type { Target } from "./options.js";

/** What Node says of a socket, as a person would want to hear it. */
export function socketFault(
	error: NodeJS.ErrnoException,
	target: Target,
): WasieveError {
	const code = error.code ?? "";
	if (isTls(code, error.message)) return tlsFault(error, target);
	return new WasieveError(
		"E_MQTT_CONNECT",
		`No connection to ${target.name}: ${REASONS[code] ?? error.message}.`,
		{ cause: error, hint: HINTS[code] ?? HINT },
	);
}

const HINT =
	"Check the broker's address and that it is running; wasieve keeps trying.";

const REASONS: Readonly<Record<string, string>> = {
	ECONNREFUSED: "nothing listens there",
	ECONNRESET: "the connection was reset",
	EPIPE: "the connection was closed",
	ENOTFOUND: "the host name is unknown",
	EAI_AGAIN: "the host name could not be looked up",
	EHOSTUNREACH: "the host cannot be reached",
	ENETUNREACH: "the network cannot be reached",
	ETIMEDOUT: "no answer in time",
};

const HINTS: Readonly<Record<string, string>> = {
	ENOTFOUND: "Check the spelling of the host in `broker` and the name server.",
	ECONNRESET:
		"If this repeats, look into the broker's log: a TLS port reached without mqtts://, or a limit of the broker.",
};

/** OpenSSL's own codes and the certificate verdicts of X509_verify_cert. */
const TLS_CODE =
	/^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

function isTls(code: string, message: string): boolean {
	return (
		TLS_CODE.test(code) || /before secure TLS connection|SSL/.test(message)
	);
}

function tlsFault(error: NodeJS.ErrnoException, target: Target): WasieveError {
	const code = error.code ?? "";
	return new WasieveError(
		"E_MQTT_TLS",
		`No TLS connection to ${target.name}: ${error.message}.`,
		{ cause: error, hint: tlsHint(code) },
	);
}

function tlsHint(code: string): string {
	if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
		return "The certificate is for another name: use the name it was issued for in `broker`.";
	if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
		return "Renew the broker's certificate, or set this machine's clock.";
	if (/SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO/.test(code))
		return "Give the certificate authority that signed the broker's certificate as `tls.ca`.";
	return "Check that the port speaks TLS, and `tls.cert` and `tls.key` if the broker asks for a client certificate.";
}

/** Reason codes of CONNACK, SUBACK, PUBACK and DISCONNECT, MQTT 5 §2.4. */
const REASON_CODES: Readonly<Record<number, string>> = {
	128: "unspecified error",
	129: "malformed packet",
	130: "protocol error",
	131: "implementation specific error",
	132: "unsupported protocol version",
	133: "client identifier not valid",
	134: "bad user name or password",
	135: "not authorized",
	136: "server unavailable",
	137: "server busy",
	138: "banned",
	139: "server shutting down",
	140: "bad authentication method",
	141: "keep alive timeout",
	142: "session taken over",
	143: "topic filter invalid",
	144: "topic name invalid",
	145: "packet identifier in use",
	147: "receive maximum exceeded",
	148: "topic alias invalid",
	149: "packet too large",
	150: "message rate too high",
	151: "quota exceeded",
	152: "administrative action",
	153: "payload format invalid",
	154: "retain not supported",
	155: "QoS not supported",
	156: "use another server",
	157: "server moved",
	158: "shared subscriptions not supported",
	159: "connection rate exceeded",
	160: "maximum connect time",
	162: "wildcard subscriptions not supported",
};

/** "not authorized (0x87)" */
export function reasonText(code: number): string {
	const hex = `0x${code.toString(16).padStart(2, "0")}`;
	const text = REASON_CODES[code];
	return text === undefined ? `reason ${hex}` : `${text} (${hex})`;
}

/** MQTT 3.1.1's return codes [MQTT-3.2.2.3] as MQTT 5's. */
const RETURN_CODES = [0, 132, 133, 136, 134, 135];

/** A CONNACK that says no. */
export function connackFault(
	code: number,
	protocol: 4 | 5,
	target: Target,
): WasieveError {
	const reason = code < 128 ? (RETURN_CODES[code] ?? code) : code;
	const message = `${target.name} refused the connection: ${reasonText(reason)}.`;
	if (reason === 132)
		return new WasieveError("E_MQTT_CONNECT", message, {
			hint: `The broker does not speak MQTT ${protocol === 5 ? "5" : "3.1.1"}: set \`protocol\` to the other version.`,
		});
	if ([133, 134, 135, 138, 140].includes(reason))
		return new WasieveError("E_MQTT_AUTH", message, {
			hint: "Check user name, password (or client certificate) and client id against the broker's settings.",
		});
	return new WasieveError("E_MQTT_CONNECT", message, { hint: HINT });
}

/** A DISCONNECT from an MQTT 5 broker. */
export function disconnectFault(code: number, target: Target): WasieveError {
	const takenOver = code === 142;
	return new WasieveError(
		"E_MQTT_CONNECT",
		`${target.name} ended the connection: ${reasonText(code)}.`,
		{ hint: takenOver ? TAKEN_OVER : HINT },
	);
}

const TAKEN_OVER =
	"Another client uses the same client id, a second gateway with the same config perhaps: give each gateway and pipeline its own.";

/** The connection was closed without a word. */
export function closedFault(target: Target, connected: boolean): WasieveError {
	return new WasieveError(
		"E_MQTT_CONNECT",
		connected
			? `${target.name} closed the connection.`
			: `${target.name} closed the connection before it answered CONNECT.`,
		{
			hint: connected
				? `If this repeats, look into the broker's log. ${TAKEN_OVER}`
				: "Check that the port speaks MQTT in the version that `protocol` says, and with TLS or without as the URL says.",
		},
	);
}

/** No CONNACK, or no sign of life within the keep-alive. */
export function silentFault(target: Target, what: string): WasieveError {
	return new WasieveError("E_MQTT_CONNECT", `${target.name} ${what}.`, {
		hint: HINT,
	});
}

/** What MQTT.js reports by itself: timeouts and packets it cannot parse. */
export function clientFault(error: Error, target: Target): WasieveError {
	if (error.message === "connack timeout")
		return silentFault(target, "did not answer CONNECT in time");
	return malformed(`something MQTT.js refused (${error.message})`);
}
