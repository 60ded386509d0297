import { readFile } from "node:fs/promises";
import { unknownParam } from "../config/params.js";
import type { FilterConfig } from "../config/types.js";
import { type FilterModule, loadFilter } from "../engine/filter-module.js";
import { asWasieveError, WasieveError } from "../errors.js";
import type { ModuleLimits } from "../module/inspect.js";

/** @throws {WasieveError} E_MODULE_READ */
export async function bytesOf(path: string): Promise<Uint8Array> {
	try {
		return await readFile(path);
	} catch (thrown) {
		throw new WasieveError(
			"E_MODULE_READ",
			`${path}: ${asWasieveError(thrown).message}`,
			{ cause: thrown, hint: "build it with `wasieve build`" },
		);
	}
}

/**
 * What is in a filter's file now, fit for the engine that runs `old`; the very same where the bytes are.
 * @throws {WasieveError} E_MODULE_*, E_CONFIG_KEY for a parameter that it does not have, E_PIPELINE_RESUME
 */
export async function renewal(
	{ module: path, params }: FilterConfig,
	limits: ModuleLimits,
	old: FilterModule,
): Promise<FilterModule> {
	const found = await loaded(path, limits);
	const { inline, params: known } = found.info;
	if (inline !== old.info.inline) {
		const was = old.info.inline ? "on the gateway's thread" : "on its own";
		const now = inline ? "on the gateway's thread" : "on its own";
		throw needsStart(`${path} ran ${was}, and what is there now runs ${now}`);
	}
	for (const name of known ? Object.keys(params) : []) {
		const unknown = unknownParam(name, known ?? {});
		if (unknown === undefined) continue;
		const { what, hint } = unknown;
		throw new WasieveError("E_CONFIG_KEY", `${path}: ${what}`, { hint });
	}
	return found;
}

/** Several filters may be looked at: an error names the file. */
async function loaded(
	path: string,
	limits: ModuleLimits,
): Promise<FilterModule> {
	const bytes = await bytesOf(path);
	try {
		return await loadFilter(bytes, limits);
	} catch (thrown) {
		const { code, message, hint } = asWasieveError(thrown);
		throw new WasieveError(code, `${path}: ${message}`, {
			cause: thrown,
			hint,
		});
	}
}

/**
 * For a filter in an engine of its own, whose module was made ready there when the gateway started.
 * @throws {WasieveError} E_MODULE_READ, E_PIPELINE_RESUME when the file holds anything else by now
 */
export async function refuseOther(
	path: string,
	old: Uint8Array,
): Promise<false> {
	if (Buffer.compare(await bytesOf(path), old) === 0) return false;
	throw needsStart(`${path} is another module now, for an engine of its own`);
}

function needsStart(what: string): WasieveError {
	const hint = "restart the gateway, or put the old module back";
	return new WasieveError("E_PIPELINE_RESUME", what, { hint });
}
