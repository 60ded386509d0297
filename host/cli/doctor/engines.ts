import type { GatewayConfig } from "../../config/types.js";
import { findEngine } from "../../engine/preflight.js";
import { type Surveyed, surveyEngines } from "../../engine/survey.js";
import type { WasieveError } from "../../errors.js";
import { runtimeOf } from "../workshop.js";
import { type Around, type Finding, failure, ok, warn } from "./finding.js";
import { engineName, filtersOf, uses } from "./needs.js";

/**
 * Engines that configs may name: which are here, of which version, and what is known of that. One that no pipeline
 * uses is no reason to worry.
 */
export async function lookAtEngines(around: Around): Promise<Finding[]> {
	const { config, workshop } = around;
	const found = await surveyEngines(workshop);
	const absent = found.filter((each) => isAbsent(each, config));
	const present = found.filter((each) => !absent.includes(each));
	const names = absent.map(({ name }) => name).join(", ");
	return [
		...present.flatMap((each) => lookAtEngine(each, around)),
		...(config ? lookAtCommands(config, around) : []),
		...(names
			? [ok("engine", `not here: ${names}${config ? UNUSED : ""}`)]
			: []),
	];
}

/** Not here and not asked for. docker-wasm is docker and a shim, which has a look of its own. */
function isAbsent(each: Surveyed, config: GatewayConfig | undefined): boolean {
	if (uses(config, each.name)) return false;
	if (each.name === "docker-wasm") return true;
	return "error" in each && each.error.code === "E_ENGINE_MISSING";
}

function lookAtEngine(each: Surveyed, { config }: Around): Finding[] {
	const used = uses(config, each.name);
	if ("error" in each) return [unfit(each.error, used)];
	const { name, version, program, flaws } = each;
	const what = `${name} ${version}`.trim();
	if (used === false) return [ok("engine", `${what} (${program})${UNUSED}`)];
	if (flaws.length === 0) return [ok("engine", `${what} (${program})`)];
	const known = [...new Set(flaws.map((flaw) => flaw.what))];
	return known.map((flaw) => {
		const ids = flaws.filter((each) => each.what === flaw).map(({ id }) => id);
		return warn("engine", `${what}: ${flaw} (${ids.join(", ")})`, NEWER);
	});
}

const NEWER = "install a newer version";

/** It is here and does not work. */
function unfit(error: WasieveError, used: boolean | undefined): Finding {
	if (used === false) return ok("engine", `${error.message}${UNUSED}`);
	if (used) return failure("engine", error);
	return warn("engine", error.message, error.hint);
}

const UNUSED = " (not used)";

/** Commands of the config's own: their programs. */
function lookAtCommands(config: GatewayConfig, around: Around): Finding[] {
	const commands = new Map(
		filtersOf(config)
			.map(({ filter }) => filter.engine)
			.filter((engine) => typeof engine === "object" && "command" in engine)
			.map((engine) => [engineName(engine), engine]),
	);
	return [...commands.values()].map((engine) => {
		try {
			return ok("engine", findEngine(runtimeOf(engine), around.workshop));
		} catch (thrown) {
			return failure("engine", thrown);
		}
	});
}
