import { WasieveError } from "../errors.js";
import { readWhole } from "../store/whole.js";

/**
 * The text of a gateway file.
 * @throws {WasieveError} E_CONFIG_READ
 */
export function readGatewayFile(file: string): string {
	try {
		return readWhole(file).toString();
	} catch (cause) {
		const { code = "unknown error" } = cause as NodeJS.ErrnoException;
		throw new WasieveError(
			"E_CONFIG_READ",
			`the config ${file} cannot be read (${code})`,
			{ hint: "name a gateway file, for example gateway.yaml", cause },
		);
	}
}
