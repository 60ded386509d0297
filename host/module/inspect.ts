import { WasieveError } from "../errors.js";
import type { ModuleInfo } from "./info.js";
import type { ModuleLimits } from "./limits.js";
import { prepareModule } from "./prepare.js";

export { describeModule } from "./describe.js";
export type { ModuleInfo } from "./info.js";
export type { ModuleLimits } from "./limits.js";

/**
 * Checks a module as it is checked when a pipeline loads it, and says what it is. Errors:
 * E_MODULE_SIZE, _MAGIC, _MALFORMED, _IMPORT, _EXPORT, _MEMORY, _TABLE.
 */
export function inspectModule(
	bytes: Uint8Array,
	limits: ModuleLimits = {},
): ModuleInfo {
	const { info } = prepareModule(bytes, limits, {
		fuel: true,
		exposeState: true,
	});
	refuseLibrary(info);
	return info;
}

/** Only a program can be run. @throws {WasieveError} E_MODULE_EXPORT */
export function refuseLibrary({ program, exports }: ModuleInfo): void {
	if (program) return;
	const start = exports.find(({ name }) => name === "_start");
	const other = start?.kind === "function";
	throw new WasieveError(
		"E_MODULE_EXPORT",
		`the module exports no function _start${other ? " without parameters and results" : ""}`,
		{
			hint: "build a program (a WASI command), not a library (a reactor)",
		},
	);
}
