import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Batch, Engine } from "#host/contract.js";
import type { RestartPolicy } from "#host/engine/rest.js";
import { batchOf } from "../pipeline/parts.js";
import { Record } from "./record.js";

/** What the suite needs to know of an engine. */
export interface Subject {
	/** An engine, not started, with the filter of test/fixtures/foreign/contract.wat or one that does the same. */
	make(options: {
		restart: RestartPolicy;
		/** ms for a reading. */
		time: number;
	}): Engine | Promise<Engine>;
	/** Whether a filter's state survives a trap. */
	keepsState: boolean;
	/** What an endless loop ends in. */
	loop: "E_GUEST_TIME" | "E_GUEST_FUEL";
}

/** So many failures in a row that no test but one about stopping sees the end of them. */
const PATIENT = { max: 1000, backoff: { min: 1, max: 1 } };

/** ms. Long enough for any reading of a busy machine, and what a test waits for where a reading hangs. */
const [PLENTY, SHORT] = [20_000, 500];

/** What every engine does (host/contract.ts), whatever it runs filters on. */
export function engineContract(name: string, subject: Subject): void {
	describe(`${name} keeps the engines' contract`, () => {
		const engines: Engine[] = [];

		afterEach(async () => {
			await Promise.all(engines.splice(0).map((engine) => engine.close()));
		});

		async function started(restart: RestartPolicy = PATIENT, time = PLENTY) {
			const engine = await subject.make({ restart, time });
			engines.push(engine);
			const record = new Record();
			await engine.start(record);
			const feed = feeder(engine);
			return { engine, record, feed };
		}

		test("outputs come in order, each before its reading is consumed", async () => {
			const { record, feed } = await started();
			feed("e1", "n", "e2");
			feed("21");
			feed("n", "e3");
			await record.consumedAll(6);
			expect(record.outputs).toEqual(["e1", "e2", "21", "21", "e3"]);
			expect(record.consumedNumbers).toEqual([0, 1, 2, 3, 4, 5]);
			for (const [output, number] of [
				["e1", 0],
				["e2", 2],
				["e3", 5],
			] as const) {
				const at = record.said.findIndex((line) => line.endsWith(output));
				expect(at).toBeLessThan(record.said.indexOf(`${number} consumed`));
			}
			expect(record.breaches).toEqual([]);
		});

		test("a line feed in a payload becomes a space, and an empty payload is a reading", async () => {
			const { record, feed } = await started();
			feed("e{\n}", "", "e\n");
			await record.consumedAll(3);
			expect(record.outputs).toEqual(["e{ }", "e "]);
		});

		test("what is fed is copied before feed() returns", async () => {
			const { engine, record } = await started();
			const batch = numbered(0, "e1", "e2");
			engine.feed(batch);
			batch.bytes.fill("x");
			batch.payloadEnd.fill(0);
			batch.number.fill(9);
			await record.consumedAll(2);
			expect(record.outputs).toEqual(["e1", "e2"]);
			expect(record.consumedNumbers).toEqual([0, 1]);
		});

		test.each([
			["t", "E_GUEST_TRAP"],
			["x", "E_GUEST_EXIT"],
			["l", subject.loop],
			["f", "E_GUEST_OUTPUT"],
		])("a reading that ends the filter (%s) fails alone", async (bad, code) => {
			const time = bad === "l" ? SHORT : PLENTY;
			const { record, feed } = await started(PATIENT, time);
			feed("e1", "e2", bad, "e3", "e4");
			feed("e5");
			await record.consumedAll(6);
			expect(record.failures).toEqual([{ payload: bad, code }]);
			expect(record.outputs).toEqual(["e1", "e2", "e3", "e4", "e5"]);
			expect(record.consumedNumbers).toEqual([0, 1, 2, 3, 4, 5]);
			expect(record.restarts.length).toBeGreaterThan(0);
			expect(record.breaches).toEqual([]);
		});

		test("a flood of stderr is bounded and the filter ends at a limit", async () => {
			const { record, feed } = await started(PATIENT, SHORT);
			feed("r");
			feed("e1");
			await record.consumedAll(2);
			expect(record.failures).toEqual([{ payload: "r", code: subject.loop }]);
			expect(record.outputs).toEqual(["e1"]);
			expect(record.logs.length).toBeLessThanOrEqual(record.mostLogs);
		});

		test("any mixture of good and bad readings, however batched, comes out right", async () => {
			const kind = fc.constantFrom("e1", "n", "23", "t", "x", "e4");
			const batches = fc.array(fc.array(kind, { minLength: 1, maxLength: 8 }), {
				minLength: 1,
				maxLength: 5,
			});
			const check = async (fed: string[][]) => {
				const { engine, record, feed } = await started();
				for (const readings of fed) feed(...readings);
				const all = fed.flat();
				await record.consumedAll(all.length);
				expect(record.outputs).toEqual(all.flatMap(outputsOf));
				expect(record.failures.map(({ payload }) => payload)).toEqual(
					all.filter((payload) => payload === "t" || payload === "x"),
				);
				expect(record.consumedNumbers).toEqual(all.map((_, n) => n));
				expect(record.breaches).toEqual([]);
				await engine.close();
			};
			await fc.assert(fc.asyncProperty(batches, check), { numRuns: 12 });
		});

		test("the filter's state lives from batch to batch", async () => {
			const { record, feed } = await started();
			feed("c", "n");
			feed("c");
			await record.consumedAll(3);
			feed("t");
			await record.consumedAll(4);
			feed("c");
			await record.consumedAll(5);
			const after = subject.keepsState ? "0004" : "0001";
			expect(record.outputs).toEqual(["0001", "0003", after]);
		});

		test("after too many failures in a row it stops; restart() goes on where it was", async () => {
			const { engine, record, feed } = await started({
				max: 4,
				backoff: { min: 1, max: 1 },
			});
			feed("t", "t", "t", "t", "e1", "e2");
			await record.until(() => record.stop !== undefined);
			expect(record.stop?.code).toBe("E_PIPELINE_STOPPED");
			expect(record.consumedNumbers).toEqual([0, 1, 2, 3]);
			expect(engine.ready).toBe(false);
			feed("e3");
			expect(record.outputs).toEqual([]);
			await engine.restart();
			await record.consumedAll(7);
			expect(record.outputs).toEqual(["e1", "e2", "e3"]);
			expect(record.consumedNumbers).toEqual([0, 1, 2, 3, 4, 5, 6]);
		});

		test("a success between failures keeps it from stopping", async () => {
			const { record, feed } = await started({
				max: 3,
				backoff: { min: 1, max: 1 },
			});
			for (let k = 0; k < 4; k++) {
				feed("t");
				feed("t");
				feed("e1");
			}
			await record.consumedAll(12);
			expect(record.stop).toBeUndefined();
			expect(record.outputs).toEqual(["e1", "e1", "e1", "e1"]);
		});

		test("it rests after failures in a row and says when it is ready again", async () => {
			const { engine, record, feed } = await started();
			feed("t", "t", "t", "t", "t");
			feed("e1");
			await record.consumedAll(6);
			await record.until(() => record.readyCount > 0 && engine.ready);
			expect(record.outputs).toEqual(["e1"]);
		});

		test("a reading of a megabyte goes through", async () => {
			const { record, feed } = await started();
			const large = `n${"x".repeat(100_000)}`;
			feed(large, "e1", large, large, "e2");
			await record.consumedAll(5);
			expect(record.outputs).toEqual(["e1", "e2"]);
		});

		test("end() lets everything fed come out, then the filter's last words", async () => {
			const { engine, record, feed } = await started();
			for (let k = 0; k < 50; k++) feed(`e${k}`, "n");
			await engine.end();
			expect(record.consumedNumbers.length).toBe(100);
			expect(record.outputs.length).toBe(51);
			expect(record.said.at(-1)).toBe("-: bye");
			expect(record.breaches).toEqual([]);
		});

		test("close() at any time, more than once, and nothing is said after it", async () => {
			const { engine, record, feed } = await started();
			feed("e1", "e2", "t", "e3");
			const closing = engine.close();
			const said = record.said.length;
			await Promise.all([closing, engine.close()]);
			await engine.close();
			await engine.end();
			expect(record.said.length).toBe(said);
		});

		test("close() interrupts a filter that hangs", async () => {
			const { engine, record, feed } = await started();
			feed("e1");
			await record.consumedAll(1);
			feed("l");
			await engine.close();
			expect(record.outputs).toEqual(["e1"]);
		});
	});
}

/** The outputs of the contract's filter on one reading, by the model. */
function outputsOf(payload: string): string[] {
	if (payload.startsWith("e")) return [payload];
	if (payload.startsWith("2")) return [payload, payload];
	return [];
}

/** Readings with the ledger's numbers from `first` on. */
export function numbered(first: number, ...payloads: string[]): Batch {
	const batch = batchOf(
		...payloads.map((payload): [string, string] => ["plant/1", payload]),
	);
	for (let k = 0; k < batch.count; k++) batch.number[k] = first + k;
	return batch;
}

/** Feeds readings as batches, numbered from 0 on. */
export function feeder(engine: Engine): (...payloads: string[]) => void {
	let next = 0;
	return (...payloads) => {
		engine.feed(numbered(next, ...payloads));
		next += payloads.length;
	};
}
