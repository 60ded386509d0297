/**
 * Over two hundred hostile modules through check, exec, and a gateway with a good pipeline beside them.
 * Not part of npm test: npx vitest run --config test/long/vitest.config.ts hostile
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
	freePort,
	kill,
	OVERHEAT,
	scratch,
	startMosquitto,
} from "../e2e/processes.js";
import { gatewayFlaws } from "../hostile/gateway.js";
import { hostileModules } from "../hostile/modules.js";
import { checkFlaws, execFlaws, run } from "../hostile/runs.js";

const folder = scratch();
const modules = await hostileModules(readFileSync(OVERHEAT));
/** Pipelines beside the good one; each module made elsewhere has a thread. */
const BESIDE = 20;

test("there are more than a hundred", () => {
	expect(modules.length).toBeGreaterThan(200);
	expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length);
});

describe.each(modules)("$name", (module) => {
	test("check", async () => {
		expect(checkFlaws(module, await run("check", folder, module))).toEqual([]);
	});
	test("exec", async () => {
		expect(execFlaws(module, await run("exec", folder, module))).toEqual([]);
	});
});

describe("in a gateway", () => {
	const running = modules.filter(({ end }) => end === "runs");
	const groups = Array.from(
		{ length: Math.ceil(running.length / BESIDE) },
		(_, k) => running.slice(k * BESIDE, (k + 1) * BESIDE),
	);

	test.each(groups.map((group) => [group[0]?.name, group] as const))(
		"from %s on: the good pipeline loses nothing",
		async (_, group) => {
			const port = await freePort();
			const broker = await startMosquitto(folder, port);
			expect(await gatewayFlaws(folder, port, group)).toEqual([]);
			await kill(broker);
		},
		120_000,
	);
});
