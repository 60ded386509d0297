/** docs/protocol.md from the module's side. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	data,
	fixture,
	Guest,
	HELLO,
	RS,
	run,
	shipped,
	tracked,
} from "./guest.js";

const actions = await fixture("actions");
const overheat = await shipped("overheat");
const accept = await fixture("accept");

const HOT = '{"temperature":99,"humidity":1,"device_id":"a","timestamp":1}';
const ALERT =
	'{"device_id":"a","alert_type":"high_temperature","value":99,"timestamp":1}';
const COLD = '{"temperature":1,"humidity":1}';

/** Lines of all kinds: readings with and without outputs, faulty ones, records, bytes of no sense. */
const line = fc.oneof(
	fc.constantFrom(
		HOT,
		COLD,
		"",
		" ",
		"{",
		`${HOT} `,
		`\r${HOT}\r`,
		'{"temperature":"x","humidity":99}',
	),
	fc.constantFrom(
		`${RS}t12`,
		`${RS}Ta/b`,
		`${RS}z unknown`,
		`${RS}`,
		`${RS}h1 pump`,
		` ${RS}E`,
		`${RS} E`,
	),
	fc
		.string({ unit: "binary", maxLength: 20 })
		.map((text) => text.replaceAll("\n", " ").replace(`${RS}E`, "E")),
);

/** One text cut at places. */
function cut(text: string, places: number[]): Buffer[] {
	const bytes = Buffer.from(text);
	const at = [
		...new Set(places.map((place) => place % (bytes.length + 1))),
	].sort((a, b) => a - b);
	return [0, ...at].map((from, i) =>
		bytes.subarray(from, at[i] ?? bytes.length),
	);
}

describe("the hello", () => {
	test("is answered with what the module wants, before anything else", () => {
		expect(tracked(overheat).out()).toBe(`${RS}h1 max=65536\n`);
	});

	test("only a first line is one", () => {
		const { out, err } = run(overheat, `${COLD}\n${HELLO}${HOT}\n`);
		expect(out).toBe(`${ALERT}\n`);
		expect(err).toBe(
			"reading 2 rejected: not JSON: value expected at byte 0\n",
		);
	});

	test.each([
		"h1",
		"h1 more pump",
		"h1 pump more",
		"h1  pump",
		"h2 pump new=1",
		"h12",
	])("%s is understood", (text) => {
		const guest = new Guest(overheat).give(`${RS}${text}\n`, `${COLD}\n`);
		guest.endInput().start();
		expect(guest.out()).toBe(`${RS}h1 max=65536\n${RS}c1\n`);
	});

	test("with the feature pump EAGAIN returns, every time", () => {
		const guest = tracked(overheat);
		guest.out();
		for (let i = 0; i < 3; i++) {
			guest.give(`${HOT}\n`).pump();
			expect(guest.out()).toBe(`${RS}@0\n${ALERT}\n${RS}c1\n`);
			guest.pump();
			expect(guest.out()).toBe("");
		}
	});

	test.each(["h1", "h1 pumps", "h1 xpump", "h1 pump=1"])(
		"%s has no feature pump: EAGAIN is tried again",
		(text) => {
			const guest = new Guest(overheat, { interruptions: 5 });
			guest.give(`${RS}${text}\n`, `${HOT}\n`).endInput().start();
			expect(data(guest.out())).toBe(`${ALERT}\n`);
		},
	);
});

