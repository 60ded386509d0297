/**
 * A device: the packed package without what only authors need still runs a gateway on prebuilt
 * modules, and says what is missing when asked to build.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { finish, folder, ROOT } from "../cli/child.js";

it("runs a gateway without dev and optional packages", async () => {
	const cwd = folder();
	const packed = await finish(
		["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", cwd],
		{ cwd: ROOT },
	);
	expect(packed.code, packed.stderr).toBe(0);
	writeFileSync(join(cwd, "package.json"), '{"private":true}');
	const [{ filename }] = JSON.parse(packed.stdout);
	const installed = await finish(
		["npm", "install", "--omit=dev", "--omit=optional", `./${filename}`],
		{ cwd },
	);
	expect(installed.code, installed.stderr).toBe(0);
	for (const name of ["assemblyscript", "aedes", "typescript"])
		expect(existsSync(join(cwd, "node_modules", name)), name).toBe(false);

	const inside = join(cwd, "node_modules/wasieve");
	const ran = await finish(
		["npx", "wasieve", "run", join(inside, "examples/office.yaml")],
		{ cwd },
	);
	expect(ran.code, ran.stderr).toBe(0);
	expect(ran.stdout).toContain('"alert_type":"high_temperature"');

	const built = await finish(
		["npx", "wasieve", "build", join(inside, "assembly/filters/overheat.ts")],
		{ cwd },
	);
	expect(built.code).toBe(1);
	expect(built.stderr).toContain("error E_BUILD_MISSING: ");
});
