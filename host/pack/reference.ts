import { WasieveError } from "../errors.js";
import { type Digest, isDigest } from "./digest.js";

/** Where an image is: `registry/repository:tag` or `…@sha256:…`, after the grammar of the distribution project. */
export interface Reference {
	/** host or host:port; undefined in a name without one (`overheat:1.2`). */
	readonly registry: string | undefined;
	readonly repository: string;
	/** Present unless there is a digest alone. */
	readonly tag: string | undefined;
	readonly digest: Digest | undefined;
}

/** A reference that says which registry. */
export type RegistryReference = Reference & { readonly registry: string };

const SCHEME = "oci://";
const REGISTRY =
	/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Whether a module in a config is an image and not a file. */
export function isImage(module: string): boolean {
	return module.startsWith(SCHEME);
}

/**
 * `[oci://][registry/]repository[:tag][@digest]`; without tag and digest the tag is `latest`.
 * @throws {WasieveError} E_IMAGE_REFERENCE
 */
export function parseReference(text: string): Reference {
	const bare = isImage(text) ? text.slice(SCHEME.length) : text;
	const [named = "", digest, more] = bare.split("@");
	if (more !== undefined || (digest !== undefined && !isDigest(digest)))
		throw wrong(text, "after @ stands sha256: and 64 hexadecimal digits");
	const { registry, rest } = splitRegistry(named);
	const colon = rest.lastIndexOf(":");
	const repository = colon < 0 ? rest : rest.slice(0, colon);
	const tag = colon < 0 ? undefined : rest.slice(colon + 1);
	if (registry !== undefined && !isHost(registry))
		throw wrong(text, `'${registry}' is not a host or host:port`);
	if (!REPOSITORY.test(repository) || repository.length > 255)
		throw wrong(
			text,
			`the name '${repository}' is not made of a-z, 0-9 and single . _ - / between them`,
		);
	if (tag !== undefined && !TAG.test(tag))
		throw wrong(text, `'${tag}' is not a tag`);
	const known = tag ?? (digest === undefined ? "latest" : undefined);
	return { registry, repository, tag: known, digest };
}

/** Ports end at 65535, and 999.1.1.1 is neither an address nor a name. */
function isHost(registry: string): boolean {
	return REGISTRY.test(registry) && URL.canParse(`https://${registry}`);
}

/** What stands before the first slash is a registry if it could not be a part of a name. */
function splitRegistry(named: string): { registry?: string; rest: string } {
	const slash = named.indexOf("/");
	const first = named.slice(0, Math.max(slash, 0));
	if (!/[.:]/.test(first) && first !== "localhost") return { rest: named };
	return { registry: first, rest: named.slice(slash + 1) };
}

/**
 * A reference that can be asked for.
 * @throws {WasieveError} E_IMAGE_REFERENCE
 */
export function parseRegistryReference(text: string): RegistryReference {
	const reference = parseReference(text);
	const { registry } = reference;
	if (registry !== undefined) return { ...reference, registry };
	throw wrong(text, "it names no registry");
}

/** As people write it: the inverse of {@link parseReference}. */
export function formatReference(reference: Reference): string {
	const { registry, repository, tag, digest } = reference;
	return [
		registry === undefined ? "" : `${registry}/`,
		repository,
		tag === undefined ? "" : `:${tag}`,
		digest === undefined ? "" : `@${digest}`,
	].join("");
}

/** As containerd wants it, which knows no short names. */
export function fullName(reference: Reference): string {
	const { registry, repository } = reference;
	if (registry !== undefined) return formatReference(reference);
	const library = repository.includes("/")
		? repository
		: `library/${repository}`;
	return formatReference({
		...reference,
		registry: "docker.io",
		repository: library,
	});
}

/** People write user and password in front of a host; they must not end up in a log. */
const SECRET = /^((?:\w+:\/\/)?)[^/]*@(?!sha256:)/;

function wrong(written: string, why: string): WasieveError {
	const text = written.replace(SECRET, "$1…@");
	return new WasieveError(
		"E_IMAGE_REFERENCE",
		`${JSON.stringify(text)} is not an image reference: ${why}`,
		{ hint: "for example: registry.example:5000/line-3/overheat:1.2" },
	);
}
