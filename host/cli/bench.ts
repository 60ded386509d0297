import { readFileSync, statSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import { basename, resolve } from "node:path";
import { WasieveError } from "../errors.js";
import { readInput } from "../store/whole.js";
import { type Budget, exceeded, parseBudget } from "./budget.js";
import { EXIT, type Io, type Verb } from "./io.js";
import type { Measured, PerformanceLabel } from "./label.js";
import { oneOperand, parseOptions, quantity } from "./options.js";
import { disturbance } from "./others.js";
import { usage } from "./report.js";

const ROUNDS = 9;

export const benchVerb: Verb = {
	name: "bench",
	summary: "measure what a module costs, and hold it to a budget",
	help: `usage: wasieve bench MODULE --input READINGS [--budget FILE] [--json FILE] [--param K=V]…
                     [--rounds ${ROUNDS}] [--memory 16MiB] [--fuel 10M]

Runs MODULE over READINGS (one a line) in the embedded engine, without a gateway around it, and
says what it costs. Size, instructions per reading and peak memory are the same on every machine
and in every run: gate on them. Speed is this machine's: a median of rounds with its 95 % interval. No topics and
times are told, so what timers cost is not in it; 'wasieve exec --time-field' runs them.

  --input FILE     readings, one a line; --readings FILE is the same
  --budget FILE    JSON with any of bytes, gzip, instructionsPerReading, peakMemory, compileMs,
                   instantiateUs (at most) and readingsPerSecond (at least)
  --json FILE      writes the performance label, beside the figures of other architectures if FILE
                   has them already; - is stdout, and then nothing else is there
  --param K=V      a parameter of the filter; may be given again
  --rounds N       timed rounds of 0.1 s or more (default ${ROUNDS})
  --memory SIZE    the guest's memory at most (default 16MiB)
  --fuel COUNT     units of work for each line (default 10M)

Exit codes: 0 done and within the budget, 1 over the budget (one line each) or the filter failed,
left readings unread or rejected them all, 2 wrong command line or budget file, 3 the module is refused.

Example:
  wasieve bench build/overheat.wasm --input examples/office-climate.ndjson --json label.json
`,
	async run(argv, io) {
		const given = readCommandLine(argv, io);
		const label = await measure(given);
		if (given.json === "-") io.stdout.write(jsonOf(label));
		else io.stdout.write(textOf(label));
		if (given.json !== undefined && given.json !== "-")
			await save(resolve(io.cwd, given.json), label);
		const over = exceeded(label, label.machines[arch()], given.budget);
		if (over.length > 0)
			throw new WasieveError("E_BUDGET", "the module exceeds its budget", {
				cause: new AggregateError(over),
			});
		return EXIT.OK;
	},
};

interface Given {
	name: string;
	module: Uint8Array;
	input: Uint8Array;
	budget: Budget;
	json: string | undefined;
	params: string[];
	rounds: number;
	memory: number;
	fuel: number;
}

function readCommandLine(argv: string[], io: Io): Given {
	const { values, positionals } = parseOptions("bench", argv, {
		input: { type: "string" },
		readings: { type: "string" },
		budget: { type: "string" },
		json: { type: "string" },
		param: { type: "string", multiple: true },
		rounds: { type: "string" },
		memory: { type: "string" },
		fuel: { type: "string" },
	});
	const path = oneOperand("bench", "MODULE", positionals);
	const input = inputOf(values);
	const { param: params = [], memory = "16MiB", fuel = "10M" } = values;
	const odd = params.find((param) => !/^[^=\0]+=[^\0]*$/.test(param));
	if (odd !== undefined)
		throw usage("bench", `--param '${odd}' is not of the form K=V`);
	const at = (file: string) => resolve(io.cwd, file);
	const { budget } = values;
	return {
		name: basename(path),
		module: read(at(path), "E_MODULE_READ"),
		input: read(at(input), "E_FILE_READ"),
		budget:
			budget === undefined
				? {}
				: parseBudget(read(at(budget), "E_FILE_READ").toString(), budget),
		json: values.json,
		params,
		rounds: roundsOf(values.rounds),
		memory: quantity("bench", "memory", "bytes", memory, 1),
		fuel: quantity("bench", "fuel", "count", fuel, 1),
	};
}

/** Who has just built calls it --readings, as `wasieve build` does. */
function inputOf(values: { input?: string; readings?: string }): string {
	const { input, readings } = values;
	if (input !== undefined && readings !== undefined)
		throw usage("bench", "--input and --readings are the same: give one");
	const file = input ?? readings;
	if (file === undefined) throw usage("bench", "--input is missing");
	return file;
}

function roundsOf(written = String(ROUNDS)): number {
	const rounds = Number(written);
	if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000) return rounds;
	throw usage("bench", `--rounds '${written}' is not an integer, 1 to 1000`);
}

