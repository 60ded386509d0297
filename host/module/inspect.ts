import type { ModuleInfo } from "./info.js";
import type { ModuleLimits } from "./limits.js";
import { prepareModule } from "./prepare.js";

export { describeModule } from "./describe.js";
export type { ModuleInfo } from "./info.js";
export type { ModuleLimits } from "./limits.js";

/**
 * Checks a module as it is checked when a pipeline loads it, and says what it is. Errors:
 * E_MODULE_SIZE, _MAGIC, _MALFORMED, _IMPORT, _MEMORY, _TABLE.
 */
export function inspectModule(
	bytes: Uint8Array,
	limits: ModuleLimits = {},
): ModuleInfo {
	return prepareModule(bytes, limits, { fuel: true, exposeState: true }).info;
}
