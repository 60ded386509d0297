import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { hearSignals, stayUp } from "#host/cli/run.js";

/** A gateway and a terminal that do as the test says. */
function scene({ starts = true } = {}) {
	const stderr = new PassThrough({ encoding: "utf8" });
	let up = () => {};
	let fail: (error: Error) => void = () => {};
	let end = () => {};
	let drained: (done: boolean) => void = () => {};
	let signal: (name: string) => void = () => {};
	let stopCalled: (deadline: number) => void = () => {};
	const stopping = new Promise<number>((resolve) => {
		stopCalled = resolve;
	});
	const gateway = {
		up: new Promise<void>((resolve, reject) => {
			up = resolve;
			fail = reject;
		}),
		ended: new Promise<void>((resolve) => {
			end = resolve;
		}),
		stop(deadline: number) {
			stopCalled(deadline);
			return new Promise<boolean>((resolve) => {
				drained = resolve;
			});
		},
		snapshots: async () => [],
	};
	let started: (up: typeof gateway) => void = () => {};
	const starting = starts
		? Promise.resolve(gateway)
		: new Promise<typeof gateway>((resolve) => {
				started = resolve;
			});
	const heard: { off: boolean } = { off: false };
	const io = {
		stderr,
		onSignal(listener: (name: string) => void) {
			signal = listener;
			return () => {
				heard.off = true;
			};
		},
	};
	return {
		code: stayUp(starting, hearSignals(io), io, 3000),
		started: () => started(gateway),
		up: () => up(),
		fail: (error: Error) => fail(error),
		end: () => end(),
		drained: (done: boolean) => drained(done),
		signal: () => signal("SIGTERM"),
		stopping,
		heard,
		said: () => stderr.read() ?? "",
	};
}

describe("a running gateway", () => {
	it("exits 0 when every source has ended", async () => {
		const { code, up, end, stopping, drained, heard, said } = scene();
		up();
		end();
		await stopping;
		drained(true);
		expect(await code).toBe(0);
		expect(heard.off).toBe(true);
		expect(said()).toBe("");
	});

	it("stops in stages on a signal, with the deadline", async () => {
		const { code, signal, stopping, drained } = scene();
		signal();
		const deadline = await stopping;
		expect(deadline).toBeGreaterThan(2000);
		expect(deadline).toBeLessThanOrEqual(3000);
		drained(true);
		expect(await code).toBe(0);
	});

	it("says so when the deadline passes", async () => {
		const { code, signal, stopping, drained, said } = scene();
		signal();
		await stopping;
		drained(false);
		expect(await code).toBe(1);
		expect(said()).toMatch(
			/^SIGTERM: stopping, .*\nerror E_STOP_DEADLINE: .* 3 s have passed\n {2}hint: /,
		);
	});

	it("is forced by a second signal", async () => {
		const { code, signal, stopping, said } = scene();
		signal();
		await stopping;
		signal();
		expect(await code).toBe(1);
		expect(said()).toMatch(
			/^SIGTERM: stopping, .*\nerror E_STOP_DEADLINE: .* a second signal came\n/,
		);
	});

	it("is forced as well when it had ended by itself and hangs", async () => {
		const { code, up, end, signal, stopping } = scene();
		up();
		end();
		await stopping;
		signal();
		signal();
		expect(await code).toBe(1);
	});

	it("fails when a pipeline cannot start, after letting go of the others", async () => {
		const { code, fail, stopping, drained } = scene();
		fail(new Error("guest fails at start"));
		await stopping;
		drained(true);
		await expect(code).rejects.toThrow("guest fails at start");
	});

	it("stops in stages what was still starting when the signal came", async () => {
		const { code, signal, started, stopping, drained, said } = scene({
			starts: false,
		});
		signal();
		started();
		const deadline = await stopping;
		expect(deadline).toBeGreaterThan(2000);
		expect(deadline).toBeLessThanOrEqual(3000);
		drained(true);
		expect(await code).toBe(0);
		expect(said()).toBe("SIGTERM: stopping, a second signal forces\n");
	});

	it("is forced by a second signal while it starts", async () => {
		const { code, signal, said } = scene({ starts: false });
		signal();
		signal();
		expect(await code).toBe(1);
		expect(said()).toMatch(/E_STOP_DEADLINE: .* a second signal came\n/);
	});

	it("does not take what a stop interrupts for a failure", async () => {
		const { code, fail, signal, stopping, drained } = scene();
		signal();
		await stopping;
		fail(new Error("closed before it was up"));
		drained(true);
		expect(await code).toBe(0);
	});
});
