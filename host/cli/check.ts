import { resolve } from "node:path";
import { gatewayText } from "../config/file.js";
import {
	type ConfigError,
	type Problem,
	problemText,
} from "../config/problem.js";
import type { GatewayConfig } from "../config/types.js";
import { asWasieveError, WasieveError } from "../errors.js";
import { readInput } from "../store/whole.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions, quantity } from "./options.js";
import { pipelineWay } from "./places.js";
import { errorJson, exitCode, listed } from "./report.js";

export const checkVerb: Verb = {
	name: "check",
	summary: "say what a module is and may do, or what is wrong with a config",
	help: `usage: wasieve check MODULE|CONFIG [--memory 16MiB] [--json]

MODULE (a .wasm): what it imports and exports, what it may use, how it would run, or why it is
refused. CONFIG (YAML): every mistake at once, with line and key, and what it names: modules,
images, engines, files and folders. Which of the two a file is, its content tells. No filter is
run, nothing connects, nothing is made; \`wasieve doctor CONFIG\` tries brokers and registries too.

  --memory SIZE   limits.memory that MODULE is checked against (default 16MiB)
  --json          print {"ok", "kind", …} on stdout, with errors: {"errors": [{"code", "message", …}]},
                  and "warnings" likewise where there are some

Exit codes: 0 usable, with warnings or without, 2 wrong command line, 3 not usable, or there is no such file.

Example:
  wasieve check examples/gateway.yaml && wasieve check build/overheat.wasm
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("check", argv, {
			json: { type: "boolean" },
			memory: { type: "string" },
		});
		const { memory = "16MiB", json = false } = values;
		const file = oneOperand("check", "MODULE or CONFIG", positionals);
		const warnings: Problem[] = [];
		const asked: Asked = {
			path: resolve(io.cwd, file),
			memory: quantity("check", "memory", "bytes", memory),
			env: io.env,
			warn: (problem) => {
				if (json) warnings.push(problem);
				else io.stderr.write(warningText(problem));
			},
		};
		const found = await (json ? checkForMachine(asked) : check(asked));
		const more = warnings.length > 0 && { warnings: warnings.map(warningJson) };
		io.stdout.write(
			json ? `${JSON.stringify({ ...found.json, ...more })}\n` : found.text,
		);
		return found.code;
	},
};

interface Asked {
	path: string;
	memory: number;
	env: Io["env"];
	warn: (problem: Problem) => void;
}

interface Found {
	text: string;
	json: object;
	code: number;
}

/** A machine finds errors where it looks for everything else: in the JSON. */
async function checkForMachine(asked: Asked): Promise<Found> {
	try {
		return await check(asked);
	} catch (thrown) {
		const error = asWasieveError(thrown);
		if (error.code === "E_INTERNAL") throw thrown;
		const json = { ok: false, errors: errorsJson(error) };
		return { text: "", json, code: exitCode(error.code) };
	}
}

async function check(asked: Asked): Promise<Found> {
	const bytes = readAll(asked.path);
	if (isModule(asked.path, bytes)) return checkModule(bytes, asked);
	refuseOther(asked.path, bytes);
	return checkConfig(gatewayText(bytes, asked.path), asked);
}

function readAll(path: string): Buffer {
	const code = path.endsWith(".wasm") ? "E_MODULE_READ" : "E_CONFIG_READ";
	const hint = "check takes one file: a module or a gateway config";
	return readInput(path, code, hint);
}

/** Content decides. The name does only for what is neither: an empty or damaged module. */
function isModule(path: string, bytes: Buffer): boolean {
	return bytes.subarray(0, 4).equals(MAGIC) || path.endsWith(".wasm");
}

const MAGIC = Buffer.from("\0asm");

/** What people name by mistake would be told as YAML with many. */
function refuseOther(path: string, bytes: Buffer): void {
	const [what, hint] = OTHERS.find(([name]) => name.test(path))?.slice(1) ?? [];
	if (what !== undefined) throw neither(path, what as string, hint as string);
	if (!path.endsWith(".json") || hasPipelines(bytes)) return;
	throw neither(path, "JSON without pipelines", "name the gateway's file");
}

const OTHERS: readonly (readonly [RegExp, string, string])[] = [
	[
		/\.[cm]?[jt]s$/,
		"source code",
		"`wasieve build FILE.ts` makes a module of a filter: check that",
	],
	[/\.wat$/, "WebAssembly as text", "assemble it (`wat2wasm`), and check that"],
	[/\.tar$/, "an archive", "`wasieve inspect IMAGE.tar` says what an image is"],
];

/** Broken JSON is told as what a config has for mistakes, with line and column. */
function hasPipelines(bytes: Buffer): boolean {
	try {
		return "pipelines" in JSON.parse(bytes.toString());
	} catch {
		return true;
	}
}

function neither(path: string, what: string, hint: string): WasieveError {
	const message = `${path} is ${what}, neither a module nor a gateway config`;
	return new WasieveError("E_CONFIG_READ", message, { hint });
}

async function checkModule(bytes: Buffer, { memory }: Asked): Promise<Found> {
	const { inspectModule, describeModule } = await import(
		"../module/inspect.js"
	);
	const module = inspectModule(bytes, { memory });
	return {
		text: describeModule(module),
		json: { ok: true, kind: "module", module },
		code: EXIT.OK,
	};
}

async function checkConfig(
	text: string,
	{ path, env, warn }: Asked,
): Promise<Found> {
	const [{ readConfig }, { offline }] = await Promise.all([
		import("./config.js"),
		import("./outside.js"),
	]);
	const config = readConfig(path, env, { meet: offline(env), warn }, text);
	const pipelines = Object.keys(config.pipelines);
	return {
		text: describeConfig(path, config),
		json: { ok: true, kind: "config", pipelines },
		code: EXIT.OK,
	};
}

function describeConfig(path: string, config: GatewayConfig): string {
	const ways = Object.values(config.pipelines).map(
		(each) => `  ${each.name}: ${pipelineWay(each)}\n`,
	);
	return `${path} is a config without mistakes\n${ways.join("")}`;
}

/** Mistakes in a config also say where they are. */
function errorsJson(error: WasieveError): object[] {
	const problems = (error as ConfigError).problems ?? [];
	return listed(error).map((each, k) => {
		const { line, column, key } = problems[k] ?? {};
		return {
			...errorJson(each),
			...(line !== undefined && { line, column, key }),
		};
	});
}

function warningText(problem: Problem): string {
	const { code, hint } = problem;
	return `warning ${code}: ${problemText(problem)}\n  hint: ${hint}\n`;
}

function warningJson(problem: Problem): object {
	const { code, hint, line, column, key } = problem;
	return { code, message: problemText(problem), hint, line, column, key };
}
