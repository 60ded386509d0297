import type { Fault, PipelineSnapshot } from "../contract.js";

/** What GET /health answers. */
export interface Health {
	/** ok: every pipeline runs, or has come to its end. */
	status: "ok" | "failing";
	/** By pipeline, in the order of the config. */
	pipelines: Record<string, PipelineHealth>;
}

export interface PipelineHealth {
	state: PipelineSnapshot["state"];
	/** Why it does not run as it should. */
	reason?: Fault;
	source: PipelineSnapshot["source"];
	sink: PipelineSnapshot["sink"];
	/** taken = emitted + dropped + failed + open */
	readings: Record<"taken" | "emitted" | "dropped" | "failed" | "open", number>;
}

/**
 * Health as it is, not as it is hoped to be: a pipeline whose broker is away, or whose
 * quarantine cannot write, is degraded, and then the gateway is not ok.
 */
export function healthOf(snapshots: readonly PipelineSnapshot[]): Health {
	const all = snapshots.map((each) => [each.name, pipelineHealth(each)]);
	const pipelines: Health["pipelines"] = Object.fromEntries(all);
	const ok = Object.values(pipelines).every(
		({ state }) => state === "running" || state === "ended",
	);
	return { status: ok ? "ok" : "failing", pipelines };
}

function pipelineHealth(each: PipelineSnapshot): PipelineHealth {
	const { source, sink, taken, emitted, dropped, failed, open } = each;
	const trouble = source.error ?? sink.error ?? each.quarantineError;
	const state =
		each.state === "running" && trouble !== undefined ? "degraded" : each.state;
	const reason = each.reason ?? (state === "ended" ? undefined : trouble);
	return {
		state,
		...(reason === undefined ? {} : { reason }),
		source,
		sink,
		readings: { taken, emitted, dropped, failed, open },
	};
}
