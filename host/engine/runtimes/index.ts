import { iwasm } from "./iwasm.js";
import type { Runtime } from "./runtime.js";
import { wasmedge } from "./wasmedge.js";
import { wasmtime } from "./wasmtime.js";
import { wazero } from "./wazero.js";

/** The runtimes that are known by name. */
export const RUNTIMES: Readonly<Record<string, Runtime>> = {
	wazero,
	wasmtime,
	iwasm,
	wasmedge,
};

/** Stands in a command for the module's file; without it the file is put behind the command. */
const MODULE = "{module}";
/** Stands for a parameter, K=V: the word that it stands in comes once for each. */
const PARAMETER = "{param}";

/** Any other command that runs a module's file. */
export function customRuntime(command: readonly string[]): Runtime {
	const [program = "", ...rest] = command;
	const placed = rest.some((each) => each.includes(MODULE));
	return {
		name: program,
		program,
		arguments: ({ module, args, env }) => [
			...rest.flatMap((each) =>
				each.includes(PARAMETER)
					? env.map((pair) => each.replaceAll(PARAMETER, pair))
					: [each.replaceAll(MODULE, module)],
			),
			...(placed ? [] : [module]),
			...args,
		],
		trap: /wasm (error|trap): .*|Exception: .*/,
		limits: "nothing",
		start: 10_000,
		install: "name a program that exists, or its full path",
	};
}
