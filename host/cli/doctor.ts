import { resolve } from "node:path";
import type { ConfigError } from "../config/problem.js";
import type { GatewayConfig } from "../config/types.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import { examine } from "./doctor/examine.js";
import { type Finding, fail } from "./doctor/finding.js";
import { thisMachine } from "./doctor/machine.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions, quantity } from "./options.js";
import { exitCode, listed, printable } from "./report.js";

export const doctorVerb: Verb = {
	name: "doctor",
	summary:
		"say what on this machine would keep a gateway from running, and how to mend it",
	help: `usage: wasieve doctor [CONFIG] [--timeout DURATION] [--json]

Looks at this machine: Node, processor, memory and its limits, files, clock, disk, engines and
their known vulnerabilities, Docker and its Wasm shims. With CONFIG at what this gateway needs of
them, and at its folders, brokers and registries: it connects to each once, with the config's
user and a client id of its own. Nothing is changed and no secret is printed.

One line each, as docs/doctor.md explains: ok, warn or fail, what was found and why, and behind
the arrow the command that mends it.

  --timeout DURATION   how long each look may take (default 10s); they all look at once
  --json               print {"ok", "findings": [{"look", "verdict", "what", "mend", "code"}]}

Exit codes: 0 nothing failed, 1 something did, 2 wrong command line, 3 CONFIG has errors.

Example:
  wasieve doctor examples/gateway.yaml
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("doctor", argv, {
			timeout: { type: "string" },
			json: { type: "boolean" },
		});
		const { timeout = "10s", json = false } = values;
		const deadline = quantity("doctor", "timeout", "duration", timeout, 1);
		const operand =
			positionals.length > 0
				? oneOperand("doctor", "CONFIG", positionals)
				: undefined;
		const { config, mistakes } = await read(operand, io);
		const around = { deadline, ...(config && { config }) };
		const looked = await examine(thisMachine(io, around));
		const findings = [...mistakes, ...looked];
		const well = findings.every(({ verdict }) => verdict !== "fail");
		io.stdout.write(
			json
				? `${JSON.stringify({ ok: well, findings })}\n`
				: findings.map(lineOf).join(""),
		);
		if (mistakes.length > 0) return EXIT.INVALID;
		return well ? EXIT.OK : EXIT.FAILED;
	},
};

/** A config with mistakes is one more thing that is wrong: the machine is looked at all the same. */
async function read(
	file: string | undefined,
	io: Io,
): Promise<{ config?: GatewayConfig; mistakes: Finding[] }> {
	if (file === undefined) return { mistakes: [] };
	const { readConfig } = await import("./config.js");
	try {
		const config = readConfig(resolve(io.cwd, file), io.env);
		return { config, mistakes: [] };
	} catch (thrown) {
		const error = asWasieveError(thrown);
		if (exitCode(error.code) !== EXIT.INVALID) throw thrown;
		return { mistakes: mistakesIn(error) };
	}
}

function mistakesIn(error: WasieveError | ConfigError): Finding[] {
	return listed(error).map(({ code, message, hint }) =>
		fail("config", message, hint, code),
	);
}

/** `fail  broker   mqtt://…: nothing listens there → sudo systemctl start mosquitto` */
function lineOf({ verdict, look, what, mend }: Finding): string {
	const arrow = mend === undefined ? "" : ` → ${mend}`;
	const line = `${verdict.padEnd(4)}  ${look.padEnd(8)}  ${what}${arrow}`;
	return `${printable(line)}\n`;
}
