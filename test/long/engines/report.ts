import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../cli/child.js";

/** What the suite found out about an engine. */
export interface Row {
	engine: string;
	version: string;
	passed: number;
	failed: number;
	/** ms from start() until the filter asks for input, median. */
	start: number;
	/** Readings a second. */
	rate: number;
	/** Peak resident memory of its process; 0 for the embedded engine, which has none. */
	memory: number;
}

const BEGIN = "<!-- begin: written by npm run test:engines -->";
const END = "<!-- end -->";

/** Puts the table into docs/engines.md. */
export function report(
	rows: readonly Row[],
	absent: readonly [engine: string, why: string][],
	where: string,
): void {
	const file = join(ROOT, "docs/engines.md");
	const text = readFileSync(file, "utf8");
	const [before, rest = ""] = text.split(BEGIN);
	const after = rest.split(END)[1] ?? "\n";
	const parts = [
		`${where}\n`,
		"| engine | version | arch | tests | start | readings/s | memory |",
		"|---|---|---|---|---|---|---|",
		...rows.map(line),
		"",
		...absent.map(([engine, why]) => `- \`${engine}\` was not run: ${why}.`),
	];
	writeFileSync(file, `${before}${BEGIN}\n${parts.join("\n")}\n${END}${after}`);
}

function line(row: Row): string {
	const { passed, failed } = row;
	const found = failed > 0 ? `**${failed} failed**` : `${passed} passed`;
	const tests = passed + failed > 0 ? found : "the reference";
	const memory =
		row.memory > 0 ? `${(row.memory / 1e6).toFixed(0)} MB` : "in process";
	const cells = [
		`\`${row.engine}\``,
		row.version,
		process.arch,
		tests,
		`${row.start.toFixed(0)} ms`,
		Math.round(row.rate / 1000) * 1000,
		memory,
	];
	return `| ${cells.join(" | ")} |`;
}
