import type { ModuleInfo } from "./info.js";
import type { Params } from "./params.js";

/** What `wasieve check` prints about a module, a fact a line, each line ending in a line feed. */
export function describeModule(info: ModuleInfo): string {
	return linesOf(info)
		.map((line) => `${line}\n`)
		.join("");
}

function linesOf(info: ModuleInfo): string[] {
	const { imports, memory, tables } = info;
	const named = (status: string) =>
		imports.filter((each) => each.status === status).map(({ name }) => name);
	const denied = named("denied");
	return [
		`digest   ${info.digest}`,
		`size     ${info.size} bytes`,
		`imports  ${named("served").join(", ") || "none"}`,
		...(denied.length > 0
			? [`denied   ${denied.join(", ")} (answered with an error)`]
			: []),
		`exports  ${info.exports.map(({ name }) => printable(name)).join(", ") || "none"}`,
		`memory   ${memory ? `${memory.bytes} bytes, may grow to ${memory.cap}` : "none"}`,
		...(tables.length > 0
			? [`tables   ${tables.map(({ min }) => `${min} elements`).join(", ")}`]
			: []),
		`state    memory and ${info.mutableGlobals} mutable globals`,
		...(info.params ? [`params   ${defaults(info.params)}`] : []),
		...(info.simd ? ["simd     yes"] : []),
		...(info.hasStart ? ["start    runs code when it is loaded"] : []),
		`engine   ${info.inline ? "inline, metered with fuel" : `worker, because ${info.notInlineBecause}`}`,
	];
}

function defaults(params: Params): string {
	const told = Object.entries(params).map(([name, value]) =>
		value === null
			? printable(name)
			: `${printable(name)}=${typeof value === "string" ? JSON.stringify(value) : value}`,
	);
	return told.join(", ") || "none";
}

/** A name may hold anything; a terminal must not. */
function printable(name: string): string {
	return /^[\w.$-]+$/.test(name) ? name : JSON.stringify(name);
}
