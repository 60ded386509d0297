import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { finish, folder, MAIN, ROOT } from "./child.js";
import { commands } from "./readme.js";

/** Commands that are not run here, and where they are. */
const ELSEWHERE: Readonly<Record<string, string>> = {
	"npm ci && npm start":
		"test/cli/demo.test.ts runs the demo; .ci/run installs",
	"npm ci && npm test": ".ci/run",
	"cd ../too-hot && npm install && npm test": "test/long/new-project.test.ts",
	"npx wasieve run examples/gateway.yaml":
		"test/cli/run.test.ts, on a broker of its own",
	"npm ci --omit=dev --omit=optional": "test/long/device.test.ts",
};

/** What a command prints, where there is more to say than that it succeeds. */
const PRINTS: Readonly<Record<string, RegExp>> = {
	"npx wasieve check build/overheat.wasm": /fd_read/,
	"npx wasieve exec build/overheat.wasm --param LIMIT=23 < examples/office-climate.ndjson":
		/^\{"device_id":"office-1","alert_type":"high_temperature","value":23\.7,"timestamp":1422886740000\}\n/,
	"npx wasieve exec build/every-minute.wasm --time-field timestamp < examples/office-climate.ndjson":
		/^\{"device_id":"office-1","field":"temperature","mean":23\.709,"count":2,"timestamp":1422886860000\}\n/,
	"npx wasieve run examples/office.yaml": /"alert_type":"high_temperature"/,
};

/** Commands that write beside the folder they are run in. */
const WRITES = new Set(["npx wasieve new ../too-hot"]);

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const told = commands(README);

describe("README.md", () => {
	it("begins with the two commands", () => {
		expect(told.slice(0, 2)).toEqual([
			"npm ci && npm start",
			"npm ci && npm test",
		]);
	});

	it("has every command that the lists above name", () => {
		expect(told).toEqual(
			expect.arrayContaining([
				...Object.keys(ELSEWHERE),
				...Object.keys(PRINTS),
				...WRITES,
			]),
		);
	});

	it.each(told.filter((command) => !Object.hasOwn(ELSEWHERE, command)))(
		"%s",
		async (command) => {
			const line = command.replaceAll(
				"npx wasieve",
				`"${process.execPath}" "${MAIN}"`,
			);
			const cwd = WRITES.has(command) ? join(folder(), "clone") : ROOT;
			mkdirSync(cwd, { recursive: true });
			const ran = await finish(["sh", "-c", line], { cwd });
			expect(ran.code, ran.stderr).toBe(0);
			expect(ran.stdout).toMatch(PRINTS[command] ?? /./);
		},
	);

	it("shows a config that is examples/gateway.yaml in short", () => {
		const shown = yamlKeys(README.match(/```yaml\n([\s\S]*?)```/)?.[1] ?? "");
		const full = yamlKeys(
			readFileSync(join(ROOT, "examples/gateway.yaml"), "utf8"),
		);
		expect(shown.length).toBeGreaterThan(5);
		expect(full).toEqual(expect.arrayContaining(shown));
	});

	it("shows a filter that is the shipped overheat", () => {
		const shown = code(README.match(/```ts\n([\s\S]*?)```/)?.[1] ?? "");
		expect(
			code(readFileSync(join(ROOT, "assembly/filters/overheat.ts"), "utf8")),
		).toContain(shown.slice(shown.indexOf("const limit")));
	});

	it("links only to files that are there", () => {
		const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(
			([, path]) => path as string,
		);
		expect(links.length).toBeGreaterThan(5);
		for (const path of links)
			expect(() => readFileSync(join(ROOT, path)), path).not.toThrow(/ENOENT/);
	});
});

/** Lines without comments and white space. */
function yamlKeys(text: string): string[] {
	return text
		.split("\n")
		.map((line) => line.replace(/\s+#.*$/, "").trim())
		.filter((line) => line !== "");
}

function code(text: string): string {
	return text.replace(/\s+/g, " ").trim();
}
