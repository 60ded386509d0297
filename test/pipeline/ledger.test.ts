import fc from "fast-check";
import { expect, test } from "vitest";
import { Ledger } from "#host/pipeline/ledger.js";

/** The simplest thing that could keep the same account: one object a reading. */
class Model {
	readings: { waits: number; rank: number; end: string }[] = [];

	take(count: number): void {
		for (let k = 0; k < count; k++) {
			this.readings.push({ waits: 1, rank: 0, end: "dropped none" });
		}
	}

	mark(n: number, rank: number, end: string): void {
		const reading = this.readings[n];
		if (reading && rank > reading.rank) Object.assign(reading, { rank, end });
	}

	get low(): number {
		const open = this.readings.findIndex((reading) => reading.waits > 0);
		return open === -1 ? this.readings.length : open;
	}

	ends(): Record<string, number> {
		const ends: Record<string, number> = {};
		for (const { waits, end } of this.readings) {
			if (waits === 0) ends[end] = (ends[end] ?? 0) + 1;
		}
		return ends;
	}
}

type Step =
	| { do: "take"; count: number }
	| { do: "hold" | "release" | "emit"; pick: number }
	| { do: "drop" | "fail"; pick: number; why: string };

const pick = fc.nat(10_000);
const step: fc.Arbitrary<Step> = fc.oneof(
	fc.record({ do: fc.constant("take" as const), count: fc.nat(40) }),
	fc.record({ do: fc.constantFrom("hold", "emit"), pick }),
	// More releases than holds, or nothing would ever settle.
	{
		weight: 4,
		arbitrary: fc.record({ do: fc.constant("release" as const), pick }),
	},
	fc.record({
		do: fc.constantFrom("drop", "fail"),
		pick,
		why: fc.constantFrom("a", "b", "c"),
	}),
) as fc.Arbitrary<Step>;

test("the ledger keeps the same account as a simple model", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
			const ledger = new Ledger(8);
			const model = new Model();
			for (const now of steps) {
				run(now, ledger, model);
				expect(ledger.low).toBe(model.low);
			}
			expect(endsOf(ledger)).toEqual(model.ends());
			const { taken, emitted, dropped, failed, open } = ledger.account();
			expect(emitted + dropped + failed + open).toBe(taken);
		}),
	);
});

function run(now: Step, ledger: Ledger, model: Model): unknown {
	if (now.do === "take") {
		expect(ledger.take(now.count)).toBe(model.readings.length);
		model.take(now.count);
		return undefined;
	}
	const open = model.readings.flatMap(({ waits }, n) => (waits > 0 ? [n] : []));
	const n = open[now.pick % open.length];
	if (n === undefined) return undefined;
	const reading = model.readings[n] as Model["readings"][number];
	switch (now.do) {
		case "hold":
			reading.waits++;
			return ledger.hold(n);
		case "release":
			reading.waits--;
			return ledger.release(n);
		case "emit":
			model.mark(n, 2, "emitted");
			return ledger.emit(n);
		case "drop":
			model.mark(n, 1, `dropped ${now.why}`);
			return ledger.drop(n, now.why);
		case "fail":
			model.mark(n, 3, `failed ${now.why}`);
			return ledger.fail(n, now.why);
	}
}

function endsOf(ledger: Ledger): Record<string, number> {
	const { emitted, droppedBy, failedBy } = ledger.account();
	return Object.fromEntries([
		...(emitted > 0 ? [["emitted", emitted]] : []),
		...Object.entries(droppedBy).map(([why, n]) => [`dropped ${why}`, n]),
		...Object.entries(failedBy).map(([why, n]) => [`failed ${why}`, n]),
	]);
}

test("a reading is settled only when everything it waits for is done, in order", () => {
	const ledger = new Ledger();
	ledger.take(3);
	ledger.hold(0);
	ledger.release(0);
	ledger.release(1);
	expect(ledger.low).toBe(0);
	ledger.release(0);
	expect(ledger.low).toBe(2);
	expect(ledger.open).toBe(1);
});

test("releasing too often or speaking of a settled reading is a defect, not a miscount", () => {
	const ledger = new Ledger();
	ledger.take(2);
	ledger.release(1);
	expect(() => ledger.release(1)).toThrow(RangeError);
	ledger.release(0);
	expect(() => ledger.hold(0)).toThrow(RangeError);
	expect(() => ledger.hold(7)).toThrow(RangeError);
});

test("it grows instead of forgetting", () => {
	const ledger = new Ledger(4);
	ledger.take(3);
	ledger.hold(2);
	ledger.take(1000);
	for (let n = 0; n < 1003; n++) ledger.release(n);
	expect(ledger.low).toBe(2);
	ledger.release(2);
	expect(ledger.low).toBe(1003);
});

test("reasons beyond the thirty-second are counted together", () => {
	const ledger = new Ledger();
	ledger.take(40);
	for (let n = 0; n < 40; n++) {
		ledger.drop(n, `reason ${n}`);
		ledger.release(n);
	}
	const { droppedBy, dropped } = ledger.account();
	expect(dropped).toBe(40);
	expect(Object.keys(droppedBy)).toHaveLength(32);
	expect(droppedBy.other).toBe(9);
});
