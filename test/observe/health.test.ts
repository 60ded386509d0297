import { expect, test } from "vitest";
import { healthOf } from "#host/observe/health.js";
import { snapshot } from "./snapshots.js";

const down = { code: "E_MQTT_CONNECT", message: "no broker", hint: "start it" };

test("all is well: running, or at the end", () => {
	const { status, pipelines } = healthOf([
		snapshot(),
		snapshot({ name: "file", state: "ended" }),
	]);
	expect(status).toBe("ok");
	expect(pipelines.overheat).toEqual({
		state: "running",
		source: { connected: true },
		sink: { connected: true },
		readings: { taken: 10, emitted: 4, dropped: 3, failed: 2, open: 1 },
	});
	expect(Object.keys(pipelines)).toEqual(["overheat", "file"]);
});

test.each([
	["starting", snapshot({ state: "starting" }), "starting", undefined],
	[
		"source",
		snapshot({ source: { connected: false, error: down } }),
		"degraded",
		down,
	],
	[
		"sink",
		snapshot({ sink: { connected: false, error: down } }),
		"degraded",
		down,
	],
	["quarantine", snapshot({ quarantineError: down }), "degraded", down],
	["stopped", snapshot({ state: "stopped", reason: down }), "stopped", down],
	[
		"starting, and why",
		snapshot({ state: "starting", source: { connected: false, error: down } }),
		"starting",
		down,
	],
])("not well: %s", (_, one, state, reason) => {
	const { status, pipelines } = healthOf([snapshot({ name: "good" }), one]);
	expect(status).toBe("failing");
	expect(pipelines.overheat).toMatchObject({ state });
	expect(pipelines.overheat?.reason).toEqual(reason);
	expect(pipelines.good?.state).toBe("running");
});
