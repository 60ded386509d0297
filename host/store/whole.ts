import { readFileSync, type Stats, statSync } from "node:fs";
import { type Code, WasieveError } from "../errors.js";

/**
 * A whole file, at once. A named pipe would keep this thread until somebody writes into it, with no signal heard, and a
 * device perhaps for ever. Pipes that a shell hands over, `<(…)` and /dev/stdin, have a writer and are read, as is
 * /dev/null.
 *
 * @throws an error whose `code` stands in brackets in messages: ENOENT, "a folder", "a named pipe"
 */
export function readWhole(path: string): Buffer {
	const found = statSync(path);
	const kind = HAS_END.test(path) ? undefined : kindOf(found);
	if (kind !== undefined) throw Object.assign(new Error(kind), { code: kind });
	return readFileSync(path);
}

/** The same for a file that a command line names. @throws {WasieveError} `code`, with the reason in brackets */
export function readInput(path: string, code: Code, hint: string): Buffer {
	try {
		return readWhole(path);
	} catch (cause) {
		const why = (cause as NodeJS.ErrnoException).code ?? "unknown";
		throw new WasieveError(code, `${path} cannot be read (${why})`, {
			hint,
			cause,
		});
	}
}

const HAS_END = /^\/(dev\/(null|stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** Undefined for a file. */
function kindOf(found: Stats): string | undefined {
	if (found.isFile()) return undefined;
	if (found.isDirectory()) return "a folder";
	if (found.isFIFO()) return "a named pipe";
	return found.isSocket() ? "a socket" : "a device";
}
