/**
 * Every error a person may meet: its code, what it means and what to do.
 * docs/errors.md is generated from this table and a test compares the two.
 */
export const CODES = {
	// module/
	E_MODULE_READ: "The module file cannot be read.",
	E_MODULE_SIZE:
		"The module file is larger than limits.module, or has more functions, globals, loops … than any compiler makes for a filter.",
	E_MODULE_MAGIC: "The file is not a WebAssembly core module.",
	E_MODULE_MALFORMED: "The module is truncated or does not validate.",
	E_MODULE_IMPORT:
		"The module imports something outside WASI preview 1's stdin/stdout subset.",
	E_MODULE_EXPORT: "The module lacks an export that it needs to run.",
	E_MODULE_MEMORY: "The module declares more memory than limits.memory.",
	E_MODULE_TABLE: "The module declares larger tables than allowed.",
	E_MODULE_COMPILE: "The engine refused to compile or instantiate the module.",
	// engine/
	E_GUEST_TRAP: "The filter trapped while it worked on this reading.",
	E_GUEST_FUEL: "The filter used more than limits.fuel on this reading.",
	E_GUEST_TIME: "The filter used more than limits.time on this reading.",
	E_GUEST_OUTPUT: "The filter wrote more than limits.output for this reading.",
	E_GUEST_EXIT: "The filter ended itself (proc_exit) on this reading.",
	E_GUEST_PROTOCOL: "The filter broke the line protocol.",
	E_GUEST_VERSION: "The filter speaks another version of the line protocol.",
	E_GUEST_START: "The filter failed before it took its first reading.",
	E_GUEST_REJECT: "The filter rejected this reading.",
	E_ENGINE_MISSING: "The engine's program cannot be found or started.",
	E_ENGINE_VERSION:
		"The engine is of a version, or set up in a way, that does not work.",
	E_ENGINE_LOST: "The engine was killed by somebody else.",
	E_ENGINE_START: "The engine did not come to run the filter.",
	// readings
	E_READING_SIZE: "The reading is larger than limits.reading.",
	E_READING_RS:
		"The payload begins with the byte 0x1E, which is reserved for control records.",
	E_READING_EXPIRED: "The reading's MQTT 5 message expiry has passed.",
	E_READING_MISSED:
		"Readings passed by a pipeline that shares its connection and could not take them.",
	E_OUTPUT_TOPIC: "The output's topic cannot be built from this reading.",
	E_OUTPUT_REFUSED: "The output broker refused the message.",
	// mqtt/
	E_MQTT_CONNECT: "The broker cannot be reached.",
	E_MQTT_AUTH: "The broker refused the user name, password or client id.",
	E_MQTT_TLS: "The TLS handshake with the broker failed.",
	E_MQTT_SUBSCRIBE: "The broker refused the subscription.",
	E_MQTT_PROTOCOL: "The broker sent a packet that breaks the MQTT protocol.",
	E_BROKER_PORT: "The embedded broker's port is in use.",
	E_BROKER_MISSING: "The embedded broker needs the optional package aedes.",
	// store/
	E_QUARANTINE_WRITE: "The quarantine file cannot be written.",
	E_QUARANTINE_FULL: "The quarantine has reached its size limit.",
	E_FILE_READ: "An input file cannot be read.",
	E_FILE_WRITE: "An output file cannot be written.",
	// pipeline/
	E_PIPELINE_STOPPED:
		"The pipeline was stopped after repeated failures of its filter.",
	E_PIPELINE_ONERROR: "The pipeline was stopped by onError: stop.",
	E_PIPELINE_RESUME:
		"A stopped pipeline cannot take the module that its file holds now.",
	// config/
	E_CONFIG_READ: "The config file cannot be read.",
	E_CONFIG_YAML: "The config file is not valid YAML.",
	E_CONFIG_KEY: "The config has an unknown or missing key.",
	E_CONFIG_VALUE: "A value in the config has the wrong type or range.",
	E_CONFIG_TOPIC: "A topic or topic filter in the config is not valid MQTT.",
	E_CONFIG_LOOP: "A pipeline's output topic matches its own input.",
	E_CONFIG_MODULE: "A module named in the config is missing or unusable.",
	E_CONFIG: "The config has errors; each is listed with file, line and key.",
	// pack/
	E_IMAGE_REFERENCE: "The image reference is not one.",
	E_IMAGE_FORMAT: "This is not the image of a filter.",
	E_IMAGE_LAYERS: "The image has more layers than the one with the module.",
	E_IMAGE_PLATFORM: "The image is for another platform than WebAssembly.",
	E_IMAGE_DIGEST: "The bytes are not those that their digest names.",
	E_IMAGE_MISSING: "There is no such image.",
	E_IMAGE_MOVED: "The tag stands for another image than the pinned one.",
	E_STANDALONE: "The runtime for a standalone image cannot be built.",
	E_REGISTRY_CONNECT: "The registry cannot be reached.",
	E_REGISTRY_TLS: "The TLS handshake with the registry failed.",
	E_REGISTRY_AUTH: "The registry refused the credentials, or lacks some.",
	E_REGISTRY_CUT: "The registry stopped in the middle of an answer.",
	E_REGISTRY_ANSWER: "The registry gave an answer that makes no sense.",
	// observe/ and cli/
	E_HTTP_PORT: "The port for /health and /metrics is in use.",
	E_HEALTH_CONNECT: "No gateway answers at the address of /health.",
	E_HEALTH_ANSWER: "What answers there is not a gateway.",
	E_USAGE: "The command line is wrong.",
	E_BUILD: "The filter does not compile.",
	E_BUILD_FIELD: "The filter asks for a field that no reading given has.",
	E_BUILD_RUN: "The filter does not call run(), or more than once.",
	E_BUILD_MISSING:
		"Building filters needs the optional package assemblyscript.",
	E_BUDGET: "The module exceeds its performance budget.",
	E_NEW_EXISTS: "The folder for the new filter exists and is not empty.",
	E_STOP_DEADLINE: "The gateway did not drain before the stop deadline.",
	E_INTERNAL: "A defect in wasieve itself.",
} as const;

/** A documented error code; see {@link CODES}. */
export type Code = keyof typeof CODES;

/**
 * The one error class. `message` says what and where, `hint` what to do,
 * `code` is stable and documented, `cause` is the error underneath.
 */
export class WasieveError extends Error {
	override readonly name = "WasieveError";
	readonly code: Code;
	readonly hint: string | undefined;

	constructor(
		code: Code,
		message: string,
		more: { hint?: string | undefined; cause?: unknown } = {},
	) {
		super(message, more.cause === undefined ? {} : { cause: more.cause });
		this.code = code;
		this.hint = more.hint;
	}
}

/** Wraps whatever was thrown; a WasieveError stays as it is. */
export function asWasieveError(
	thrown: unknown,
	code: Code = "E_INTERNAL",
): WasieveError {
	if (thrown instanceof WasieveError) return thrown;
	const message = thrown instanceof Error ? thrown.message : String(thrown);
	return new WasieveError(code, message, { cause: thrown });
}
