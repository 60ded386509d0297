/** The room's public names. */
export type { Inspect } from "./filter.js";
export { type LoadOptions, loadConfig, parseConfig } from "./load.js";
export type { Meet, Named } from "./outside.js";
export { ConfigError, type Problem, problemText } from "./problem.js";
export type * from "./types.js";
export { PIPELINE_NAME } from "./types.js";