describe("records", () => {
	test("the example of docs/protocol.md", () => {
		const text = readFileSync(
			new URL("../../docs/protocol.md", import.meta.url),
			"utf8",
		);
		const [, block] = text.match(
			/## Example\n\n```\n(.*?)```/s,
		) as RegExpMatchArray;
		const rows = (block as string)
			.replaceAll("<RS>", RS)
			.split("\n")
			.slice(1, -1);
		const columns = rows.map((row) => row.split(/ {2,}/));
		const side = (n: number) =>
			columns.map((row) => row[n]).filter((cell) => cell);
		const [left, right] = [side(0), side(1)];
		expect(left.length).toBe(4);
		const guest = new Guest(overheat).give(`${left.join("\n")}\n`).start();
		expect(guest.out()).toBe(`${right.join("\n")}\n`);
	});

	const say = (reading: object | string) => {
		const guest = tracked(actions);
		guest.out();
		const text =
			typeof reading === "string" ? reading : JSON.stringify(reading);
		return guest.give(`${text}\n`).pump().out();
	};

	test("a reading without an outcome says nothing", () => {
		expect(say({ do: "nothing" })).toBe(`${RS}c1\n`);
	});

	test("drop, reject, and what wins when both are said", () => {
		expect(say({ do: "drop", why: "not wanted" })).toBe(
			`${RS}d0 not wanted\n${RS}c1\n`,
		);
		expect(say({ do: "reject", why: "not good" })).toBe(
			`${RS}r0 not good\n${RS}c1\n`,
		);
		expect(say('{"do":"both"}')).toBe(`${RS}@0\n{"do":"both"}\n${RS}c1\n`);
		expect(say({ do: "late" })).toBe(`${RS}r0 after all\n${RS}c1\n`);
	});

	test("reasons hold no control characters and are cut off", () => {
		expect(
			say({ do: "reject", why: 'a\nb\u001e\u0000\u007f\u0085 ä😀 "q"' }),
		).toBe(`${RS}r0 a\\u000ab\\u001e\\u0000\\u007f\\u0085 ä😀 "q"\n${RS}c1\n`);
		const long = say({ do: "drop", why: "€".repeat(5000) });
		expect(long).toMatch(/^.d0 €{200,300}\n.c1\n$/);
		const escapes = say({ do: "drop", why: "\u0001".repeat(5000) });
		expect(escapes.length).toBeLessThan(900);
	});

	test("the first few faults of a reading, each once, beside its output", () => {
		const reading = '{"do":"faults","a":"x","b":{"c":0.5},"d":[0]}';
		expect(say(reading)).toBe(
			`${RS}@0\n${reading}\n${RS}r0 a: expected a number, found a string at byte 19; ` +
				"b.c: expected an integer, found a number at byte 32; " +
				"d[0]: expected a boolean, found a number at byte 42; e: missing; f: missing\n" +
				`${RS}c1\n`,
		);
	});

	test("a topic suffix stands in front of its output only", () => {
		expect(say({ do: "to", why: "lüne/1\n" })).toBe(
			`${RS}@0\n${RS}>lüne/1\\u000a\n{"sent":true}\n${RS}c1\n`,
		);
		expect(
			run(actions, `${JSON.stringify({ do: "to", why: "x" })}\n`).out,
		).toBe('{"sent":true}\n');
	});

	test("log goes to stderr, one line each", () => {
		const guest = tracked(actions)
			.give(`${JSON.stringify({ do: "log", why: "a\nb" })}\n`)
			.pump();
		expect(guest.err()).toBe("a\\u000ab\n");
		expect(
			run(actions, `${JSON.stringify({ do: "log", why: "x".repeat(5000) })}\n`)
				.err,
		).toMatch(/^x{1800,2000}\n$/);
	});

	test("topics come decoded to filters that ask", () => {
		const guest = tracked(actions);
		expect(guest.out()).toBe(`${RS}h1 max=65536 topic\n`);
		const ask = '{"do":"topic"}\n';
		guest
			.give(`${ask}${RS}Ta/%25%0a%7f%C3%a4/ü\n${ask}${ask}${RS}T\n${ask}`)
			.pump();
		expect(data(guest.out())).toBe(
			["", "a/%\\u000a\\u007fä/ü", "a/%\\u000a\\u007fä/ü", ""]
				.map((topic) => `{"topic":"${topic}"}\n`)
				.join(""),
		);
	});

	test("counting begins anew after consumed, and from is said again", () => {
		const guest = tracked(overheat);
		guest.out();
		guest.give(`${COLD}\n${HOT}\n`).pump();
		guest.give(`${HOT}\n${HOT}\n`).pump();
		expect(guest.out()).toBe(
			`${RS}@1\n${ALERT}\n${RS}c2\n${RS}@0\n${ALERT}\n${RS}@1\n${ALERT}\n${RS}c2\n`,
		);
	});

	test("unknown kinds are skipped", () => {
		const guest = tracked(overheat);
		guest.out();
		guest.give(`${RS}?\n${RS}\n${RS}x ${HOT}\n${HOT}\n`).pump();
		expect(guest.out()).toBe(`${RS}@0\n${ALERT}\n${RS}c1\n`);
	});

	test("end is the end, with and without readings before it", () => {
		const guest = tracked(overheat);
		guest.out();
		guest.give(`${HOT}\n${RS}E\n${HOT}\n`).pump();
		expect(guest.out()).toBe(`${RS}@0\n${ALERT}\n${RS}c1\n`);
		guest.give(`${HOT}\n`).pump();
		expect(guest.out()).toBe("");
		expect(tracked(overheat).give(`${RS}E\n`).pump().out()).toBe(
			`${RS}h1 max=65536\n`,
		);
	});
});

