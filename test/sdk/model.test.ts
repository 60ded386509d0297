/** A reading means the same whatever came before it: scan() compares documents with the last one, find() remembers places. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fixture, type Guest, RS, shipped, tracked } from "./guest.js";

const filters = await Promise.all([
	shipped("overheat"),
	shipped("overheat", { simd: true }),
	fixture("nested"),
]);

const name = fc.constantFrom(
	"temperature",
	"humidity",
	"device_id",
	"temp\\u0065rature",
	"motor",
	"x",
);
const leaf = fc.oneof(
	fc.integer().map(String),
	fc
		.double({ noDefaultInfinity: true, noNaN: true })
		.map((n) => JSON.stringify(n)),
	fc.constantFrom("99", "-0.5e1", "01", "1.", "true", "nul", "[]", "{}", ""),
	fc.string({ maxLength: 20 }).map((text) => JSON.stringify(text)),
);
const inner = fc.oneof(
	leaf,
	fc.tuple(name, leaf).map(([key, value]) => `{"${key}":${value}}`),
	fc.array(leaf, { maxLength: 3 }).map((all) => `[${all.join(",")}]`),
);

/** Documents that share a shape, or nearly: the same names in the same order, values that differ, now and then another blank. */
const alike = fc.array(name, { maxLength: 5 }).chain((names) =>
	fc.array(
		fc
			.tuple(
				fc.array(inner, { minLength: 5, maxLength: 5 }),
				fc.array(fc.constantFrom("", "", "", " ", ","), {
					minLength: 7,
					maxLength: 7,
				}),
			)
			.map(
				([values, blanks]) =>
					`${blanks[5]}{${names.map((key, i) => `"${key}":${blanks[i]}${values[i]}`).join(",")}}${blanks[6]}`,
			),
		{ minLength: 1, maxLength: 6 },
	),
);
const other = fc.constantFrom("", "[1,2]", "[]", "{}", "5", "{", '{"x":1} 2');

function outcome(guest: Guest, lines: string[]): string {
	return guest
		.give(`${lines.join("\n")}\n`)
		.pump()
		.out();
}

/** What comes of a reading alone, in a batch of its own: nothing is before it. */
function alone(guest: Guest, line: string): string {
	return outcome(guest, [line])
		.replace(`${RS}c1\n`, "")
		.replace(`${RS}@0\n`, "");
}

const RECORD = new RegExp(`^${RS}([@rd])(\\d+)(.*\n)$`, "s");

/** The same of a batch: its records without their numbers, the readings still apart. */
function together(guest: Guest, lines: string[]): string[] {
	const said = outcome(guest, lines).replace(`${RS}c${lines.length}\n`, "");
	const each = lines.map(() => "");
	let at = 0;
	for (const line of said.split(/(?<=\n)/)) {
		const [, kind, n, rest] = RECORD.exec(line) ?? [];
		if (n !== undefined) at = Number(n);
		if (kind !== "@") each[at] += kind ? `${RS}${kind}0${rest}` : line;
	}
	return each;
}

test("a reading among others, like it or not, is read as it is alone", () => {
	const guests = filters.map((module) => {
		const guest = tracked(module);
		guest.out();
		return guest;
	});
	const batch = fc
		.array(fc.oneof(alike, fc.array(other, { maxLength: 2 })), { maxLength: 4 })
		.map((parts) => parts.flat())
		.filter((lines) => lines.length > 0);
	fc.assert(
		fc.property(batch, (lines) => {
			for (const guest of guests)
				expect(together(guest, lines)).toEqual(
					lines.map((line) => alone(guest, line)),
				);
		}),
		{ numRuns: 2000 },
	);
});
