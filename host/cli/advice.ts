import type { Code } from "../errors.js";

/** What to do about each error, for docs/errors.md. The hint of an error that was met says it more exactly. */
export const ADVICE: Readonly<Record<Code, string>> = {
	E_MODULE_READ: "Build the module (`wasieve build`) or mend the path.",
	E_MODULE_SIZE:
		"Raise `limits.module`, or build without debug names (`--debug` off, `wasm-opt -Oz`).",
	E_MODULE_MAGIC:
		"Name a core module; a component has to be built as a core module for WASI preview 1.",
	E_MODULE_MALFORMED:
		"The file was cut or damaged on its way: build or copy it again.",
	E_MODULE_IMPORT:
		"Build for WASI preview 1 (`wasm32-wasip1`); sockets, threads and the like do not exist for a filter.",
	E_MODULE_EXPORT:
		"A filter is a program: it exports `_start` and its `memory`.",
	E_MODULE_MEMORY:
		"Raise `limits.memory`, or build the module with less initial memory.",
	E_MODULE_TABLE: "Build the module with smaller tables.",
	E_MODULE_COMPILE:
		"`wasieve check` says what the module is; build it for WASI preview 1 without experimental features.",
	E_GUEST_TRAP:
		"Try the reading (from the quarantine, or with `onError: stop` from the log) with `wasieve exec`, and mend the filter.",
	E_GUEST_FUEL:
		"Look for a loop that does not end; if the work is real, raise `limits.fuel`.",
	E_GUEST_TIME:
		"Look for a loop that does not end; if the work is real, raise `limits.time`.",
	E_GUEST_OUTPUT:
		"Look for a loop that writes; if the outputs are real, raise `limits.output`.",
	E_GUEST_EXIT: "A filter reads until the end of its input and then returns.",
	E_GUEST_PROTOCOL:
		"Build the filter with the SDK of this version; docs/protocol.md has the rules for others.",
	E_GUEST_VERSION:
		"Build the filter with an SDK that speaks version 1, or use a newer gateway.",
	E_GUEST_START:
		"Try it with `wasieve exec`; the filter's own words are in the log.",
	E_GUEST_REJECT:
		"The reason says what is wrong with the reading: mend the sender, or the filter's idea of it.",
	E_ENGINE_MISSING:
		"Install the engine; the message says where it was looked for.",
	E_ENGINE_VERSION: "The message says what is wrong; update or set it up so.",
	E_ENGINE_LOST:
		"It is started again; look for the kernel's out-of-memory killer if it happens often.",
	E_ENGINE_START:
		"The message has the engine's own words; try its command by hand.",
	E_READING_SIZE: "Raise `limits.reading` or send smaller readings.",
	E_READING_RS: "Send JSON, or set `from.codec` to `text` or `base64`.",
	E_READING_EXPIRED:
		"Nothing, if late readings are worthless; otherwise let the sender give them more time.",
	E_READING_MISSED:
		"Mend or resume the pipeline; give it a `from.clientId`, and with it a connection of its own where the broker waits for it, or read at `qos: 1`, which loses none. `readings_missed_total` counts.",
	E_OUTPUT_TOPIC:
		"Let the filter write the field that `to.topic` names, or change `to.topic`.",
	E_OUTPUT_REFUSED:
		"Look into the broker's access rules and limits for the output's topic.",
	E_MQTT_CONNECT:
		"Is the broker up, and are host, port and firewall right? The gateway keeps trying.",
	E_MQTT_AUTH:
		"Check user name, password and client id; the gateway keeps trying.",
	E_MQTT_TLS:
		"Check `tls.ca`, the certificate's name and dates, and this machine's clock.",
	E_MQTT_SUBSCRIBE: "Let the broker's access rules allow `from.topic`.",
	E_MQTT_PROTOCOL:
		"Report it with the broker's name and version; something between the two may be changing packets.",
	E_BROKER_PORT:
		"Another broker has the port: connect to that one with `broker: mqtt://…`, or choose another port.",
	E_BROKER_MISSING:
		"`npm install aedes`, or connect to a broker with `broker: mqtt://…`.",
	E_QUARANTINE_WRITE:
		"Free disk space or mend permissions; later readings are tried again.",
	E_QUARANTINE_FULL:
		"Look at what failed, then raise `quarantine.maxBytes` if it has to be kept.",
	E_FILE_READ: "Name a file that exists and that the gateway may read.",
	E_FILE_WRITE:
		"Free disk space or mend permissions; for stdout, keep the reading end of the pipe open.",
	E_PIPELINE_STOPPED:
		"Put a mended module in the old one's place, then `POST /pipelines/NAME/resume`, which reads it; it is also tried again after `restart.cooldown`. With `http: false`, restart the gateway.",
	E_PIPELINE_ONERROR:
		"Mend the sender, or put a mended module in the old one's place; then `POST /pipelines/NAME/resume`, which reads the module and tries the reading again. With `http: false`, restart the gateway.",
	E_PIPELINE_RESUME:
		"Restart the gateway, or put the old module back: a resume takes a module that runs in the same way, in the embedded engine.",
	E_CONFIG_READ: "Name a gateway file that exists.",
	E_CONFIG_YAML: "Mend indentation, colons and quotes where the message says.",
	E_CONFIG_KEY: "docs/config.md has every key.",
	E_CONFIG_VALUE: "docs/config.md has types, ranges and examples.",
	E_CONFIG_TOPIC:
		"`+` and `#` stand for whole levels, `#` only at the end; an output topic has none.",
	E_CONFIG_LOOP:
		"Begin output topics with a level that no `from.topic` in the ring matches.",
	E_CONFIG_MODULE:
		"Build the module or mend the path; `wasieve check MODULE` says more.",
	E_CONFIG: "Go through the list; every entry says what to do.",
	E_IMAGE_REFERENCE:
		"Write `registry.example:5000/name:tag`, with `@sha256:…` behind it to pin.",
	E_IMAGE_FORMAT:
		"Make images with `wasieve pack`; docs/images.md says what is in them.",
	E_IMAGE_LAYERS:
		"Build it `FROM scratch` with one `COPY`, or with `wasieve pack`.",
	E_IMAGE_PLATFORM: "Pack the module itself with `wasieve pack`.",
	E_IMAGE_DIGEST:
		"Nothing of it was used. Pull again; if it stays, do not trust this registry or this disk.",
	E_IMAGE_MISSING: "Check name and tag, or push the image.",
	E_IMAGE_MOVED:
		"Nothing, if the pinned image is the right one; `wasieve pull` with the gateway's images folder takes the new one.",
	E_STANDALONE:
		"Install Go 1.25 or newer; the message has the compiler's own words.",
	E_REGISTRY_CONNECT:
		"Check host and port; what was pulled before runs without the registry.",
	E_REGISTRY_TLS:
		"Name a private authority with `--ca` or `WASIEVE_REGISTRY_CA`, and check this machine's clock.",
	E_REGISTRY_AUTH:
		"Log in with `docker login` or `skopeo login`, or set `WASIEVE_REGISTRY_AUTH`; docs/images.md has the forms.",
	E_REGISTRY_CUT: "Run it again: it continues where it ended.",
	E_REGISTRY_ANSWER:
		"Is the address a registry's? If so, its own log says more.",
	E_HTTP_PORT: "Set another `http` address, or `http: false`.",
	E_HEALTH_CONNECT:
		"Start the gateway, or name the address that its `http` has with `--http`.",
	E_HEALTH_ANSWER:
		"Name the address that the gateway's `http` has with `--http`.",
	E_USAGE: "`wasieve VERB --help` has the options.",
	E_BUILD: "The compiler's message names file and line.",
	E_BUILD_FIELD:
		"Mend the name, or add a reading that has the field to the file given with `--readings`.",
	E_BUILD_RUN:
		"End the filter with one `run((r: Reading): void => { … })`; without it no reading is taken, and of two only one function would get them.",
	E_BUILD_MISSING: "`npm install assemblyscript`.",
	E_BUDGET:
		"Make the module cheaper, or raise the budget with a reason in the commit.",
	E_NEW_EXISTS: "Choose another folder, or empty it.",
	E_STOP_DEADLINE:
		"Nothing is lost with a persistent session; raise the deadline or look why outputs do not leave.",
	E_INTERNAL: "Run again with `WASIEVE_DEBUG=1` and report what it prints.",
};
