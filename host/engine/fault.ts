import { type Code, WasieveError } from "../errors.js";
import { Exit } from "./wasi.js";
import { type Whereabouts, whereabouts } from "./whereabouts.js";

/**
 * Thrown through the guest by our side of WASI when the instance has broken a limit or the
 * protocol: the frames of the module are unwound and the instance is not used again.
 */
export class GuestFault extends WasieveError {}

/** What a caught error of a guest means, with the last thing it said on stderr and where in `module` it was. */
export function faultOf(
	thrown: unknown,
	fuelLeft: number | undefined,
	lastWords: string,
	module: WebAssembly.Module,
): WasieveError {
	if (thrown instanceof WasieveError) return thrown;
	if (thrown instanceof Exit) return exited(thrown.code, lastWords);
	const said = quoted(lastWords);
	const where = whereabouts(thrown, module);
	if (fuelLeft !== undefined && fuelLeft < 0) {
		return fault(
			"E_GUEST_FUEL",
			`the filter used up its fuel${at(where)}${said}`,
			"it loops without end or does too much for one reading; raise limits.fuel if this is right",
			thrown,
		);
	}
	// What is no Error is a WebAssembly.Exception: only its own module can read it.
	const what =
		thrown instanceof Error ? thrown.message : "an exception of its own";
	const hint =
		"try the reading with `wasieve exec MODULE`: it is in the quarantine, or with onError: stop in the log";
	return fault(
		"E_GUEST_TRAP",
		`the filter trapped: ${what}${at(where)}${said}`,
		where.line === undefined ? `${hint}; build with --debug for lines` : hint,
		thrown,
	);
}

/** The author's line says it all; a name is for who has none. */
function at({ line, name }: Whereabouts): string {
	if (line !== undefined) return ` at ${line}`;
	return name === undefined ? "" : ` in ${name}`;
}

export function exited(code: number, lastWords = ""): GuestFault {
	return fault(
		"E_GUEST_EXIT",
		`the filter ended itself with exit code ${code}${quoted(lastWords)}`,
		code === 0
			? "a filter reads until its input ends"
			: "what it said last tells why: a parameter that it cannot use, for example",
		new Exit(code),
	);
}

function quoted(lastWords: string): string {
	return lastWords === "" ? "" : ` (its last words: ${lastWords})`;
}

export function fault(
	code: Code,
	message: string,
	hint: string,
	cause?: unknown,
): GuestFault {
	return new GuestFault(code, message, { hint, cause });
}