function read(path: string, code: "E_MODULE_READ" | "E_FILE_READ"): Buffer {
	const hint =
		"bench takes a module, --input with a reading a line, and --budget as JSON";
	return readInput(path, code, hint);
}

async function save(path: string, label: PerformanceLabel): Promise<void> {
	const { joined } = await import("./label.js");
	try {
		// Not a pipe or a terminal: there is nothing to read in those, and no end of it.
		const there = statSync(path, { throwIfNoEntry: false })?.isFile();
		const before = there ? readFileSync(path, "utf8") : "";
		writeFileSync(path, jsonOf(joined(label, before)));
	} catch (cause) {
		const why = (cause as NodeJS.ErrnoException).code ?? "unknown";
		throw new WasieveError(
			"E_FILE_WRITE",
			`${path} cannot be written (${why})`,
			{ hint: "--json names a file in a folder that you may write", cause },
		);
	}
}

async function measure(given: Given): Promise<PerformanceLabel> {
	const [{ openGauge }, { labelOf }] = await Promise.all([
		import("../engine/gauge.js"),
		import("./label.js"),
	]);
	const { name, module, input, params, rounds, memory, fuel } = given;
	const options = { memory, fuel, args: [name], env: params };
	return labelOf(name, module, input, () => openGauge(module, options), rounds);
}

function jsonOf(label: PerformanceLabel): string {
	return `${JSON.stringify(label, null, "\t")}\n`;
}

/** For people: one figure a line, the machine's own behind its name. */
function textOf(label: PerformanceLabel): string {
	const { size, input, output, instructionsPerReading, peakMemory } = label;
	const rows: [string, string][] = [
		["size", `${count(size.bytes)} bytes, ${count(size.gzip)} gzipped`],
		["input", `${count(input.readings)} readings, ${count(input.bytes)} bytes`],
		["output", `${count(output.lines)} lines, ${count(output.bytes)} bytes`],
		["outcomes", outcomesText(label.outcomes)],
		[
			"instructions/reading",
			instructionsPerReading === null
				? "cannot be counted: the module uses what the counter does not know"
				: count(instructionsPerReading),
		],
		["peak memory", `${count(peakMemory)} bytes`],
	];
	for (const [name, here] of Object.entries(label.machines))
		rows.push(
			[`on ${name}`, `${here.cpu}, Node ${here.node}`],
			["compile", `${range(here.compileMs)} ms`],
			["instantiate", `${range(here.instantiateUs)} µs`],
			["readings/s", range(here.readingsPerSecond)],
			...doubtsOf(here.othersBusy),
		);
	const lines = rows.map(([key, value]) => `  ${key.padEnd(22)}${value}\n`);
	return `${label.module}\n${lines.join("")}`;
}

function doubtsOf(othersBusy: number): [string, string][] {
	const why = disturbance(othersBusy);
	if (why === undefined) return [];
	return [
		["NOT QUIET", `${why}: compile, instantiate and readings/s are a hint`],
	];
}

function outcomesText(outcomes: PerformanceLabel["outcomes"]): string {
	if (outcomes === null) return "not told: only modules of the SDK tell them";
	const { rejected, dropped } = outcomes;
	return `${count(rejected)} readings rejected, ${count(dropped)} dropped (no output)`;
}

function count(value: number): string {
	const digits = value < 100 ? 2 : value < 10_000 ? 1 : 0;
	return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function range({ median, low, high }: Measured): string {
	return `${count(median)} (${count(low)}–${count(high)})`;
}
