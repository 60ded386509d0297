import { type Owner, resolveFrom, resolveTo } from "./ends.js";
import { type Inspect, resolveFilters } from "./filter.js";
import type { Ends } from "./loop.js";
import type { Section, Surroundings } from "./section.js";
import type {
	Delivery,
	FromConfig,
	Limits,
	OnError,
	PipelineConfig,
	RestartConfig,
	ToConfig,
} from "./types.js";

/** A pipeline as far as it is right; `config` only when all of it is. */
export interface Resolved extends Ends {
	readonly config: Omit<PipelineConfig, "quarantine"> | undefined;
}

export function resolvePipeline(
	pipeline: Section,
	owner: Owner,
	around: Surroundings,
	inspect: Inspect,
	images: string,
): Resolved {
	const { name } = owner;
	const limits = resolveLimits(pipeline.section("limits"));
	const from = resolveFrom(pipeline, owner, around);
	const to = resolveTo(pipeline, from, owner, around);
	const filters = resolveFilters(pipeline, limits, around, inspect, images);
	const delivery = resolveDelivery(pipeline, from, to, around);
	const ends = { name, path: pipeline.path, from, to };
	if (!from || !to || !filters || !delivery) {
		return { ...ends, config: undefined };
	}
	const onError = pipeline.need<OnError>("onError");
	const restart = resolveRestart(pipeline.section("restart"));
	return {
		...ends,
		config: { name, from, filters, to, delivery, onError, limits, restart },
	};
}

function resolveLimits(limits: Section): Limits {
	return {
		memory: limits.need("memory"),
		fuel: limits.need("fuel"),
		reading: limits.need("reading"),
		output: limits.need("output"),
		time: limits.need("time"),
		module: limits.need("module"),
		inflight: limits.need("inflight"),
	};
}

function resolveRestart(restart: Section): RestartConfig {
	return {
		max: restart.need("max"),
		backoff: restart.need("backoff"),
		cooldown: restart.need("cooldown"),
	};
}

/** The promise that is asked for, or by default the best that the two ends can keep. */
function resolveDelivery(
	pipeline: Section,
	from: FromConfig | undefined,
	to: ToConfig | undefined,
	{ report }: Surroundings,
): Delivery | undefined {
	const written = pipeline.get<Delivery | "journaled">("delivery");
	if (written === "journaled") {
		const what = "journaled is not available yet";
		const hint = "use at-least-once";
		report.value(pipeline.at("delivery"), what, hint);
		return undefined;
	}
	const weak = [
		from?.kind === "mqtt" && from.qos === 0 ? "from" : "",
		to?.kind === "mqtt" && to.qos === 0 ? "to" : "",
	].filter(Boolean);
	if (written !== "at-least-once") {
		return written ?? (weak.length > 0 ? "at-most-once" : "at-least-once");
	}
	if (weak.length === 0) return written;
	const ends = weak.join(" and ");
	const what = `at-least-once cannot be promised while ${ends} ${weak.length > 1 ? "have" : "has"} QoS 0`;
	const hint = `set ${weak.map((end) => `${end}.qos: 1`).join(" and ")}`;
	report.value(pipeline.at("delivery"), what, hint);
	return undefined;
}
