import { expect, it, onTestFinished } from "vitest";
import { driveThrough } from "../../bench/cases/through.mjs";
import { mosquittoVersion } from "../../bench/mosquitto.mjs";
import { built, wasieve } from "../../bench/subjects.mjs";

const hasMosquitto = mosquittoVersion() !== undefined;
if (!hasMosquitto)
	console.warn("skipped: latencies (apt-get install mosquitto)");

const EVERY_MS = 600;
const STALL_MS = 200;

/** A gateway that stands still for 200 of every 600 ms. */
function stalling() {
	const gateway = wasieve(built());
	return {
		...gateway,
		async start(where: Parameters<typeof gateway.start>[0]) {
			const running = await gateway.start(where);
			const timer = setInterval(() => {
				running.child.kill("SIGSTOP");
				setTimeout(() => running.child.kill("SIGCONT"), STALL_MS);
			}, EVERY_MS);
			const stop = () => {
				clearInterval(timer);
				running.child.kill("SIGCONT");
				return running.stop();
			};
			onTestFinished(() => clearInterval(timer));
			return { ...running, stop };
		},
	};
}

// Who waits for an answer before the next reading sees a stall once; here each reading that was due in it does.
it.skipIf(!hasMosquitto)(
	"a gateway that stands still is late for every reading that was due",
	async () => {
		const setting = {
			broker: "defaults",
			qos: 0,
			mode: { rate: 1000 },
		} as const;
		const span = { warmMs: 100, ms: 2 * EVERY_MS };
		const told = await driveThrough(stalling(), setting, span);
		expect(told).toMatchObject({ lost: 0, wrong: 0, repeated: 0 });
		// 200 alerts or so: two that are late are their last hundredth, and would not show in p99.
		expect(told.p99).toBeGreaterThan(0.8 * STALL_MS);
		expect(told.p999).toBeGreaterThan(0.9 * STALL_MS);
	},
);
