import { randomBytes } from "node:crypto";
import { WasieveError } from "../errors.js";
import { type ModuleLimits, refuseLibrary } from "../module/inspect.js";
import { prepareModule } from "../module/prepare.js";
import { SIGN, tellTale } from "../module/telltale.js";
import { type Ear, PlainEar, TrackedEar } from "./ear.js";
import type { Speech } from "./guest.js";
import { PlainSpeech } from "./plain-speech.js";
import type { Runtime } from "./runtimes/runtime.js";
import { END, HELLO, TrackedSpeech } from "./tracked-speech.js";

/** A module as a runtime gets it, and how to talk with it. */
export interface Prepared {
	bytes: Uint8Array;
	/** Whether its bytes are never the same again. */
	once: boolean;
	ear: Ear;
	speech: Speech;
	/** Said to it when it begins and when its input ends. */
	first: Uint8Array;
	last: Uint8Array;
}

/** What there is to know about a module that another runtime is to run. */
export interface Candidate {
	module: Uint8Array;
	runtime: Runtime;
	/** A name: the module lies in an image already, as it is. */
	image?: unknown;
}

/** Tracked mode for modules made with the SDK, plain mode for others. Throws E_MODULE_*. */
export function prepareFor(
	candidate: Candidate,
	limits: ModuleLimits,
): Prepared {
	const { bytes, kind } = cap(candidate.module, limits);
	if (kind !== "sdk") return prepareTelling(candidate, limits);
	const ear = new TrackedEar();
	const speech = new TrackedSpeech(ear);
	return { bytes, once: false, ear, speech, first: HELLO, last: END };
}

/** Plain mode for any module, which is rewritten to tell when it asks for input. Throws E_MODULE_*. */
export function prepareTelling(
	{ module, runtime, image }: Candidate,
	limits: ModuleLimits,
): Prepared {
	const { bytes, reads } = cap(module, limits);
	const { name, container } = runtime;
	if (typeof image === "string" || container?.deaf) throw packed(name);
	const sign = randomBytes(SIGN);
	// No UTF-8 text has this byte: none is held back as what might be the beginning of a mark.
	sign[0] = 0xff;
	// One that never asks has nothing to tell: it ends by itself.
	const telling = reads ? tellTale(bytes, limits, sign) : bytes;
	if (telling === undefined) throw silent();
	const ear = new PlainEar(sign);
	const speech = new PlainSpeech();
	return {
		...{ bytes: telling, once: true, ear, speech },
		...{ first: NOTHING, last: NOTHING },
	};
}

const NOTHING = new Uint8Array(0);

function cap(module: Uint8Array, limits: ModuleLimits) {
	const unmetered = { fuel: false, exposeState: false };
	const { bytes, info } = prepareModule(module, limits, unmetered);
	refuseLibrary(info);
	const reads = info.imports.some(({ name }) => name === "fd_read");
	return { bytes, reads, kind: info.kind };
}

/** What lies in an image cannot be rewritten to tell when it asks for input, nor ended without an end of stdin. */
function packed(name: string): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		`${name} runs filters made with the SDK only, this module was made elsewhere`,
		{ hint: "run its file with wazero, wasmtime or embedded" },
	);
}

function silent(): WasieveError {
	return new WasieveError(
		"E_MODULE_EXPORT",
		"the module cannot be made to tell when it asks for input",
		{ hint: "run it in the embedded engine (engine: embedded)" },
	);
}