describe("properties", () => {
	test("data output is the same in plain and tracked mode, at every cut, under every habit of a host", () => {
		fc.assert(
			fc.property(
				fc.array(line, { maxLength: 12 }),
				fc.array(fc.nat(), { maxLength: 20 }),
				fc.boolean(),
				(lines, places, lastFeed) => {
					const text = lines.join("\n") + (lastFeed ? "\n" : "");
					const whole = tracked(accept).give(text).endInput().pump().out();
					const pieces = cut(text, places);
					expect(
						data(
							new Guest(accept)
								.give(HELLO, ...pieces)
								.endInput()
								.start()
								.out(),
						),
					).toBe(data(whole));
					const slow = { interruptions: 1, shortWrites: 3, shortReads: 7 };
					expect(data(run(accept, [`${RS}h1\n`, ...pieces], slow).out)).toBe(
						data(whole),
					);
					// In plain mode a control record is a reading like any other, and no JSON text.
					if (lines[0]?.startsWith(`${RS}h`)) return;
					expect(run(accept, pieces, slow).out).toBe(data(whole));
				},
			),
			{ numRuns: 400 },
		);
	});

	test("a text cut in two at every byte", () => {
		const text = `${HOT}\n${RS}t5\n\n{"humidity":99}\n${HOT}\n${RS}T a\n${COLD}`;
		const whole = data(tracked(overheat).give(text).endInput().pump().out());
		expect(whole.split("\n").length).toBe(4);
		for (let at = 0; at <= text.length; at++) {
			const guest = tracked(overheat).give(text.slice(0, at)).pump();
			expect(
				data(guest.give(text.slice(at)).endInput().pump().out()),
				`at ${at}`,
			).toBe(whole);
		}
	});

	test("every reading is consumed, in order, and no record lies about it", () => {
		fc.assert(
			fc.property(
				fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 5 }),
				(batches) => {
					const guest = tracked(accept);
					guest.out();
					for (const batch of batches) {
						guest.give(batch.map((each) => `${each}\n`).join("")).pump();
						const readings = batch.filter((each) => !each.startsWith(RS));
						expect(outcomes(guest.out())).toEqual(
							readings.map((each) => (isJson(each) ? [each] : "rejected")),
						);
					}
				},
			),
			{ numRuns: 300 },
		);
	});

	test("no payload forges a record", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
				const reading = JSON.stringify({
					do: "alert",
					why: `${text}\n${RS}c9\n`,
					value: `\n${RS}c9\n${text}`,
				});
				const guest = tracked(actions);
				guest.out();
				const lines = guest.give(`${reading}\n`).pump().out().split("\n");
				expect(lines.length).toBe(4);
				expect([lines[0], lines[2]]).toEqual([`${RS}@0`, `${RS}c1`]);
				expect(JSON.parse(lines[1] as string).alert_type).toBe(
					`${text}\n${RS}c9\n`,
				);
			}),
		);
	});
});

