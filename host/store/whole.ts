import { readFileSync, type Stats, statSync } from "node:fs";

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

const HAS_END = /^\/(dev\/(null|stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** Undefined for a file. */
function kindOf(found: Stats): string | undefined {
	if (found.isFile()) return undefined;
	if (found.isDirectory()) return "a folder";
	if (found.isFIFO()) return "a named pipe";
	return found.isSocket() ? "a socket" : "a device";
}
