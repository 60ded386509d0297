/** What becomes of a program whose stdin or stdout is not what it should be. */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { reading } from "./clients.js";
import { OVERHEAT, scratch } from "./processes.js";

const MAIN = fileURLToPath(new URL("../../build/bin/main.js", import.meta.url));
const folder = scratch();
const full = existsSync("/dev/full");
if (!full) console.log("skipped: there is no /dev/full to be full");

/** A shell's command line with `wasieve` in it. */
function shell(line: string): Promise<{ code: number; stderr: string }> {
	const command = line.replaceAll("wasieve", `"${process.execPath}" "${MAIN}"`);
	return new Promise((resolve) => {
		execFile("sh", ["-c", command], { cwd: folder }, (error, _, stderr) =>
			resolve({ code: Number(error?.code ?? 0), stderr }),
		);
	});
}

writeFileSync(
	join(folder, "in.ndjson"),
	`${reading(1, 99)}\n${reading(2, 20)}\n${reading(3, 99)}\n`,
);
writeFileSync(
	join(folder, "full.yaml"),
	`http: false
pipelines:
  full: { from: { file: in.ndjson }, filter: { module: ${OVERHEAT} }, to: stdout }
`,
);

test.skipIf(!full)(
	"run: what a full disk does not take is counted and kept",
	async () => {
		const { stderr } = await shell("wasieve run full.yaml > /dev/full");
		expect(stderr).toMatch(/E_FILE_WRITE/);
		expect(stderr).toMatch(/full: taken 3 = .* failed 2 \+ open 0/);
		expect(stderr).not.toMatch(/^\s+at /m);
	},
);

test.skipIf(!full)("exec: a full disk is no trap of the filter's", async () => {
	const { code, stderr } = await shell(
		`wasieve exec ${OVERHEAT} < in.ndjson > /dev/full`,
	);
	expect(stderr).toMatch(/^wasieve: E_FILE_WRITE: .*ENOSPC\)\n$/);
	expect(code).toBe(1);
});

test("exec: a folder for stdin is no trap of the filter's", async () => {
	const { code, stderr } = await shell(`wasieve exec ${OVERHEAT} < .`);
	expect(stderr).toMatch(/^wasieve: E_FILE_READ: .*EISDIR\)\n$/);
	expect(code).toBe(1);
});
