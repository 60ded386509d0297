import { asWasieveError, type WasieveError } from "../../errors.js";
import { askHealth } from "../../observe/ask.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";

/** Who listens where the gateway is to answer /health: nobody, a gateway, or somebody else. */
export async function lookAtDoor(around: Around): Promise<Finding[]> {
	const { config, deadline } = around;
	if (!config?.http || config.http.port === 0) return [];
	const { host, port } = config.http;
	const at = `${host}:${port}`;
	try {
		const { ok: well } = await askHealth(config.http, deadline / 2);
		const what = `a gateway answers at ${at}`;
		if (well) return [ok("http", what)];
		const asked = `wasieve health ${config.file}`;
		return [warn("http", `${what}: not every pipeline runs`, asked)];
	} catch (thrown) {
		return [lookAtStranger(asWasieveError(thrown), at, config.file)];
	}
}

function lookAtStranger(
	error: WasieveError,
	at: string,
	file: string,
): Finding {
	const { code, message } = (error.cause ?? {}) as NodeJS.ErrnoException;
	if (code === "ECONNREFUSED") return ok("http", `${at} is free`);
	const mend = `set another http address in ${file}`;
	const speaks =
		error.code === "E_HEALTH_ANSWER" ||
		/^(ECONNRESET|EPIPE|HPE_)/.test(code ?? "");
	if (!speaks) return warn("http", `${at} cannot be tried: ${message}`, mend);
	const what = `another program listens at ${at}`;
	return fail("http", what, mend, "E_HTTP_PORT");
}
