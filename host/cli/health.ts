import { resolve } from "node:path";
import { parseAddress } from "../config/address.js";
import type { HttpConfig } from "../config/types.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import { askHealth, type HealthAnswer } from "../observe/ask.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions, quantity } from "./options.js";
import { errorJson, exitCode, printable, usage } from "./report.js";

/** Where a gateway listens whose config does not say. */
const DEFAULT = "127.0.0.1:3000";

export const healthVerb: Verb = {
	name: "health",
	summary: "ask a running gateway whether its pipelines run",
	help: `usage: wasieve health [CONFIG] [--http HOST:PORT] [--timeout DURATION] [--json]

Asks the gateway's /health and prints a line for each pipeline, with the reason when it does not
run. The address is that of --http, or that of CONFIG's \`http\`, or ${DEFAULT}. Nothing else in
CONFIG is looked at. Made for a container's HEALTHCHECK: small, quick, and with a deadline.

  --http HOST:PORT     where the gateway listens
  --timeout DURATION   how long the answer may take in all (default 5s)
  --json               print what /health says on stdout: {"status", "pipelines"}, or
                       {"status": "unreachable", "error"}

Exit codes: 0 every pipeline runs or has come to its end, 1 one does not, or no gateway answers,
2 wrong command line, 3 CONFIG cannot be read.

Example:
  wasieve health gateway.yaml
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("health", argv, {
			http: { type: "string" },
			timeout: { type: "string" },
			json: { type: "boolean" },
		});
		const { timeout = "5s", json = false } = values;
		const deadline = quantity("health", "timeout", "duration", timeout, 1);
		const address = await addressOf(values.http, positionals, io);
		try {
			const answer = await askHealth(address, deadline);
			io.stdout.write(json ? `${JSON.stringify(answer.body)}\n` : told(answer));
			return answer.ok ? EXIT.OK : EXIT.FAILED;
		} catch (thrown) {
			const error = asWasieveError(thrown);
			if (!json || error.code === "E_INTERNAL") throw thrown;
			io.stdout.write(`${JSON.stringify(unreachable(error))}\n`);
			return exitCode(error.code);
		}
	},
};

async function addressOf(
	http: string | undefined,
	operands: readonly string[],
	io: Io,
): Promise<HttpConfig> {
	const file = operands.length > 0 && oneOperand("health", "CONFIG", operands);
	if (http === undefined && file !== false) return configured(file, io);
	const address = parseAddress(http ?? DEFAULT);
	if (address !== undefined && address.port > 0) return address;
	throw usage("health", `--http '${http}' is not host:port`);
}

/** YAML is loaded for whom a file is to be read. */
async function configured(file: string, io: Io): Promise<HttpConfig> {
	const { readHttp } = await import("../config/http.js");
	const http = readHttp(resolve(io.cwd, file));
	if (http !== false && http.port > 0) return http;
	const why =
		http === false
			? "lets no gateway answer (http: HOST:PORT in it would)"
			: "takes any free port";
	throw usage("health", `${file} ${why}: name the address with --http`);
}

function told({ pipelines }: HealthAnswer): string {
	const lines = pipelines.map(({ name, state, reason }) => {
		const why = reason ? `, ${reason.code}: ${reason.message}` : "";
		return `${printable(`${name}: ${state}${why}`)}\n`;
	});
	return lines.join("");
}

function unreachable(error: WasieveError): object {
	return { status: "unreachable", error: errorJson(error) };
}
