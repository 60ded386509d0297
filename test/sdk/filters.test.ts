/** The examples in the headers of the shipped filters, run on the compiled modules. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { data, Guest, RS, run, shipped, tracked } from "./guest.js";

const folder = fileURLToPath(
	new URL("../../assembly/filters/", import.meta.url),
);

interface Example {
	env: Record<string, string>;
	/** What goes in, control records included, and what must come out. */
	steps: { in: string; out: string[] }[];
}

/** The lines `param:`, `time:`, `in:`, `out:`, `drop:`, `reject:`, `end:` of a header comment. */
function example(source: string): Example {
	const header = source.slice(0, source.indexOf("*/"));
	const env: Record<string, string> = {};
	const steps: Example["steps"] = [];
	for (const [, kind, text] of header.matchAll(
		/^ \* (param|time|in|out|drop|reject|end): +(.*)$/gm,
	) as Iterable<[string, string, string]>) {
		const last = steps.at(-1);
		if (kind === "param") Object.assign(env, parameter(text));
		else if (kind === "time") steps.push({ in: `${RS}t${text}\n`, out: [] });
		else if (kind === "in") steps.push({ in: `${text}\n`, out: [] });
		else if (kind === "end") steps.push({ in: `${RS}E\n`, out: [] });
		else if (kind === "out") last?.out.push(text);
		else last?.out.push(`${RS}${kind === "drop" ? "d" : "r"}0 ${text}`);
	}
	return { env, steps };
}

function parameter(text: string): Record<string, string> {
	const equals = text.indexOf("=");
	return { [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** Lines without the records that say only which reading was meant, and that it is done. */
function told(out: string): string[] {
	const lines = out.split("\n").slice(0, -1);
	return lines.filter((line) => line[0] !== RS || !/[@c]/.test(line[1] ?? ""));
}

describe.each(readdirSync(folder).filter((name) => name.endsWith(".ts")))(
	"%s",
	async (file) => {
		const source = readFileSync(folder + file, "utf8");
		const { env, steps } = example(source);
		const module = await shipped(file.replace(".ts", ""));

		test("has examples, and 20 to 60 lines of its own", () => {
			expect(steps.length).toBeGreaterThan(2);
			expect(steps.some(({ out }) => out.length > 0)).toBe(true);
			expect(source.split("\n").length).toBeLessThan(75);
		});

		test("does what its header says, step by step", () => {
			const guest = tracked(module, { env });
			guest.out();
			for (const step of steps) {
				const out = told(guest.give(step.in).pump().out());
				const expected = step.out;
				if (expected.some((line) => line.startsWith(RS)))
					expect(out, step.in).toEqual(expected);
				else
					expect(
						out.filter((line) => line[0] !== RS),
						step.in,
					).toEqual(expected);
			}
		});

		test("says the same in one batch, and in plain mode", () => {
			const all = steps.map((step) => step.in).join("");
			const expected = steps.flatMap(({ out }) =>
				out.filter((line) => line[0] !== RS),
			);
			const out = data(tracked(module, { env }).give(all).pump().out());
			expect(out.split("\n").slice(0, -1)).toEqual(expected);
			if (all.includes(`${RS}t`)) return;
			expect(run(module, all.replace(`${RS}E\n`, ""), { env }).out).toBe(out);
		});
	},
);

test("a filter asks for what it uses and nothing else", async () => {
	const hello = async (name: string) =>
		new Guest(await shipped(name)).give(`${RS}h1 pump\n`).start().out();
	expect(await hello("overheat")).toBe(`${RS}h1 max=65536\n`);
	expect(await hello("every-minute")).toBe(
		`${RS}h1 max=65536 time every=60000\n`,
	);
});
