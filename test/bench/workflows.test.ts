import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../house/sources.js";

const FOLDER = join(ROOT, ".github/workflows");
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7";

/** Path of actionlint, built from the Go module proxy once, or why there is none. */
function actionlint(): { program: string } | { why: string } {
	const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
	const bin = join(cache, "wasieve", "actionlint-1.7.7");
	const program = join(bin, "actionlint");
	if (existsSync(program)) return { program };
	if (spawnSync("go", ["version"]).status !== 0)
		return { why: "Go is not installed" };
	try {
		mkdirSync(bin, { recursive: true });
		const env = { ...process.env, GOBIN: bin };
		execFileSync("go", ["install", ACTIONLINT], {
			env,
			stdio: "ignore",
			timeout: 100_000,
		});
		return { program };
	} catch {
		return { why: `${ACTIONLINT} cannot be built` };
	}
}

const linter = actionlint();
if ("why" in linter)
	console.warn(`bench: workflows are not linted, ${linter.why}`);
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yml"));

/** Every `uses:` with the comment behind it. */
function actionsOf(name: string): string[] {
	const text = readFileSync(join(FOLDER, name), "utf8");
	return [...text.matchAll(/uses: *(.*)/g)].map(([, used = ""]) => used);
}

describe.each(names)("workflow %s", (name) => {
	it("pins actions by SHA and says which version that is", () => {
		for (const used of actionsOf(name))
			expect(used).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
	});

	it("may read, and no more unless a job says so", () => {
		const text = readFileSync(join(FOLDER, name), "utf8");
		expect(parse(text).permissions).toEqual({ contents: "read" });
	});

	it("calls only scripts that exist", () => {
		const text = readFileSync(join(FOLDER, name), "utf8");
		const { scripts } = JSON.parse(
			readFileSync(join(ROOT, "package.json"), "utf8"),
		);
		const called = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)];
		for (const [, script = ""] of called)
			expect(scripts, script).toHaveProperty([script]);
	});

	it.skipIf("why" in linter)("is clean for actionlint", () => {
		const { program } = linter as { program: string };
		const path = join(FOLDER, name);
		const ran = spawnSync(program, ["-no-color", path], { encoding: "utf8" });
		expect(ran.stdout + ran.stderr).toBe("");
		expect(ran.status).toBe(0);
	});
});

it("every suite runs in some workflow", () => {
	const { scripts } = JSON.parse(
		readFileSync(join(ROOT, "package.json"), "utf8"),
	);
	const texts = [
		...names.map((name) => join(FOLDER, name)),
		join(ROOT, ".ci/run"),
	]
		.map((path) => readFileSync(path, "utf8"))
		.join("\n");
	const { jobs } = parse(readFileSync(join(FOLDER, "long.yml"), "utf8"));
	const suites = jobs.suite.strategy.matrix.include.map(
		({ suite }: { suite: string }) => `test:${suite}`,
	);
	for (const suite of suites) expect(scripts).toHaveProperty([suite]);
	const own = Object.keys(scripts).filter((name) => name.startsWith("test:"));
	const left = own.filter(
		(name) => !suites.includes(name) && !texts.includes(`npm run ${name}`),
	);
	expect(left).toEqual([]);
});

it("what comments on a pull request runs nothing of it", () => {
	const text = readFileSync(join(FOLDER, "comment.yml"), "utf8");
	expect(text).not.toMatch(/actions\/checkout|npm |node /);
	expect(actionsOf("comment.yml").map((used) => used.split("@")[0])).toEqual([
		"actions/download-artifact",
	]);
});

it("there are workflows for tests and for the benchmark", () => {
	expect(names).toEqual(expect.arrayContaining(["bench.yml", "test.yml"]));
});
