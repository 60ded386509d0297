import type { Fault, LinkSnapshot, PipelineSnapshot } from "../contract.js";
import type { WasieveError } from "../errors.js";
import { BOUNDS } from "./latency.js";
import type { Line } from "./line.js";

/** A line's own states; "degraded" is "running" with something broken around it. */
export type LineState = Exclude<PipelineSnapshot["state"], "degraded">;

/** What a line says of itself, as plain data. */
export function snapshotOf(line: Line): PipelineSnapshot {
	const broken = line.links.source ?? line.links.sink ?? line.failures.error;
	const degraded = line.state === "running" && broken !== undefined;
	const reason = line.reason ?? broken;
	const { fuel } = line;
	return {
		name: line.name,
		state: degraded ? "degraded" : line.state,
		...(reason && { reason: faultData(reason) }),
		...line.account(),
		missed: line.missed,
		outputs: line.outputs,
		outputBytes: line.outputBytes,
		restarts: line.restarts,
		quarantineLost: line.failures.lost,
		quarantineDiscarded: line.quarantineDiscarded,
		...(line.failures.error && {
			quarantineError: faultData(line.failures.error),
		}),
		...(fuel !== undefined && { fuel }),
		source: link(line.links.source, line.state !== "starting"),
		sink: link(line.links.sink, true),
		latency: {
			bounds: BOUNDS,
			counts: Array.from(line.latency.counts),
			sum: line.latency.sum,
			samples: line.latency.samples,
		},
	};
}

function link(error: WasieveError | undefined, up: boolean): LinkSnapshot {
	return error === undefined
		? { connected: up }
		: { connected: false, error: faultData(error) };
}

export function faultData({ code, message, hint }: WasieveError): Fault {
	return { code, message, ...(hint !== undefined && { hint }) };
}
