import { readGatewayFile } from "../config/file.js";
import {
	type GatewayConfig,
	type LoadOptions,
	parseConfig,
} from "../config/index.js";
import type { Limits } from "../config/types.js";
import { inspectModule } from "../module/inspect.js";
import { isImage, parseRegistryReference } from "../pack/reference.js";
import { readWhole } from "../store/whole.js";
import type { Io } from "./io.js";
import { once } from "./once.js";

/** The config room with the module room's eyes: a module that could not be loaded is a mistake of the config. */
export function readConfig(
	file: string,
	env: Io["env"],
	more: Pick<LoadOptions, "meet" | "warn"> = {},
	/** The file's, where it has been read. */
	text = readGatewayFile(file),
): GatewayConfig {
	// However many pipelines use a module: it is read and looked into once for each set of limits.
	const inspect = once(
		(module: string, limits: Limits) =>
			`${limits.module} ${limits.memory} ${module}`,
		look,
	);
	return parseConfig(text, file, { env, inspect, ...more });
}

function look(module: string, { module: size, memory }: Limits) {
	if (!isImage(module))
		return inspectModule(readWhole(module), { size, memory });
	parseRegistryReference(module);
	return undefined;
}
