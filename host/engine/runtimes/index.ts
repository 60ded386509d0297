import type { ContainerOptions } from "./container.js";
import { ctr } from "./ctr.js";
import { docker } from "./docker.js";
import { dockerWasm } from "./docker-wasm.js";
import { iwasm } from "./iwasm.js";
import { podman } from "./podman.js";
import type { Runtime } from "./runtime.js";
import { wasmedge } from "./wasmedge.js";
import { NO_COMPILER, wasmtime } from "./wasmtime.js";
import { wazero } from "./wazero.js";

/** The runtimes that are known by name. */
export const RUNTIMES: Readonly<Record<string, Runtime>> = {
	wazero,
	wasmtime,
	iwasm,
	wasmedge,
};

/** Ways to run an image, by the name that configs have for them. */
export const CONTAINERS: Readonly<
	Record<string, (options: ContainerOptions) => Runtime>
> = { docker, podman, "docker-wasm": dockerWasm, ctr };

/** Stands in a command for the module's file; without it the file is put behind the command. */
const MODULE = "{module}";
/** Stands for a parameter, K=V: the word that it stands in comes once for each. */
const PARAMETER = "{param}";

/** Literally: to replaceAll() a `$&` in a parameter means something. */
function put(text: string, place: string, word: string): string {
	return word.split(place).join(text);
}

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
					? env.map((pair) => put(pair, PARAMETER, each))
					: [put(module, MODULE, each)],
			),
			...(placed ? [] : [module]),
			...args,
		],
		trap: /wasm (error|trap): .*|Exception: .*/,
		refusals: [NO_COMPILER],
		limits: "nothing",
		start: 10_000,
		install: "name a program that exists, or its full path",
	};
}
