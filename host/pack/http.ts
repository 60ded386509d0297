import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { rootCertificates } from "node:tls";
import { asWasieveError, WasieveError } from "../errors.js";

export interface Ask {
	method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT";
	url: URL;
	headers?: Readonly<Record<string, string>>;
	body?: Uint8Array;
}

export interface Wire {
	/** PEM of authorities to trust besides the system's own. */
	ca?: string | undefined;
	/** ms without a byte until a connection counts as dead. */
	timeout: number;
}

/** What fetching a manifest, a token or an error may bring: 4 MiB, as other clients have it. */
const TEXT = 4 * 1024 * 1024;

/**
 * One request on one connection. Resolves with the head; the body is read with {@link readAll} or by whoever wants it
 * in pieces. Connections are not reused: a pull is five requests, and a reused one may be dead without anyone
 * knowing.
 * @throws {WasieveError} E_REGISTRY_CONNECT, E_REGISTRY_TLS
 */
export function send(ask: Ask, wire: Wire): Promise<IncomingMessage> {
	const { url, method, body, headers } = ask;
	const secure = url.protocol === "https:";
	return new Promise((resolve, reject) => {
		const begun = (secure ? requestHttps : requestHttp)(url, {
			method,
			agent: false,
			timeout: wire.timeout,
			headers: {
				"accept-encoding": "identity",
				...(body && { "content-length": String(body.length) }),
				...headers,
			},
			...(secure &&
				wire.ca !== undefined && { ca: [...rootCertificates, wire.ca] }),
		});
		begun.on("timeout", () => begun.destroy(new Error("it does not answer")));
		begun.on("response", resolve);
		begun.on("error", (cause) => reject(unreachable(url, cause)));
		begun.end(body);
	});
}

/**
 * The whole body.
 * @throws {WasieveError} E_REGISTRY_CUT, E_REGISTRY_ANSWER
 */
export async function readAll(answer: IncomingMessage): Promise<Buffer> {
	const parts: Buffer[] = [];
	let size = 0;
	try {
		for await (const part of answer) {
			parts.push(part);
			size += part.length;
			if (size > TEXT) break;
		}
	} catch (cause) {
		throw cut("an answer", cause);
	}
	if (size <= TEXT) return Buffer.concat(parts);
	throw new WasieveError(
		"E_REGISTRY_ANSWER",
		`the registry sent more than ${TEXT} bytes where a few were expected`,
		{ hint: "is this address a registry's?" },
	);
}

export function cut(what: string, cause: unknown): WasieveError {
	const { message } = asWasieveError(cause);
	return new WasieveError(
		"E_REGISTRY_CUT",
		`the registry stopped in the middle of ${what} (${message})`,
		{ cause, hint: "run it again: it continues where this ended" },
	);
}

/** Node names what is wrong with a certificate in `code`. */
const CERTIFICATE =
	/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|HOSTNAME_|INVALID_CA|EPROTO)/;

function unreachable(url: URL, cause: NodeJS.ErrnoException): WasieveError {
	const why = cause.code ?? cause.message;
	if (CERTIFICATE.test(cause.code ?? ""))
		return new WasieveError(
			"E_REGISTRY_TLS",
			`the TLS handshake with ${url.host} failed (${why})`,
			{
				cause,
				hint: "a private authority is named with --ca FILE or WASIEVE_REGISTRY_CA; plain HTTP works on localhost only",
			},
		);
	return new WasieveError(
		"E_REGISTRY_CONNECT",
		`the registry ${url.host} cannot be reached (${why})`,
		{ cause, hint: "is the name right, and is the registry up?" },
	);
}

/** Where plain HTTP is allowed: what never leaves the machine. */
export function isLoopback(hostname: string): boolean {
	return (
		hostname === "localhost" ||
		hostname === "[::1]" ||
		/^127(\.\d{1,3}){3}$/.test(hostname)
	);
}
