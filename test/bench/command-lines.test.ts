import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareFiles } from "../../bench/compare.mjs";
import { historyVerb } from "../../bench/history.mjs";
import { writeReport } from "../../bench/report.mjs";
import { writeTables } from "../../bench/tables.mjs";
import { ROOT } from "../cli/child.js";

/** No npm on the path: who builds first ends with something else. */
function bench(...args: string[]) {
	const run = [join(ROOT, "bench/run.mjs"), ...args];
	return new Promise<{ code: unknown; stdout: string; stderr: string }>(
		(resolve) => {
			const options = { env: { PATH: "/nowhere" } };
			execFile(process.execPath, run, options, (error, stdout, stderr) =>
				resolve({ code: error?.code ?? 0, stdout, stderr }),
			);
		},
	);
}

describe("npm run bench", () => {
	it("answers --help without a build", async () => {
		const { code, stdout, stderr } = await bench("--help");
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
		expect(stdout).toMatch(/^npm run bench -- \[flags\]\n/);
	});

	it.each([
		[["--group", "sise"], "bench: --group sise: capacity, "],
		[["--wat"], "--wat"],
		[["--rounds", "0"], "--rounds 0"],
		[["--gate", "some"], "--gate some"],
	])("ends with 2 on %j, without a build", async (args, said) => {
		const { code, stdout, stderr } = await bench(...args);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
		expect(stderr).toContain(said);
		expect(stderr).toContain("npm run bench -- --help");
	});

	it("builds what it measures, unless told that it is built", async () => {
		const { code, stderr } = await bench("--group", "size");
		expect(code).toBe(1);
		expect(stderr).toContain("npm ENOENT");
	});
});

describe.each([
	["compare", compareFiles],
	["history", historyVerb],
	["report", writeReport],
	["tables", writeTables],
])("npm run bench:%s", (name, run) => {
	it("answers --help", () => {
		const said: string[] = [];
		const print = (text: string) => void said.push(text);
		const refuse = (text: string) => expect.unreachable(text);
		expect(run(["--help"], print, refuse)).toBe(0);
		expect(said.join("\n")).toContain(`npm run bench:${name} -- `);
	});

	it("shows the same beside what is wrong", () => {
		const said: string[] = [];
		const tell = (text: string) => void said.push(text);
		expect(run(["--wat"], tell, tell)).toBe(2);
		expect(said.join("\n")).toContain("--wat");
		expect(said.join("\n")).toContain(`npm run bench:${name} -- `);
	});
});
