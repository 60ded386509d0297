/**
 * A stranger's five minutes: the packed package, `wasieve new`, a real npm install from the
 * tarball, and every command of the new folder's README but those that need a broker.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { finish, folder, ROOT, wasieve } from "../cli/child.js";
import { commands } from "../cli/readme.js";

it("makes a project whose README commands work from the packed package", async () => {
	const cwd = folder();
	const packed = await finish(
		["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", cwd],
		{ cwd: ROOT },
	);
	expect(packed.code, packed.stderr).toBe(0);
	const [{ filename }] = JSON.parse(packed.stdout);
	const made = await wasieve(
		["new", "too-hot", "--wasieve", `file:${join(cwd, filename)}`],
		{ cwd },
	);
	expect(made.code, made.stderr).toBe(0);

	const dir = join(cwd, "too-hot");
	const told = commands(readFileSync(join(dir, "README.md"), "utf8"));
	expect(told.slice(0, 3)).toEqual([
		"npm install",
		"npm test",
		"npm run check",
	]);
	for (const command of told.filter((each) => !each.includes("wasieve run"))) {
		const ran = await finish(["sh", "-c", command], { cwd: dir });
		expect(ran.code, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0);
		if (command.startsWith("echo"))
			expect(ran.stdout).toContain('"alert_type":"high_temperature"');
	}
});
