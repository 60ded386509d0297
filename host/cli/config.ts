import { readFileSync } from "node:fs";
import { type GatewayConfig, loadConfig } from "../config/index.js";
import { inspectModule } from "../module/inspect.js";
import type { Io } from "./io.js";

/** The config room with the module room's eyes: a module that could not be loaded is a mistake of the config. */
export function readConfig(file: string, env: Io["env"]): GatewayConfig {
	return loadConfig(file, {
		env,
		inspect: (path, { module, memory }) =>
			inspectModule(readFileSync(path), { size: module, memory }),
	});
}
