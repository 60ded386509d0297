import { basename, resolve } from "node:path";
import { EMBEDDED } from "../config/types.js";
import type { Unit } from "../config/units.js";
import type { Ending } from "../engine/exec.js";
import type { Execution } from "../engine/execution.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import { readInput } from "../store/whole.js";
import { IN_BAND, type InBand, inBandOf } from "./in-band.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { parseOptions, quantity } from "./options.js";
import { usage } from "./report.js";
import { refuseUnheard } from "./unheard-args.js";
import { tellUnknown } from "./unknown-params.js";

/** Exit codes beside the guest's own; the numbers that timeout(1), docker and wasmtime use for the like. */
const LIMIT = 124;
const REFUSED = 125;
const TRAP = 134;
const CLOSED_PIPE = 141;

/** ms that a module which cannot be metered may run without asking for input. */
const TIME = 1000;
/** Until it asks for the first time: so many times as long, and not less than this (compiling is part of it). */
const STARTS = 5;
const START_MIN = 1000;

export const execVerb: Verb = {
	name: "exec",
	summary: "run one module on stdin and stdout",
	help: `usage: wasieve exec MODULE [ARGS…] [--param K=V]… [--memory 16MiB] [--fuel 10M] [--time 250ms]
                    [--output 1MiB] [--topic TOPIC] [--now TIME] [--time-field PATH]
                    [--real-time] [--engine ENGINE [--network NETWORK]]

Runs MODULE (any WASI preview 1 program) in the embedded engine: readings in on stdin, one a line,
what it makes of them out on stdout. It streams: an alert leaves before the next reading is read.

  --param K=V      a parameter of the filter, in the guest's environment; may be given again
  --memory SIZE    the guest's memory at most (default 16MiB)
  --fuel COUNT     units of work for each line it reads, 10 times that to start and to finish
                   (default 10M; a unit is about an instruction of a loop)
  --time DURATION  how long it may run without asking for input, 5 times that (at least 1s) to start;
                   waiting for input does not count (default: none, and 1s for modules that
                   cannot be metered)
  --output SIZE    bytes it may write for each line it reads, 10 times that to start and to finish;
                   as much as it reads it may write anyway (default 1MiB)
  --topic TOPIC    what topic() is, of every reading (default: "")
  --now TIME       what now() is: 2026-01-31T12:00:00Z, or milliseconds since 1970 (default: 0)
  --time-field PATH
                   the field of each reading that has its time, in the same forms: now() moves on with
                   the readings and never back, and timers fire between them
  --real-time      the machine's clock and random numbers; without it time begins at 2000-01-01
                   in every run and passes only when it is looked at, and sleeping takes no time
  --engine ENGINE  another engine (docs/engines.md): wazero, wasmtime, iwasm, wasmedge, docker, podman,
                   docker-wasm or ctr, which get an image made of the module, or a command in one word, as
                   in --engine 'wasmer run {module}'. It has no fuel, and its own clock and random numbers
  --network NET    a container's network: none (default), host or container:NAME
  --               what follows are the guest's arguments, even if it begins with a dash; a filter
                   made with the SDK takes none

Exit codes: the guest's own (its low 8 bits), or, with one line on stderr that says why,
124 it reached a limit (fuel, time, output), 125 the module or the engine is refused, 134 it trapped; 141 nobody read
its output any more; 1 stdin or stdout failed (a full disk, say); 2 wrong command line.

Example:
  echo '{"device_id":"press-1","temperature":91.2,"timestamp":1}' | wasieve exec build/overheat.wasm --param LIMIT=90
  wasieve exec build/every-minute.wasm --time-field timestamp < examples/office-climate.ndjson
`,
	async run(argv, io) {
		const given = readCommandLine(argv);
		let ending: Ending;
		try {
			ending = await run(given, io);
		} catch (thrown) {
			const error = asWasieveError(thrown);
			if (!REFUSALS.test(error.code)) throw error;
			return say(error, REFUSED, io);
		}
		if (ending.closedPipe) return CLOSED_PIPE;
		const { error, code = 0 } = ending;
		if (ending.deaf) io.stderr.write(`wasieve: ${DEAF}\n`);
		if (error === undefined) return code & 0xff;
		return say(error, codeOf(error), io);
	},
};

const DEAF =
	"the filter ended without asking for input (does it call run()? `wasieve build` of this version looks)";

const REFUSALS = /^E_(MODULE|ENGINE|STANDALONE)/;

function codeOf({ code }: WasieveError): number {
	if (code === "E_GUEST_TRAP") return TRAP;
	if (REFUSALS.test(code)) return REFUSED;
	return code.startsWith("E_FILE") ? EXIT.FAILED : LIMIT;
}

interface CommandLine {
	module: string;
	args: string[];
	params: string[];
	memory: number;
	fuel: number;
	time: number | undefined;
	output: number;
	realTime: boolean;
	engine: string | undefined;
	network: string | undefined;
	/** What plain mode has no words for; undefined when none of it is asked for. */
	inBand: InBand | undefined;
}