function isJson(text: string): boolean {
	try {
		return JSON.parse(text) !== undefined;
	} catch {
		return false;
	}
}

/** What each reading of a batch became: its outputs or "rejected". */
function outcomes(out: string): unknown[] {
	const became: unknown[] = [];
	let from = -1;
	for (const each of out.split("\n").slice(0, -1)) {
		const n = Number.parseInt(each.slice(2), 10);
		if (each[0] !== RS)
			became[from] = [...((became[from] as string[]) ?? []), each];
		else if (each[1] === "@") from = n;
		else if (each[1] === "r") became[n] = "rejected";
		else if (each[1] === "c") expect(n).toBe(became.length);
		else throw new Error(`unexpected ${each}`);
	}
	return became;
}

describe("lines of many bytes", () => {
	const reading = (size: number) =>
		`{"do":"nothing","x":"${"x".repeat(size - 23)}"}`;

	test.each([65535, 65536])("%d are taken, whole or in pieces", (size) => {
		const text = reading(size);
		expect(text.length).toBe(size);
		for (const shortReads of [65536, 1000, 65535]) {
			const { out } = run(accept, `${text}\n${text}\n`, { shortReads });
			expect(out).toBe(`${text}\n${text}\n`);
		}
		expect(run(accept, text).out).toBe(`${text}\n`);
	});

	test.each([65537, 70000, 131072, 131073, 200000, 1000000])(
		"%d are rejected as one, and nothing else",
		(size) => {
			const text = reading(size);
			for (const shortReads of [65536, 9999, 65537]) {
				const guest = new Guest(accept, { shortReads });
				guest.give(HELLO, `{}\n${text}\n[]\n`).endInput().start();
				const out = guest.out();
				expect(data(out)).toBe("{}\n[]\n");
				expect(out.match(/r\d+ longer than 65536 bytes\n/g)?.length).toBe(1);
			}
			expect(run(accept, `${text}\n1`)).toEqual({
				out: "1\n",
				err: "reading 1 rejected: longer than 65536 bytes\n",
			});
			expect(run(accept, `1\n${text}`).out).toBe("1\n");
			expect(run(accept, `1\n${text.replaceAll("x", "{")}\n2`).out).toBe(
				"1\n2\n",
			);
		},
	);

	test("a control record of too many is skipped and is no reading", () => {
		const guest = tracked(accept)
			.give(`${RS}x${"y".repeat(300000)}\n1\n`)
			.pump();
		expect(guest.out()).toBe(`${RS}h1 max=65536\n${RS}@0\n1\n${RS}c1\n`);
	});

	test("outputs of more than the buffer leave complete", () => {
		const why = 'ä"\\'.repeat(8000);
		const { out } = run(
			actions,
			`${JSON.stringify({ do: "long", why })}\n`.repeat(2),
			{ shortWrites: 5000 },
		);
		const lines = out.split("\n").slice(0, -1);
		expect(lines.length).toBe(2);
		for (const each of lines)
			expect(Object.values(JSON.parse(each))).toEqual(Array(40).fill(why));
	});
});

test("one iovec a call", () => {
	const guest = new Guest(actions)
		.give('{"do":"log","why":"x"}\n', '{"do":"both"}\n')
		.endInput()
		.start();
	expect(guest.out()).toBe('{"do":"both"}\n');
	expect([...guest.iovecCounts]).toEqual([1]);
});

test("a trap says why on stderr", () => {
	const guest = tracked(actions);
	guest.give('{"do":"trap"}\n');
	expect(() => guest.pump()).toThrow(WebAssembly.RuntimeError);
	expect(guest.err()).toBe("Index out of range\n");
});
