import { asWasieveError, type WasieveError } from "../errors.js";
import { checkEngine, type Found, type Workshop } from "./preflight.js";
import { CONTAINERS, RUNTIMES } from "./runtimes/index.js";
import type { Runtime } from "./runtimes/runtime.js";

/** An engine that configs may name, and what there is of it on this machine. */
export type Surveyed =
	| ({ readonly name: string } & Found)
	/** E_ENGINE_MISSING, E_ENGINE_VERSION */
	| { readonly name: string; readonly error: WasieveError };

/** Asks every engine that is known by name for its version, and what is known of that. */
export function surveyEngines(workshop: Workshop): Promise<Surveyed[]> {
	const containers = Object.values(CONTAINERS).map((of) => of({}));
	const runtimes = [...Object.values(RUNTIMES), ...containers];
	return Promise.all(runtimes.map((each) => surveyed(each, workshop)));
}

async function surveyed(
	runtime: Runtime,
	workshop: Workshop,
): Promise<Surveyed> {
	const { name } = runtime;
	try {
		return { name, ...(await checkEngine(runtime, workshop)) };
	} catch (thrown) {
		return { name, error: asWasieveError(thrown) };
	}
}
