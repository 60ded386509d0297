import { WasieveError } from "../errors.js";
import type { Credentials } from "./credentials.js";
import { isLoopback, readAll, send, type Wire } from "./http.js";

/** What a registry asks for [RFC 9110 11.6.1; distribution: token authentication]. */
interface Challenge {
	readonly scheme: string;
	readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The Authorization header that answers a 401.
 * @throws {WasieveError} E_REGISTRY_AUTH, E_REGISTRY_CONNECT, E_REGISTRY_TLS
 */
export async function authorize(
	challenged: string | undefined,
	registry: URL,
	credentials: Credentials | undefined,
	wire: Wire,
): Promise<string> {
	const { scheme, parameters } = parseChallenge(challenged ?? "");
	if (scheme === "bearer")
		return fetchToken(parameters, registry, credentials, wire);
	if (scheme === "basic" && credentials) return basic(credentials);
	const why =
		scheme === "basic"
			? "asks for a user and a password"
			: `asks for '${scheme}', which is not known`;
	throw refused(`the registry ${registry.host} ${why}`);
}

function parseChallenge(header: string): Challenge {
	const [, scheme = "nothing", rest = ""] =
		/^\s*(\w+)\s*(.*)$/s.exec(header) ?? [];
	const parameters: Record<string, string> = {};
	const pair = /(\w+)=(?:"((?:\\.|[^"\\])*)"|([^\s,]+))/g;
	for (const [, name = "", quoted, plain] of rest.matchAll(pair)) {
		parameters[name.toLowerCase()] =
			quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
	}
	return { scheme: scheme.toLowerCase(), parameters };
}

async function fetchToken(
	{ realm = "", service, scope }: Readonly<Record<string, string>>,
	registry: URL,
	credentials: Credentials | undefined,
	wire: Wire,
): Promise<string> {
	const url = trusted(realm, registry);
	if (service !== undefined) url.searchParams.set("service", service);
	if (scope !== undefined) url.searchParams.set("scope", scope);
	const headers = credentials && { authorization: basic(credentials) };
	const answer = await send(
		{ method: "GET", url, ...(headers && { headers }) },
		wire,
	);
	const body = await readAll(answer);
	if (answer.statusCode !== 200)
		throw refused(
			`${url.host} gives no token for ${registry.host} (status ${answer.statusCode})`,
		);
	const token = readToken(body);
	if (token === undefined)
		throw refused(`${url.host} answered without a token`);
	return `Bearer ${token}`;
}

/** A password goes over TLS, or stays on this machine. */
function trusted(realm: string, registry: URL): URL {
	const url = URL.canParse(realm) ? new URL(realm) : undefined;
	const local =
		url?.protocol === "http:" &&
		isLoopback(url.hostname) &&
		isLoopback(registry.hostname);
	if (url && (url.protocol === "https:" || local)) return url;
	throw refused(
		`the registry ${registry.host} sends for a token to an address that is not safe`,
	);
}

function readToken(body: Buffer): string | undefined {
	try {
		const { token, access_token } = JSON.parse(body.toString());
		const found = token ?? access_token;
		// It becomes a header: no line ends, nothing but visible ASCII.
		return /^[\x21-\x7e]+$/.test(found) ? found : undefined;
	} catch {
		return undefined;
	}
}

function basic({ user, password }: Credentials): string {
	return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export function refused(what: string): WasieveError {
	return new WasieveError("E_REGISTRY_AUTH", what, {
		hint: "log in (`docker login`, `skopeo login`), name the file with --credentials, or set WASIEVE_REGISTRY_AUTH=HOST=USER:PASSWORD",
	});
}
