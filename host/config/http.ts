import { parseAddress } from "./address.js";
import { Places } from "./document.js";
import { readGatewayFile } from "./file.js";
import { Report } from "./problem.js";
import { SCHEMA } from "./schema.js";
import { asValues, Section } from "./section.js";
import type { HttpConfig } from "./types.js";

/**
 * The `http` of a gateway file, whatever else is wrong in it: who asks for a gateway's health wants to hear
 * it from the gateway.
 * @throws {WasieveError} E_CONFIG_READ, or a ConfigError when the file is not YAML or `http` is no address
 */
export function readHttp(file: string): HttpConfig | false {
	const places = new Places(readGatewayFile(file));
	const report = new Report(file, places.locate);
	const { data } = places.read(report);
	if (typeof data !== "object" || Array.isArray(data))
		report.value(
			[],
			"must be a map of keys",
			"docs/config.md describes every key",
		);
	report.throwAny();
	const http = resolveHttp(new Section(SCHEMA, asValues(data), []), report);
	report.throwAny();
	return http;
}

/** Where the gateway is to listen; false: nowhere. What is neither has been reported. */
export function resolveHttp(top: Section, report: Report): HttpConfig | false {
	const written = top.need<string | number | boolean>("http");
	if (written === false) return false;
	const address = written === true ? undefined : parseAddress(written);
	if (address !== undefined) return address;
	report.value(
		top.at("http"),
		`must be host:port, a port from 0 to 65535 or false, not ${JSON.stringify(written)}`,
		"for example: 127.0.0.1:3000",
	);
	return false;
}
