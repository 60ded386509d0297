import { asWasieveError, WasieveError } from "../errors.js";
import {
	type ModuleInfo,
	type ModuleLimits,
	refuseLibrary,
} from "../module/inspect.js";
import { prepareModule } from "../module/prepare.js";

/** A checked, rewritten and compiled module, ready to be instantiated any number of times. */
export interface FilterModule {
	wasm: WebAssembly.Module;
	info: ModuleInfo;
	/** Export name of the fuel global. */
	fuel: string | undefined;
	/** Export names of the mutable globals, which with the memory are an instance's state. */
	state: readonly string[];
}

/** One compilation per module and limits, however many pipelines run it. */
const compiled: {
	readonly bytes: Uint8Array;
	readonly limits: string;
	readonly loading: Promise<FilterModule>;
}[] = [];

/**
 * Checks, rewrites and compiles a module. Errors: E_MODULE_*.
 * The code of a module that no pipeline uses any more stays compiled: a few dozen KB.
 */
export function loadFilter(
	bytes: Uint8Array,
	limits: ModuleLimits,
): Promise<FilterModule> {
	const key = `${limits.size} ${limits.memory} ${limits.table}`;
	const known = compiled.find(
		(each) => each.limits === key && Buffer.compare(each.bytes, bytes) === 0,
	);
	if (known !== undefined) return known.loading;
	const loading = compile(bytes, limits);
	compiled.push({ bytes, limits: key, loading });
	return loading;
}

function compile(
	bytes: Uint8Array,
	limits: ModuleLimits,
): Promise<FilterModule> {
	const prepared = prepareModule(bytes, limits, {
		fuel: true,
		exposeState: true,
	});
	refuseLibrary(prepared.info);
	return compiledOf(prepared.bytes as BufferSource).then(
		(wasm) => ({
			wasm,
			info: prepared.info,
			fuel: prepared.fuel,
			state: prepared.state,
		}),
		(thrown: unknown) => {
			throw new WasieveError(
				"E_MODULE_COMPILE",
				`V8 refuses the module: ${asWasieveError(thrown).message}`,
				{ cause: thrown, hint: "run `wasieve check MODULE`" },
			);
		},
	);
}

/**
 * V8's own threads for what takes long. What is small is done before a thread has woken up and its turns of the event
 * loop have come: 0.3 ms for a filter of 6 KB, 0.7 to 1.4 ms with them.
 */
async function compiledOf(bytes: BufferSource): Promise<WebAssembly.Module> {
	if (bytes.byteLength > SMALL) return WebAssembly.compile(bytes);
	return new WebAssembly.Module(bytes);
}

const SMALL = 64 * 1024;
