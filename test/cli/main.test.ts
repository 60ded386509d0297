import { describe, expect, it } from "vitest";
import { VERBS } from "#host/cli/verbs.js";
import { wasieve } from "./child.js";

const NAMES = Object.keys(VERBS);

describe("wasieve", () => {
	it("has the verbs of a filter's life", () => {
		expect(NAMES).toEqual([
			"new",
			"build",
			"check",
			"exec",
			"bench",
			"pack",
			"push",
			"pull",
			"inspect",
			"run",
			"health",
			"doctor",
			"demo",
		]);
	});

	it("--help lists every verb with its summary on stdout", async () => {
		const ran = await wasieve(["--help"]);
		expect(ran).toMatchObject({ code: 0, stderr: "" });
		expect(ran.stdout).toMatch(/^wasieve: .*\n\nusage: wasieve VERB/);
		for (const load of Object.values(VERBS)) {
			const { name, summary } = await load();
			expect(ran.stdout).toContain(`  ${name.padEnd(9)}${summary}\n`);
		}
	});

	it("help VERB is VERB --help", async () => {
		const asked = await wasieve(["exec", "--help"]);
		expect(await wasieve(["help", "exec"])).toEqual(asked);
		expect((await wasieve(["help", "exce"])).stderr).toContain("'exec'?");
	});

	it.each(["-h", "help"])("%s is --help", async (word) => {
		expect((await wasieve([word])).stdout).toContain("usage: wasieve VERB");
	});

	it("without a verb shows the help on stderr and fails", async () => {
		const ran = await wasieve([]);
		expect(ran).toMatchObject({ code: 2, stdout: "" });
		expect(ran.stderr).toContain("usage: wasieve VERB");
	});

	it.each(["--version", "-V"])(
		"%s says the package's version",
		async (flag) => {
			const { version } = (
				await import("../../package.json", { with: { type: "json" } })
			).default;
			expect(await wasieve([flag])).toMatchObject({
				code: 0,
				stdout: `wasieve ${version}\n`,
			});
		},
	);

	it.each([
		["chekc", ", did you mean 'check'?"],
		["buidl", ", did you mean 'build'?"],
		["Run", ", did you mean 'run'?"],
		["deploy", ""],
		["constructor", ""],
		["__proto__", ""],
		["--wat", ""],
		["", ""],
	])("refuses the verb '%s'", async (name, meant) => {
		expect(await wasieve([name])).toMatchObject({
			code: 2,
			stdout: "",
			stderr: `error E_USAGE: there is no verb '${name}'${meant}\n  hint: wasieve --help lists the verbs\n`,
		});
	});
});

describe.each(NAMES)("wasieve %s", (name) => {
	it.each(["--help", "-h"])(
		"%s says usage, exit codes and an example",
		async (flag) => {
			const ran = await wasieve([name, flag]);
			expect(ran).toMatchObject({ code: 0, stderr: "" });
			expect(ran.stdout).toMatch(new RegExp(`^usage: wasieve ${name}\\b`));
			expect(ran.stdout).toContain("Exit codes: ");
			expect(ran.stdout).toMatch(/\n {2}wasieve .*\n$|Example/);
		},
	);

	it("fits a wide terminal", async () => {
		const { help } = await (VERBS[name] as () => Promise<{ help: string }>)();
		for (const line of help.split("\n"))
			expect(line.length).toBeLessThanOrEqual(120);
	});

	it("refuses an unknown option", async () => {
		const ran = await wasieve([name, "--jsno"]);
		expect(ran).toMatchObject({ code: 2, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_USAGE: .*--jsno/);
		expect(ran.stderr).toContain(`hint: wasieve ${name} --help`);
		expect(ran.stderr).not.toMatch(/\n\s+at /);
	});
});
