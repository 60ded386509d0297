import { readWhole } from "../store/whole.js";
import type { Path } from "./problem.js";
import type { Section, Surroundings } from "./section.js";

/**
 * Puts environment variables in the place of `${NAME}`. Only what leads to a broker is expanded:
 * anywhere else the same file should mean the same on every machine.
 */
export function expand(text: string, path: Path, around: Surroundings): string {
	return text.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
		const value = around.env[name];
		if (value !== undefined) return value;
		around.report.value(
			path,
			`the environment variable ${JSON.stringify(name)} is not set`,
			`set ${name} where the gateway is started`,
		);
		return "";
	});
}

/** The password, from the text or the file that `{ file: … }` names. */
export function resolvePassword(
	broker: Section,
	around: Surroundings,
): string | undefined {
	const written = broker.get<string | object>("password");
	if (typeof written === "string") {
		return expand(written, broker.at("password"), around);
	}
	const text = readText(broker.section("password"), "file", around);
	return text?.replace(/\r?\n$/, "");
}

/** The text of a file that a key names; undefined when there is none or it cannot be read (reported). */
export function readText(
	section: Section,
	name: string,
	around: Surroundings,
): string | undefined {
	const written = section.get<string>(name);
	if (written === undefined) return undefined;
	const path = around.path(written);
	try {
		return readWhole(path).toString();
	} catch (thrown) {
		const { code = "unknown error" } = thrown as NodeJS.ErrnoException;
		around.report.value(
			section.at(name),
			`the file ${path} cannot be read (${code})`,
			"name a file that the gateway may read; paths are relative to the config file",
		);
		return undefined;
	}
}