function readCommandLine(argv: string[]): CommandLine {
	const { values, positionals } = parseOptions("exec", argv, {
		param: { type: "string", multiple: true },
		memory: { type: "string" },
		fuel: { type: "string" },
		time: { type: "string" },
		output: { type: "string" },
		topic: { type: "string" },
		now: { type: "string" },
		"time-field": { type: "string" },
		"real-time": { type: "boolean" },
		engine: { type: "string" },
		network: { type: "string" },
	});
	const [module, ...args] = positionals;
	if (module === undefined) throw usage("exec", "MODULE is missing");
	const { param: params = [], memory = "16MiB", fuel = "10M" } = values;
	const { time, output = "1MiB" } = values;
	for (const param of params) refuseOddParam(param);
	const { engine, network } = values;
	refuseForEngine(engine, values);
	return {
		module,
		args,
		params,
		memory: positive("memory", "bytes", memory),
		fuel: positive("fuel", "count", fuel),
		time: time === undefined ? time : positive("time", "duration", time),
		output: positive("output", "bytes", output),
		realTime: values["real-time"] === true,
		...{ engine, network, inBand: inBandOf(values) },
	};
}

/** What only the embedded engine can, or only the others. */
function refuseForEngine(engine: string | undefined, values: object): void {
	const embedded = engine === undefined || engine === EMBEDDED;
	const wrong = embedded ? ["network"] : ["fuel", "real-time", ...IN_BAND];
	const given = wrong.find((name) => name in values);
	if (given === undefined) return;
	const whose = embedded ? "containers" : "the embedded engine";
	throw usage("exec", `--${given} is for ${whose}`);
}

function refuseOddParam(param: string): void {
	if (/^[^=\0]+=[^\0]*$/.test(param)) return;
	throw usage("exec", `--param '${param}' is not of the form K=V`);
}

/** Nothing runs on no memory, no fuel and in no time. */
function positive(option: string, unit: Unit, written: string): number {
	return quantity("exec", option, unit, written, 1);
}

async function run(given: CommandLine, io: Io): Promise<Ending> {
	const { engine = EMBEDDED } = given;
	if (engine === EMBEDDED) return runHere(given, io);
	const { runElsewhere } = await import("./exec-elsewhere.js");
	const module = readModule(resolve(io.cwd, given.module));
	await refuseUnheard(given.args, module, given.module);
	await tellUnknown(given.params, module, io);
	const { time = TIME } = given;
	const start = time * STARTS;
	return runElsewhere({ ...given, module, time, start, engine }, io);
}

async function runHere(given: CommandLine, io: Io): Promise<Ending> {
	const [{ loadOnce }, { execute, executeWatched }] = await Promise.all([
		import("../engine/load-once.js"),
		import("../engine/exec.js"),
	]);
	const path = resolve(io.cwd, given.module);
	const module = readModule(path);
	await refuseUnheard(given.args, module, given.module);
	if (given.inBand) {
		await tellUnknown(given.params, module, io);
		const { runInBand } = await import("./exec-in-band.js");
		return runInBand({ ...given, ...given.inBand, path }, module, io);
	}
	const { wasm, fuel, info } = loadOnce(module, given.memory);
	await tellUnknown(given.params, module, io);
	const execution: Execution = {
		wasm,
		args: [basename(path), ...given.args],
		env: given.params,
		fuel: fuel === undefined ? fuel : { global: fuel, units: given.fuel },
		output: given.output,
		realTime: given.realTime,
		singly: info.kind === "sdk",
	};
	if (fuel !== undefined && given.time === undefined) {
		return execute(execution);
	}
	const time = given.time ?? TIME;
	return executeWatched(execution, time, Math.max(time * STARTS, START_MIN));
}

function readModule(path: string): Buffer {
	const hint = "name a .wasm file; `wasieve build FILE` makes one";
	return readInput(path, "E_MODULE_READ", hint);
}

/** The engine's own hints are for a gateway's config and quarantine. */
const HINTS: { readonly [code: string]: string } = {
	E_GUEST_FUEL: "it loops without end, or needs a higher --fuel",
	E_GUEST_OUTPUT: "it floods its output, or needs a higher --output",
	E_MODULE_MEMORY: "build it with less initial memory, or raise --memory",
};

function hintOf({ code, hint = "" }: WasieveError): string | undefined {
	if (code === "E_GUEST_TRAP") return /build with --debug.*/.exec(hint)?.[0];
	return HINTS[code] ?? (hint || undefined);
}

/** One line: what reads stderr line by line gets all of it. */
function say(error: WasieveError, code: number, io: Io): number {
	const hint = hintOf(error);
	const text =
		`${error.message}${hint === undefined ? "" : ` (${hint})`}`.replaceAll(
			/\s+/g,
			" ",
		);
	io.stderr.write(`wasieve: ${error.code}: ${text}\n`);
	return code;
}
