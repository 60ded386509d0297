import type { Fault, LinkSnapshot, PipelineSnapshot } from "../contract.js";
import type { WasieveError } from "../errors.js";
import { BOUNDS } from "./latency.js";
import type { Line } from "./line.js";

/** A line's own states; "degraded" is "running" with something broken around it. */
export type LineState = Exclude<PipelineSnapshot["state"], "degraded">;

/** What a line says of itself, as plain data. */
export function snapshotOf(line: Line): PipelineSnapshot {
	const { links, traffic } = line;
	const { failures, fuel, latency } = traffic;
	const broken = links.source ?? links.sink ?? failures.error;
	const degraded = line.state === "running" && broken !== undefined;
	const reason = line.reason ?? broken;
	return {
		name: line.name,
		state: degraded ? "degraded" : line.state,
		...(reason && { reason: faultData(reason) }),
		...line.account(),
		missed: traffic.missed,
		outputs: traffic.outputs,
		outputBytes: traffic.outputBytes,
		...(traffic.undelivered > 0 && { undelivered: traffic.undelivered }),
		restarts: traffic.restarts,
		quarantineLost: failures.lost,
		quarantineDiscarded: line.quarantineDiscarded,
		...(failures.error && {
			quarantineError: faultData(failures.error),
		}),
		...(fuel !== undefined && { fuel }),
		source: link(links.source, line.state !== "starting"),
		sink: link(links.sink, true),
		latency: {
			bounds: BOUNDS,
			counts: Array.from(latency.counts),
			sum: latency.sum,
			samples: latency.samples,
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
