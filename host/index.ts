/**
 * wasieve in a Node program: what the verbs do.
 *
 *   import { loadConfig, startGateway } from "wasieve";
 *   const gateway = await startGateway(loadConfig("gateway.yaml", { env: process.env }));
 *   await gateway.up;
 *   …
 *   await gateway.stop(10_000);
 */
export {
	type Compiled,
	type CompileOptions,
	compileFilter,
} from "./cli/compile.js";
export {
	type Gateway,
	type GatewayOptions,
	startGateway,
} from "./cli/gateway.js";
export {
	ConfigError,
	type GatewayConfig,
	type LoadOptions,
	loadConfig,
	type PipelineConfig,
	type Problem,
	parseConfig,
} from "./config/index.js";
export type {
	Fault,
	LatencySnapshot,
	LinkSnapshot,
	Log,
	PipelineSnapshot,
	PipelineState,
} from "./contract.js";
export { CODES, type Code, WasieveError } from "./errors.js";
export {
	describeModule,
	inspectModule,
	type ModuleInfo,
	type ModuleLimits,
} from "./module/inspect.js";
