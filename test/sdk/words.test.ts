/** assembly/words.ts: the bytes are the text behind them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const source = readFileSync(
	new URL("../../assembly/words.ts", import.meta.url),
	"utf8",
);
const rows = [...source.matchAll(/^ {2}([\d, ]+), 0, \/\/ (.*)\|$/gm)];
const text = (bytes: string) =>
	Buffer.from(bytes.split(", ").map(Number)).toString();

test("every row says what its comment says", () => {
	expect(rows.length).toBe(36);
	for (const [, bytes, comment] of rows as unknown as [
		string,
		string,
		string,
	][])
		expect(text(bytes)).toBe(comment.replace("\\n", "\n"));
});

test("every constant is the number of its row", () => {
	const told = rows.map(([, bytes]) => text(bytes as string).toUpperCase());
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
