import { type Code, WasieveError } from "../errors.js";
import { Exit } from "./wasi.js";

/**
 * Thrown through the guest by our side of WASI when the instance has broken a limit or the
 * protocol: the frames of the module are unwound and the instance is not used again.
 */
export class GuestFault extends WasieveError {}

/** What a caught error of a guest means, with the last thing it said on stderr. */
export function faultOf(
	thrown: unknown,
	fuelLeft: number | undefined,
	lastWords: string,
): WasieveError {
	if (thrown instanceof WasieveError) return thrown;
	if (thrown instanceof Exit) return exited(thrown.code, lastWords);
	const said = quoted(lastWords);
	if (fuelLeft !== undefined && fuelLeft < 0) {
		return fault(
			"E_GUEST_FUEL",
			`the filter used up its fuel${said}`,
			"it loops without end or does too much for one reading; raise limits.fuel if this is right",
			thrown,
		);
	}
	// What is no Error is a WebAssembly.Exception: only its own module can read it.
	const what =
		thrown instanceof Error ? thrown.message : "an exception of its own";
	return fault(
		"E_GUEST_TRAP",
		`the filter trapped: ${what}${said}`,
		"try the quarantined reading with `wasieve exec MODULE`; build with --debug for names",
		thrown,
	);
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
