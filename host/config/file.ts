import { readFileSync } from "node:fs";
import { WasieveError } from "../errors.js";

/**
 * The text of a gateway file.
 * @throws {WasieveError} E_CONFIG_READ
 */
export function readGatewayFile(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch (cause) {
		const { code = "unknown error" } = cause as NodeJS.ErrnoException;
		throw new WasieveError(
			"E_CONFIG_READ",
			`the config ${file} cannot be read (${code})`,
			{ hint: "name a gateway file, for example gateway.yaml", cause },
		);
	}
}
