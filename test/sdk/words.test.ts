/** assembly/words.ts: the bytes are the text behind them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const source = readFileSync(
	new URL("../../assembly/words.ts", import.meta.url),
	"utf8",
);
const rows = [...source.matchAll(/^ {2}(\d+), ([\d, ]+), \/\/ (.*)\|$/gm)];
const text = (bytes: string) =>
	Buffer.from(bytes.split(", ").map(Number)).toString();

test("every row says what its comment says", () => {
	expect(rows.length).toBe(36);
	for (const [, length, bytes, comment] of rows as unknown as string[][]) {
		expect(text(bytes as string)).toBe(comment?.replace("\\n", "\n"));
		expect(bytes?.split(", ").length).toBe(Number(length));
	}
});

test("every constant is the number of its row", () => {
	// The words stand behind an alert's pieces.
	const words = rows.slice(5);
	const told = words.map(([, , bytes]) => text(bytes as string).toUpperCase());
	const constants = [...source.matchAll(/^export const ([A-Z_]+) = (\d+);$/gm)];
	expect(constants.length).toBe(20);
	for (const [, name, n] of constants) {
		const word = (name as string)
			.replace(/^(AN?)_/, "$1 ")
			.split("_")[0] as string;
		const said = told[Number(n)] as string;
		const known = {
			WAS: "EXPECTED",
			AT: "AT BYTE",
			SEMICOLON: ";",
			TOO: "LONGER",
			HELLO: "H1",
			NOT: n === "11" ? "NOT JSON" : "PARAM()",
			SMALLER: "ENVIRONMENT",
		};
		expect(said).toContain(known[word as keyof typeof known] ?? word);
	}
});

test("what stands in front of the words is where the constants say", () => {
	const array = source.slice(source.indexOf("[") + 1, source.indexOf("]);"));
	const bytes = array
		.replace(/\/\/.*$/gm, "")
		.split(",")
		.map(Number);
	const at = (name: string) =>
		Number(
			source.match(`export const ${name} = texts(?: \\+ (\\d+))?;`)?.[1] ?? 0,
		);
	const utf16 = (from: number) =>
		Buffer.from(bytes.slice(from, from + (bytes[from - 4] ?? 0))).toString(
			"utf16le",
		);
	expect(utf16(at("DEVICE_ID"))).toBe("device_id");
	expect(utf16(at("TIMESTAMP"))).toBe("timestamp");
	expect(text(bytes.slice(at("alertPieces") + 1).join(", "))).toMatch(
		/^{"device_id":/,
	);
	expect(text(bytes.slice(at("words") + 1).join(", "))).toMatch(/^value/);
});
