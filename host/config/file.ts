import { WasieveError } from "../errors.js";
import { readWhole } from "../store/whole.js";

/**
 * The text of a gateway file.
 * @throws {WasieveError} E_CONFIG_READ
 */
export function readGatewayFile(file: string): string {
	try {
		return gatewayText(readWhole(file), file);
	} catch (cause) {
		if (cause instanceof WasieveError) throw cause;
		const { code = "unknown error" } = cause as NodeJS.ErrnoException;
		const hint = "name a gateway file, for example gateway.yaml";
		throw unreadable(file, code, hint, cause);
	}
}

/** YAML has no NUL: what holds one is told as what it is, not as a hundred mistakes. Throws E_CONFIG_READ. */
export function gatewayText(bytes: Buffer, file: string): string {
	if (!bytes.includes(0)) return bytes.toString();
	if (bytes.subarray(0, 4).equals(MODULE)) {
		const hint = "name the gateway's config; `wasieve exec` runs a module";
		throw unreadable(file, "a WebAssembly module", hint);
	}
	throw unreadable(file, "it is not text in UTF-8", "save it as UTF-8");
}

const MODULE = Buffer.from("\0asm");

function unreadable(
	file: string,
	why: string,
	hint: string,
	cause?: unknown,
): WasieveError {
	const message = `the config ${file} cannot be read (${why})`;
	return new WasieveError("E_CONFIG_READ", message, { hint, cause });
}
