import { asWasieveError, WasieveError } from "../errors.js";
import type { ModuleInfo } from "../module/info.js";
import { refuseLibrary } from "../module/inspect.js";
import { prepareModule } from "../module/prepare.js";

/**
 * Checks, caps, meters and compiles a module on this thread, for a process that runs it once:
 * without the turns of the event loop that compiling on V8's threads takes.
 * `fuel` is the export name of its tank, undefined when it cannot be metered; `info` what it is. Errors: E_MODULE_*.
 */
export function loadOnce(
	bytes: Uint8Array,
	memory: number,
): { wasm: WebAssembly.Module; fuel: string | undefined; info: ModuleInfo } {
	const prepared = prepareModule(
		bytes,
		{ memory, size: SIZE },
		{ fuel: true, exposeState: false },
	);
	refuseLibrary(prepared.info);
	try {
		const wasm = new WebAssembly.Module(prepared.bytes as BufferSource);
		return { wasm, fuel: prepared.fuel, info: prepared.info };
	} catch (cause) {
		throw new WasieveError(
			"E_MODULE_COMPILE",
			`V8 refuses the module: ${asWasieveError(cause).message}`,
			{ cause, hint: "run `wasieve check MODULE`" },
		);
	}
}

/** Programs of other toolchains bring their runtime along (Go: 3 MB and more). */
const SIZE = 64 * 1024 * 1024;
