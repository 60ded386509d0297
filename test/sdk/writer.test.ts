/** emit, params, timers: what a filter's own code gives and gets. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { data, Exit, fixture, Guest, RS, run, tracked } from "./guest.js";

const actions = await fixture("actions");
const params = await fixture("params");
const field = await fixture("field");

const act = (reading: object) =>
	run(actions, `${JSON.stringify(reading)}\n`).out;

describe("emit", () => {
	test("nested, arrays, raw, copies, odd numbers and odd strings", () => {
		const out = act({ do: "nest", why: { copied: [1, "2"] } });
		expect(out.split("\n").length).toBe(2);
		expect(out).toContain('"zero":0,"least":-9223372036854775808,');
		expect(JSON.parse(out)).toEqual({
			list: [
				{ i: 0, "": [] },
				{ i: 1, "": [] },
				{ i: 2, "": [] },
				{ raw: 1 },
				{ copied: [1, "2"] },
				null,
				null,
			],
			o: {},
			nan: null,
			inf: null,
			zero: 0,
			least: Number(-(2n ** 63n)),
			'k"\nä': '"\\\u0000\u001f\u007f€😀\ud800x',
			b: false,
		});
	});

	test("what was left open is closed by the next output and by the handler's end", () => {
		expect(act({ do: "open" })).toBe('{"a":{"b":[1.5]}}\n{"next":"one"}\n');
	});

	test("any string comes through str() and out again", () => {
		const guest = tracked(field, { env: { KIND: "str" } });
		guest.out();
		fc.assert(
			fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
				const out = guest
					.give(`${JSON.stringify({ v: text })}\n`)
					.pump()
					.out();
				expect(JSON.parse(data(out))).toEqual({ v: text });
			}),
			{ numRuns: 500 },
		);
	});

	test("a long string, across the buffer's end", () => {
		const text = "aä€😀\n".repeat(6000);
		const { out } = run(field, `${JSON.stringify({ v: text })}\n`.repeat(5), {
			env: { KIND: "str" },
		});
		for (const each of out.split("\n").slice(0, -1))
			expect(JSON.parse(each)).toEqual({ v: text });
	});

	test("alert copies the bytes, and writes null for what is not there", () => {
		expect(
			run(
				actions,
				'{"do":"alert","why":"t","value": 1.50e0 ,"device_id":"\\u0061"}\n',
			).out,
		).toBe(
			'{"device_id":"\\u0061","alert_type":"t","value":1.50e0,"timestamp":null}\n',
		);
	});
});

describe("param", () => {
	const read = (env: Record<string, string>) => run(params, "1\n", { env }).out;

	test("without an environment the defaults hold", () => {
		expect(read({})).toBe(
			'{"number":1.5,"flag":false,"text":"none","long":-7,"short":3,"byte":200,"wide":5}\n',
		);
	});

	test("each is read as its default's type", () => {
		const env = {
			NUMBER: "-2.5e3",
			FLAG: "true",
			TEXT: ' a="b" ä',
			LONG: "-9223372036854775808",
			SHORT: "-2147483648",
			BYTE: "255",
			WIDE: "9007199254740992",
		};
		expect(
			JSON.parse(read({ OTHER: "x", NUMBERS: "7", NUMBE: "8", ...env })),
		).toEqual({
			number: -2500,
			flag: true,
			text: ' a="b" ä',
			long: Number(-(2n ** 63n)),
			short: -(2 ** 31),
			byte: 255,
			wide: 2 ** 53,
		});
		expect(JSON.parse(read({ FLAG: "1", TEXT: "" }))).toMatchObject({
			flag: true,
			text: "",
		});
		expect(JSON.parse(read({ FLAG: "0", NUMBER: " 7 " }))).toMatchObject({
			flag: false,
			number: 7,
		});
	});

	test.each([
		["NUMBER", "abc", "a number"],
		["NUMBER", "", "a number"],
		["NUMBER", "1,5", "a number"],
		["NUMBER", "[1]", "a number"],
		["NUMBER", '"1"', "a number"],
		["FLAG", "yes", "true or false"],
		["FLAG", "truest", "true or false"],
		["FLAG", "10", "true or false"],
		["LONG", "1.5", "an integer in range"],
		["LONG", "9223372036854775808", "an integer in range"],
		["SHORT", "2147483648", "an integer in range"],
		["BYTE", "256", "an integer in range"],
		["BYTE", "-1", "an integer in range"],
		["WIDE", "-1", "an integer in range"],
	])(
		"%s=%s ends the filter before the first reading",
		(name, value, expected) => {
			const guest = new Guest(params, { env: { [name]: value } })
				.give("1\n")
				.endInput();
			expect(() => guest.start()).toThrow(new Exit(2));
			expect(guest.err()).toBe(`${name}: expected ${expected}\n`);
			expect(guest.out()).toBe("");
		},
	);

	test("an environment that is too large ends it as well", () => {
		const guest = new Guest(params, { env: { BIG: "x".repeat(131072) } });
		expect(() => guest.start()).toThrow(new Exit(2));
		expect(guest.err()).toBe("NUMBER: expected an environment of 128 KiB\n");
		expect(
			JSON.parse(read({ BIG: "x".repeat(131000), SHORT: "4" })),
		).toMatchObject({ short: 4 });
	});

	test("in a handler it would overwrite the readings, so it ends the filter", async () => {
		const guest = new Guest(await fixture("early")).give("1\n").endInput();
		expect(() => guest.start()).toThrow(new Exit(2));
		expect(guest.err()).toBe("LATE: expected param() before run()\n");
	});
});

describe("time", async () => {
	const timers = await fixture("timers");
	const clock = await fixture("clock");
	const time = (ms: number) => `${RS}t${ms}\n`;

	test("cannot be asked for behind run(), where no timer would ever be due", async () => {
		const guest = new Guest(await fixture("late-timer")).give("1\n").endInput();
		expect(() => guest.start()).toThrow(new Exit(2));
		expect(guest.err()).toBe("every() or atEnd(): expected before run()\n");
	});

	test("has no timers of 0 ms, which would be the end's, nor of less", async () => {
		const never = await fixture("never");
		for (const PERIOD of ["0", "-1", "4294967296"]) {
			const guest = new Guest(never, { env: { PERIOD } })
				.give("1\n")
				.endInput();
			expect(() => guest.start()).toThrow(new Exit(2));
			expect(guest.err()).toBe("every: expected 1 to 4294967295 ms\n");
		}
	});

	test("is asked for by timers and by now() alone", () => {
		expect(tracked(timers).out()).toBe(`${RS}h1 max=65536 time every=1000\n`);
		expect(tracked(clock).out()).toBe(`${RS}h1 max=65536 time\n`);
	});

	test("timers fire once for the multiples that have passed, before the readings of the batch", () => {
		const guest = tracked(timers);
		guest.out();
		const step = (text: string) => guest.give(text).pump().out();
		expect(step(`${time(500)}1\n`)).toBe(
			`${RS}@0\n{"now":500,"reading":1}\n${RS}c1\n`,
		);
		expect(step(time(999))).toBe("");
		expect(step(`${time(1000)}2\n`)).toBe(
			`{"timer":"1000","now":1000}\n${RS}@0\n{"now":1000,"reading":2}\n${RS}c1\n`,
		);
		expect(step(time(1000))).toBe("");
		expect(step(`3\n${time(7300)}4\n`)).toBe(
			`${RS}@0\n{"now":1000,"reading":3}\n${RS}@-\n{"timer":"1000","now":7000}\n{"timer":"2500","now":5000}\n` +
				`${RS}@1\n{"now":7300,"reading":4}\n${RS}c2\n`,
		);
		expect(step(`${RS}E\n`)).toBe('{"timer":"end","now":7300}\n');
	});

	test("never goes back, and begins anywhere", () => {
		const guest = tracked(timers);
		guest.out();
		expect(
			guest
				.give(`${time(1700000000000)}${time(5)}1\n`)
				.pump()
				.out(),
		).toBe(`${RS}@0\n{"now":1700000000000,"reading":1}\n${RS}c1\n`);
	});

	test("the ticks between two moments do not change what a timer says", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 2999 })), (between) => {
				const last = (ticks: number[]) => {
					const guest = tracked(clock)
						.give(time(0), ...ticks.map(time), time(3000), "1\n")
						.pump();
					return data(guest.out());
				};
				expect(last(between.sort((a, b) => a - b))).toBe(last([]));
			}),
		);
	});

	test("plain mode has none: no timer, now() is 0, the end still comes", () => {
		expect(run(timers, "1\n2").out).toBe(
			'{"now":0,"reading":1}\n{"now":0,"reading":2}\n{"timer":"end","now":0}\n',
		);
	});
});
