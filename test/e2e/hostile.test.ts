/** The nastiest of test/hostile; all of them: test/long/hostile.test.ts. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gatewayFlaws } from "../hostile/gateway.js";
import { hostileModules } from "../hostile/modules.js";
import { checkFlaws, execFlaws, run } from "../hostile/runs.js";
import { freePort, OVERHEAT, scratch, startMosquitto } from "./processes.js";

const folder = scratch();
const modules = await hostileModules(readFileSync(OVERHEAT));
const named = (names: readonly string[]) =>
	names.map((wanted) => {
		const found = modules.find(({ name }) => name === wanted);
		if (found === undefined) throw new Error(`there is no ${wanted}`);
		return found;
	});

test("a good pipeline beside loops, floods, liars and trappers loses nothing", async () => {
	const port = await freePort();
	await startMosquitto(folder, port);
	const beside = named([
		"loop-after-reading",
		"start-section-grow",
		"recursion-with-locals",
		"flood-after-reading",
		"flood-stderr",
		"exit-after-reading",
		"throws-its-own",
		"pointers-poll_oneoff",
		"liar-no-hello",
		"liar-hello-every-1e400",
		"liar-hello-again-other-version",
		"liar-consumed-too-many",
		"liar-consumed-never",
		"liar-rejects-a-thousand-times",
		"liar-suffix-endless",
		"liar-record-of-megabytes",
		"liar-record-byte-by-byte",
		"liar-traps",
		"liar-exits",
		"liar-starts-again",
	]);
	expect(await gatewayFlaws(folder, port, beside)).toEqual([]);
});

test.each(
	named([
		"zero-bytes",
		"trailing-garbage",
		"import-line-end",
		"import-proto",
		"loops-nested-10000",
		"memory-4-gib",
		"start-takes-arguments",
		"unreachable-at-once",
		"flood-stdout",
		"flood-stderr",
		"throws-its-own",
	]).map((module) => [module.name, module] as const),
)("check and exec say in a line what %s is", async (_, module) => {
	const [checked, executed] = await Promise.all([
		run("check", folder, module),
		run("exec", folder, module),
	]);
	expect(checkFlaws(module, checked)).toEqual([]);
	expect(execFlaws(module, executed)).toEqual([]);
});
