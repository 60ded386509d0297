import { readFileSync } from "node:fs";
import type { Inspect } from "../config/filter.js";
import { type GatewayConfig, loadConfig } from "../config/index.js";
import type { Limits } from "../config/types.js";
import { inspectModule } from "../module/inspect.js";
import { isImage, parseRegistryReference } from "../pack/reference.js";
import type { Io } from "./io.js";

/** The config room with the module room's eyes: a module that could not be loaded is a mistake of the config. */
export function readConfig(file: string, env: Io["env"]): GatewayConfig {
	return loadConfig(file, { env, inspect: inspectOnce() });
}

/** However many pipelines use a module: it is read and looked into once for each set of limits. */
function inspectOnce(): Inspect {
	const results = new Map<string, () => void>();
	return (module, limits) => {
		const key = `${limits.module} ${limits.memory} ${module}`;
		const result = results.get(key) ?? outcomeOf(() => look(module, limits));
		results.set(key, result);
		result();
	};
}

function look(module: string, { module: size, memory }: Limits): void {
	if (isImage(module)) parseRegistryReference(module);
	else inspectModule(readFileSync(module), { size, memory });
}

/** Does the work now; what comes of it, a return or a throw, can be had any number of times. */
function outcomeOf(work: () => void): () => void {
	try {
		work();
		return () => {};
	} catch (thrown) {
		return () => {
			throw thrown;
		};
	}
}
