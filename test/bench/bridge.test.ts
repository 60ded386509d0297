import { afterAll, expect, it } from "vitest";
import { pourInto } from "../../bench/cases/capacity.mjs";
import { driveFlawless } from "../../bench/cases/through.mjs";
import { sweep } from "../../bench/children.mjs";
import { mosquittoVersion } from "../../bench/mosquitto.mjs";
import { bridge, wasieve } from "../../bench/subjects.mjs";

const SPAN = { warmMs: 200, ms: 400 };
const broker = mosquittoVersion();
if (!broker)
	console.warn("bench: mosquitto is not installed, one test skipped");

afterAll(sweep);

it("pours into the bridge and gets every alert back", async () => {
	const sample = await pourInto(bridge(2), 1, SPAN);
	expect(sample).toMatchObject({ lost: 0, wrong: 0, repeated: 0 });
	expect(sample.rate).toBeGreaterThan(0);
	expect(sample.cpu).toBeGreaterThan(0);
	expect(sample.acked).toBe(sample.sent);
});

it.skipIf(!broker)("drives the bridge through mosquitto on time", async () => {
	const setting = { broker: "nodelay", qos: 0, mode: { rate: 1000 } } as const;
	const sample = await driveFlawless(bridge(2), setting, SPAN);
	expect(sample).toMatchObject({ lost: 0, wrong: 0, repeated: 0 });
	// 600 are due by then; a sender that is kept from its core has sent less.
	expect(sample.sent).toBeGreaterThan(200);
	expect(sample.alerts).toBe(Math.ceil(sample.sent / 6));
	expect(sample.p50).toBeGreaterThan(0);
	expect(sample.p99).toBeGreaterThanOrEqual(sample.p50);
});

it("says who died and what it said", async () => {
	const broken = wasieve({ cli: "/nowhere/main.js", module: "none.wasm" });
	await expect(pourInto(broken, 0, SPAN)).rejects.toThrow(
		/wasieve connects: .*ended \(exit code 1\).*Cannot find module/s,
	);
});
