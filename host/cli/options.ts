import { parseArgs } from "node:util";
import { nearest } from "../config/nearest.js";
import { parseUnit, UNITS, type Unit } from "../config/units.js";
import { usage } from "./report.js";

/** An option as node:util's parseArgs describes it. */
export interface Option {
	type: "string" | "boolean";
	short?: string;
	multiple?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

type Value<O extends Option> = O["type"] extends "string" ? string : boolean;

/** What was given: by option name, an array where the option may be given several times. */
export interface Given<O extends Options> {
	values: {
		[name in keyof O]?: O[name]["multiple"] extends true
			? Value<O[name]>[]
			: Value<O[name]>;
	};
	positionals: string[];
}

/**
 * node:util's parseArgs with mistakes told as E_USAGE. Options may stand before or after the
 * operands (`positionals`); `--` ends them.
 */
export function parseOptions<const O extends Options>(
	verb: string,
	args: string[],
	options: O,
): Given<O> {
	try {
		const given = parseArgs({ args, options, allowPositionals: true });
		return given as unknown as Given<O>;
	} catch (thrown) {
		throw usage(verb, explain(thrown as NodeJS.ErrnoException, args, options));
	}
}

function explain(
	error: NodeJS.ErrnoException,
	args: string[],
	options: Options,
): string {
	const [, option, how] = AMBIGUOUS.exec(error.message) ?? [];
	if (option !== undefined) {
		const next = args[args.indexOf(option) + 1];
		return `${option} needs a value; one that begins with a dash is written ${how}${next}`;
	}
	if (error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION")
		return firstSentence(error);
	const unknown = args.find((arg) =>
		error.message.includes(`'${arg.split("=")[0]}'`),
	);
	const name = (unknown ?? "an option").split("=")[0] as string;
	const close = nearest(name.replace(/^-+/, ""), Object.keys(options));
	return `unknown option ${name}${close ? `, did you mean --${close}?` : ""}`;
}

/** "Option '--rate' argument is ambiguous.\n … use '--rate=-XYZ'." */
const AMBIGUOUS = /^Option '(\S+)'.* ambiguous.* use '(\S+)-XYZ'/s;

/** parseArgs adds advice about `--` that only confuses here. */
function firstSentence(error: Error): string {
	return (error.message.split(/\.\s|\n/)[0] as string).replace(/\.$/, "");
}

/** Exactly one operand, named as in the help. */
export function oneOperand(
	verb: string,
	name: string,
	operands: readonly string[],
): string {
	const [first, second] = operands;
	if (first === undefined) throw usage(verb, `${name} is missing`);
	if (second !== undefined)
		throw usage(verb, `'${second}' is one operand too many`);
	return first;
}

/** The longest a timer runs; beyond it Node's timers end at once. */
const LONGEST = 2 ** 31 - 1;

/** The value of `--option`, written with a unit: bytes, a count or milliseconds (up to 24 days). */
export function quantity(
	verb: string,
	option: string,
	unit: Unit,
	written: string,
	least: 0 | 1 = 0,
): number {
	const value = parseUnit(unit, written);
	const most = unit === "duration" ? LONGEST : Number.MAX_SAFE_INTEGER;
	if (value !== undefined && value >= least && value <= most) return value;
	const form = [
		UNITS[unit].form,
		...(least === 1 ? ["more than 0"] : []),
		...(unit === "duration" ? ["at most 24d"] : []),
	].join(", ");
	throw usage(verb, `--${option} '${written}' is not ${form}`);
}
