/** The short form of test/long/new-project.test.ts: this build instead of an npm install. */
import {
	appendFileSync,
	mkdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { finish, folder, MAIN, ROOT, wasieve } from "./child.js";
import { commands } from "./readme.js";

it("makes a project whose README commands work", async () => {
	const cwd = folder();
	await wasieve(["new", "too-hot"], { cwd });
	const dir = join(cwd, "too-hot");
	linkPackages(dir);
	const told = commands(readFileSync(join(dir, "README.md"), "utf8"));
	expect(told.length).toBeGreaterThan(4);
	// npm install is the links' part, and `run` needs a broker: test/cli/run.test.ts
	const here = told.filter((each) => !/npm install|wasieve run/.test(each));
	for (const command of here) {
		const ran = await finish(["sh", "-c", command], { cwd: dir });
		expect(ran.code, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0);
		if (command.startsWith("echo"))
			expect(ran.stdout).toContain('"alert_type":"high_temperature"');
	}
});

it("has a test that fails when the filter is wrong", async () => {
	const cwd = folder();
	await wasieve(["new", "too-hot"], { cwd });
	const dir = join(cwd, "too-hot");
	linkPackages(dir);
	const source = join(dir, "src/filter.ts");
	writeFileSync(
		source,
		readFileSync(source, "utf8").replace(" > limit", " < limit"),
	);
	const ran = await finish(["npm", "test"], { cwd: dir });
	expect(ran.code).not.toBe(0);
	expect(ran.stdout, ran.stderr).toMatch(/fail 2/);
});

it("takes the filter of the README as it stands, and fails when readings are rejected", async () => {
	const cwd = folder();
	await wasieve(["new", "too-hot"], { cwd });
	const dir = join(cwd, "too-hot");
	linkPackages(dir);
	const readme = readFileSync(join(ROOT, "README.md"), "utf8");
	const shown = readme.match(/```ts\n([\s\S]*?)```/)?.[1] as string;
	writeFileSync(join(dir, "src/filter.ts"), shown);
	const green = await finish(["npm", "test"], { cwd: dir });
	expect(green.code, green.stdout).toBe(0);
	const fixture = join(dir, "test/in.ndjson");
	appendFileSync(fixture, '{"temperature":20}\n');
	const red = await finish(["npm", "test"], { cwd: dir });
	expect(red.code).not.toBe(0);
	expect(red.stdout).toContain("reading 5 rejected: humidity: missing");
});

/** What npm install would do. */
function linkPackages(dir: string): void {
	mkdirSync(join(dir, "node_modules/.bin"), { recursive: true });
	symlinkSync(ROOT, join(dir, "node_modules/wasieve"));
	symlinkSync(
		join(ROOT, "node_modules/assemblyscript"),
		join(dir, "node_modules/assemblyscript"),
	);
	writeFileSync(
		join(dir, "node_modules/.bin/wasieve"),
		`#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`,
		{ mode: 0o755 },
	);
}
