import type { PipelineSnapshot } from "#host/contract.js";

/** A running pipeline that a test changes. */
export function snapshot(
	more: Partial<PipelineSnapshot> = {},
): PipelineSnapshot {
	return {
		name: "overheat",
		state: "running",
		taken: 10,
		emitted: 4,
		dropped: 3,
		failed: 2,
		open: 1,
		droppedBy: { none: 2, "too old": 1 },
		failedBy: { E_GUEST_REJECT: 2 },
		outputs: 5,
		outputBytes: 500,
		restarts: 1,
		missed: 0,
		quarantineLost: 0,
		source: { connected: true },
		sink: { connected: true },
		latency: {
			bounds: [0.5, 1, 2, 64],
			counts: [1, 2, 0, 1],
			sum: 30,
			samples: 4,
		},
		...more,
	};
}
