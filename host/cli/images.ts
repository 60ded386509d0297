import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import {
	type CredentialsOf,
	credentialsFromFile,
	credentialsFromText,
} from "../pack/credentials.js";
import type { RegistryReference } from "../pack/reference.js";
import { Registry } from "../pack/registry.js";
import { ImageStore } from "../pack/store.js";
import { notWritten } from "../store/file.js";
import { makeFolder } from "../store/folder.js";
import { readInput } from "../store/whole.js";
import type { Io } from "./io.js";

/** Options of every verb that speaks with a registry. */
export const ACCESS_OPTIONS = {
	credentials: { type: "string" },
	ca: { type: "string" },
} as const;

/** … and keeps what it gets. */
export const REGISTRY_OPTIONS = {
	store: { type: "string" },
	...ACCESS_OPTIONS,
} as const;

/** Their parts of the help. */
export const STORE_HELP = `  --store DIR         images on this machine (default: WASIEVE_STORE, or wasieve/images in
                      XDG_DATA_HOME or ~/.local/share)
`;
export const ACCESS_HELP = `  --credentials FILE  as \`docker login\` writes it (default: ~/.docker/config.json, or the folder
                      DOCKER_CONFIG); WASIEVE_REGISTRY_AUTH=HOST=USER:PASSWORD comes first
  --ca FILE           PEM of an authority to trust as well (default: WASIEVE_REGISTRY_CA)
`;
export const REGISTRY_HELP = STORE_HELP + ACCESS_HELP;

export interface RegistryValues {
	store?: string;
	credentials?: string;
	ca?: string;
}

export function openStore(
	{ store }: RegistryValues,
	io: Pick<Io, "env" | "cwd">,
): ImageStore {
	const { WASIEVE_STORE, XDG_DATA_HOME, HOME } = io.env;
	const given = store ?? WASIEVE_STORE;
	if (given) return new ImageStore(resolve(io.cwd, given));
	const data = XDG_DATA_HOME || join(HOME || homedir(), ".local/share");
	return new ImageStore(join(data, "wasieve", "images"));
}

/** The registry that a reference names, with this machine's credentials for it. */
export function registryOf(
	{ registry }: RegistryReference,
	{ credentials, ca }: RegistryValues,
	{ env, cwd }: Pick<Io, "env" | "cwd">,
	timeout?: number,
): Registry {
	const authority = ca ?? env.WASIEVE_REGISTRY_CA;
	return new Registry(registry, {
		credentials: credentialsOf(credentials, env, cwd),
		ca: authority ? readAuthority(resolve(cwd, authority)) : undefined,
		...(timeout !== undefined && { timeout }),
	});
}

/** A file that is given must be there; the one at the usual place need not. */
function credentialsOf(
	file: string | undefined,
	env: Io["env"],
	cwd: string,
): CredentialsOf {
	const { WASIEVE_REGISTRY_AUTH, DOCKER_CONFIG, HOME } = env;
	const fromText = WASIEVE_REGISTRY_AUTH
		? credentialsFromText(WASIEVE_REGISTRY_AUTH)
		: undefined;
	const usual = join(
		DOCKER_CONFIG || join(HOME || homedir(), ".docker"),
		"config.json",
	);
	const path = file === undefined ? usual : resolve(cwd, file);
	// Read when a registry asks, not before: most never do.
	return (registry) =>
		fromText?.(registry) ??
		credentialsFromFile(path, file !== undefined)(registry);
}

function readAuthority(file: string): string {
	const hint = "--ca and WASIEVE_REGISTRY_CA name a PEM file";
	return readInput(file, "E_REGISTRY_TLS", hint).toString();
}

/** @throws {WasieveError} E_FILE_WRITE */
export function writeOutput(file: string, bytes: Uint8Array): void {
	try {
		makeFolder(dirname(file));
		writeFileSync(file, bytes);
	} catch (cause) {
		throw notWritten(file, cause);
	}
}
