import type {
	BrokerConfig,
	ContainerConfig,
	EngineConfig,
	FilterConfig,
	GatewayConfig,
} from "../../config/types.js";
import { isImage } from "../../pack/reference.js";
import type { Finding } from "./finding.js";
import { fail, ok, warn } from "./finding.js";

/** A filter and where it is. */
export interface Placed {
	readonly pipeline: string;
	readonly filter: FilterConfig;
}

export function filtersOf(config: GatewayConfig): Placed[] {
	return Object.values(config.pipelines).flatMap(({ name, filters }) =>
		filters.map((filter) => ({ pipeline: name, filter })),
	);
}

/** How an engine is called in configs: wazero, docker-wasm; a command by its program. */
export function engineName(engine: EngineConfig): string {
	if (typeof engine === "string") return engine;
	return "command" in engine ? (engine.command[0] ?? "") : engine.container;
}

/** Whether pipelines use one of these engines; undefined without a config. */
export function uses(
	config: GatewayConfig | undefined,
	...names: string[]
): boolean | undefined {
	return (
		config &&
		filtersOf(config).some(({ filter }) =>
			names.includes(engineName(filter.engine)),
		)
	);
}

/** The images that modules are to be taken from, each once. */
export function imagesOf(config: GatewayConfig): string[] {
	const modules = filtersOf(config).map(({ filter }) => filter.module);
	return [...new Set(modules.filter(isImage))];
}

export function usesImages(config: GatewayConfig): boolean {
	return imagesOf(config).length > 0;
}

/** The brokers that ends of pipelines name, each once. */
export function brokersOf(config: GatewayConfig): BrokerConfig[] {
	const ends = Object.values(config.pipelines).flatMap(({ from, to }) => [
		from,
		to,
	]);
	const brokers = ends.flatMap((end) =>
		end.kind === "mqtt" ? [end.broker] : [],
	);
	return [...new Set(brokers)];
}

/** The containers that pipelines run filters in, each image once for each way to run it. */
export function containersOf(
	config: GatewayConfig | undefined,
): ContainerConfig[] {
	if (config === undefined) return [];
	const engines = filtersOf(config)
		.map(({ filter }) => filter.engine)
		.filter((engine) => typeof engine === "object" && "container" in engine);
	const one = (engine: ContainerConfig) => JSON.stringify(engine);
	return [...new Map(engines.map((each) => [one(each), each])).values()];
}

/**
 * How bad it is when something does not work: a failure for a pipeline that needs it, a warning where nobody
 * knows, and for the record when no pipeline does.
 */
export function trouble(
	used: boolean | undefined,
	look: string,
	what: string,
	mend: string,
): Finding {
	if (used === undefined) return warn(look, what, mend);
	return used ? fail(look, what, mend) : ok(look, `${what} (not used)`);
}
