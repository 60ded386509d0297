import { readFileSync } from "node:fs";
import { WasieveError } from "../errors.js";

export interface Credentials {
	readonly user: string;
	readonly password: string;
}

/** Who to be at a registry; undefined: nobody. */
export type CredentialsOf = (registry: string) => Credentials | undefined;

/** How Docker's own file calls its own registry. */
const HUB = "https://index.docker.io/v1/";

/**
 * Credentials out of `HOST=USER:PASSWORD`.
 * @throws {WasieveError} E_REGISTRY_AUTH, without what was written
 */
export function credentialsFromText(text: string): CredentialsOf {
	const [, host, user, password] = /^([^=]+)=([^:]+):(.*)$/s.exec(text) ?? [];
	if (host === undefined || user === undefined || password === undefined)
		throw unreadable(
			"WASIEVE_REGISTRY_AUTH is not of the form HOST=USER:PASSWORD",
		);
	return (registry) => (registry === host ? { user, password } : undefined);
}

/**
 * Credentials out of a file as `docker login`, `podman login` and `skopeo login` write it:
 * {"auths": {"HOST": {"auth": base64("USER:PASSWORD")}}}. A file that is not there has none, unless it has to be.
 * @throws {WasieveError} E_REGISTRY_AUTH
 */
export function credentialsFromFile(
	file: string,
	required: boolean,
): CredentialsOf {
	const auths = readAuths(file, required);
	return (registry) => {
		const names = [registry, `https://${registry}`];
		if (registry === "docker.io") names.push(HUB);
		const found = names.map((name) => auths[name]).find(Boolean);
		return found && readEntry(found, file, registry);
	};
}

type Entry = { auth?: unknown; username?: unknown; password?: unknown };

function readAuths(file: string, required: boolean): Record<string, Entry> {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		if (code === "ENOENT" && !required) return {};
		throw unreadable(`${file} cannot be read (${code})`);
	}
	try {
		return { __proto__: null, ...JSON.parse(text).auths };
	} catch {
		// The parser's message would quote the file.
		throw unreadable(`${file} is not JSON`);
	}
}

function readEntry(
	{ auth, username, password }: Entry,
	file: string,
	registry: string,
): Credentials {
	if (typeof username === "string" && typeof password === "string")
		return { user: username, password };
	const text = Buffer.from(String(auth ?? ""), "base64").toString();
	const colon = text.indexOf(":");
	if (colon > 0)
		return { user: text.slice(0, colon), password: text.slice(colon + 1) };
	throw unreadable(`${file} holds no user and password for ${registry}`);
}

function unreadable(what: string): WasieveError {
	return new WasieveError("E_REGISTRY_AUTH", what, {
		hint: "`docker login`, `podman login` and `skopeo login` write such a file (without a credential helper); or set WASIEVE_REGISTRY_AUTH=HOST=USER:PASSWORD",
	});
}
