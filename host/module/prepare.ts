import { infoOf, type ModuleInfo } from "./info.js";
import { isNumber, Unmeterable } from "./instructions.js";
import { readBodies } from "./layout.js";
import type { ModuleLimits } from "./limits.js";
import { type Code, type Rewritten, rewrite } from "./rewrite.js";
import { bodiesSection, isValid, type Survey, survey } from "./survey.js";
import { weigh } from "./weigh.js";

/** A module as it is compiled: checked, capped, and (if wanted and possible) metered. */
export interface PreparedModule {
	bytes: Uint8Array;
	info: ModuleInfo;
	/** Export name of the mutable i32 global with the fuel left, negative once the tank ran out; undefined when not metered. */
	fuel: string | undefined;
	/** Export names of the mutable number globals, for checkpoints, without the fuel. */
	state: string[];
}

/**
 * Checks a module and rewrites it: memory and tables get a maximum, code gets a meter, mutable
 * globals get export names. Errors: E_MODULE_SIZE, _MAGIC, _MALFORMED, _IMPORT, _MEMORY,
 * _TABLE. A module that cannot be metered is no error: `fuel` is undefined then, and
 * `info.notInlineBecause` says why.
 */
export function prepareModule(
	bytes: Uint8Array,
	limits: ModuleLimits,
	{ fuel, exposeState }: { fuel: boolean; exposeState: boolean },
): PreparedModule {
	const found = survey(bytes, limits);
	const code = weighAll(found);
	const globals = exposeState ? mutableGlobals(found) : [];
	const metered =
		fuel && code.why === undefined ? meter(found, globals, code) : undefined;
	const rewritten = metered ?? rewrite(found, globals, undefined);
	return { ...rewritten, info: infoOf(found, code) };
}

/** Charges lengthen functions; V8 has limits for their length and their locals, and says so. */
function meter(
	found: Survey,
	globals: readonly number[],
	code: Code,
): Rewritten | undefined {
	const metered = rewrite(found, globals, code);
	if (isValid(metered.bytes)) return metered;
	code.why = "a function is too large for the meter";
	return undefined;
}

function weighAll(found: Survey): Code {
	const r = bodiesSection(found);
	const bodies = r ? readBodies(r) : [];
	if (found.unmeterable) return { bodies, weighed: [], why: found.unmeterable };
	try {
		const seen = { loops: 0, charges: 0 };
		const weighed = bodies.map((body) => weigh(found.bytes, body, found, seen));
		return { bodies, weighed, why: undefined };
	} catch (thrown) {
		if (!(thrown instanceof Unmeterable)) throw thrown;
		return { bodies, weighed: [], why: thrown.message };
	}
}

/** Vectors and references have no value that the host could copy. */
function mutableGlobals({ globals }: Survey): number[] {
	return globals.flatMap(({ mutable, type }, k) =>
		mutable && isNumber(type) ? [k] : [],
	);
}
