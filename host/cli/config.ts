import { readFileSync } from "node:fs";
import { type GatewayConfig, loadConfig } from "../config/index.js";
import { inspectModule } from "../module/inspect.js";
import { isImage, parseRegistryReference } from "../pack/reference.js";
import type { Io } from "./io.js";

/** The config room with the module room's eyes: a module that could not be loaded is a mistake of the config. */
export function readConfig(file: string, env: Io["env"]): GatewayConfig {
	return loadConfig(file, {
		env,
		inspect: (module, limits) =>
			isImage(module)
				? parseRegistryReference(module)
				: inspectModule(readFileSync(module), {
						size: limits.module,
						memory: limits.memory,
					}),
	});
}
