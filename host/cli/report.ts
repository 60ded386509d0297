import { asWasieveError, type Code, WasieveError } from "../errors.js";
import { EXIT, type Io } from "./io.js";

/** Prints what was thrown as `error E_CODE: message` and `  hint: …`; returns the exit code of its kind. */
export function report(thrown: unknown, io: Io): number {
	const error = asWasieveError(thrown);
	for (const each of listed(error)) io.stderr.write(errorText(each));
	if (error.code === "E_INTERNAL") io.stderr.write(internalText(thrown, io));
	return exitCode(error.code);
}

/** An error that stands for several is told as those several. */
export function listed(error: WasieveError): WasieveError[] {
	if (!(error.cause instanceof AggregateError)) return [error];
	return error.cause.errors.map((each) => asWasieveError(each));
}

export function errorText(error: WasieveError): string {
	const hint = error.hint === undefined ? "" : `  hint: ${error.hint}\n`;
	return plain(`error ${error.code}: ${error.message}\n${hint}`);
}

/** What --json prints of an error. */
export function errorJson(error: WasieveError): {
	code: Code;
	message: string;
	hint?: string;
} {
	const { code, message, hint } = error;
	return hint === undefined ? { code, message } : { code, message, hint };
}

export function exitCode(code: Code): number {
	if (code === "E_USAGE") return EXIT.USAGE;
	if (/^E_(CONFIG|MODULE)/.test(code)) return EXIT.INVALID;
	return EXIT.FAILED;
}

/** A stack helps only whoever mends wasieve, so it has to be asked for. */
function internalText(thrown: unknown, io: Io): string {
	if (io.env.WASIEVE_DEBUG && thrown instanceof Error)
		return `${thrown.stack}\n`;
	return "  hint: this is a defect in wasieve; run again with WASIEVE_DEBUG=1 and report what it prints\n";
}

/** Shorthand for a mistake on the command line of `verb`. */
export function usage(verb: string, message: string): WasieveError {
	return new WasieveError("E_USAGE", message, {
		hint: `wasieve ${verb} --help lists what it takes`,
	});
}

/** Engines, brokers and registries are quoted in errors. Lines may end. */
function plain(text: string): string {
	return text.replace(/[^\P{Cc}\n\t]/gu, "?");
}

/** What comes from elsewhere may say anything; a terminal must not. */
export function printable(text: string): string {
	return text.replace(/\p{Cc}/gu, "?");
}
