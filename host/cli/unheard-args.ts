import { WasieveError } from "../errors.js";
import type { Reader } from "../module/binary.js";

/**
 * A filter made with the SDK cannot read arguments: one that is given was meant as its input, which it would wait
 * for instead. `named` is the module as the command line has it. Throws E_USAGE, E_MODULE_*.
 */
export async function refuseUnheard(
	args: readonly string[],
	module: Uint8Array,
	named: string,
): Promise<void> {
	const [first] = args;
	if (first === undefined || (await mayHear(module))) return;
	throw new WasieveError(
		"E_USAGE",
		`${named} takes no arguments, and got '${first}'`,
		{ hint: `readings come on stdin: wasieve exec ${named} < ${first}` },
	);
}

async function mayHear(module: Uint8Array): Promise<boolean> {
	const [layout, binary] = await Promise.all([
		import("../module/layout.js"),
		import("../module/binary.js"),
	]);
	layout.checkMagic(module);
	const sections = layout.findSections(module);
	const { SECTION, readExports, readImports } = layout;
	const names = (id: number, read: (r: Reader) => { name: string }[]) => {
		const found = sections.find((section) => section.id === id);
		const all = found && read(new binary.Reader(module, found.at, found.end));
		return (all ?? []).map(({ name }) => name);
	};
	if (!names(SECTION.export, readExports).includes("pump")) return true;
	return names(SECTION.import, readImports).includes("args_get");
}
