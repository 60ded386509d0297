import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { stayUp } from "#host/cli/run.js";

/** A gateway and a terminal that do as the test says. */
function scene() {
	const stderr = new PassThrough({ encoding: "utf8" });
	let end = () => {};
	let drained: (done: boolean) => void = () => {};
	let signal: (name: string) => void = () => {};
	let stopCalled: (deadline: number) => void = () => {};
	const stopping = new Promise<number>((resolve) => {
		stopCalled = resolve;
	});
	const gateway = {
		ended: new Promise<void>((resolve) => {
			end = resolve;
		}),
		stop(deadline: number) {
			stopCalled(deadline);
			return new Promise<boolean>((resolve) => {
				drained = resolve;
			});
		},
		snapshots: () => [],
	};
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
		code: stayUp(gateway, io, 3000),
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
		const { code, end, stopping, drained, heard, said } = scene();
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
		expect(await stopping).toBe(3000);
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
			/^error E_STOP_DEADLINE: .* 3 s have passed\n {2}hint: /,
		);
	});

	it("is forced by a second signal", async () => {
		const { code, signal, stopping, said } = scene();
		signal();
		await stopping;
		signal();
		expect(await code).toBe(1);
		expect(said()).toMatch(/^error E_STOP_DEADLINE: .* a second signal came\n/);
	});

	it("is forced as well when it had ended by itself and hangs", async () => {
		const { code, end, signal, stopping } = scene();
		end();
		await stopping;
		signal();
		signal();
		expect(await code).toBe(1);
	});
});
