import type { Io } from "./io.js";

/** Not refused: the environment of a program may hold what it does not look at. */
export async function tellUnknown(given: string[], module: Buffer, io: Io) {
	if (given.length === 0) return;
	const [{ findSections }, { paramsOf }, { unknownParam }] = await Promise.all([
		import("../module/layout.js"),
		import("../module/params.js"),
		import("../config/params.js"),
	]);
	const known = paramsOf(module, findSections(module));
	for (const each of known ? given : []) {
		const name = each.slice(0, each.indexOf("="));
		const unknown = unknownParam(name, known ?? {});
		if (unknown)
			io.stderr.write(
				`wasieve: --param ${name}: ${unknown.what} (${unknown.hint})\n`,
			);
	}
}
