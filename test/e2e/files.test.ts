import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { reading } from "./clients.js";
import { OVERHEAT, scratch } from "./processes.js";

const folder = scratch();
const MAIN = fileURLToPath(new URL("../../build/bin/main.js", import.meta.url));

test.each([1, 2])(
	"files, stdin and stdout in one gateway, no broker (threads: %i)",
	(threads) => {
		const readings = Array.from({ length: 3000 }, (_, n) =>
			reading(n, n % 6 === 0 ? 99 : 20),
		);
		const input = `${readings.join("\n")}\n`;
		writeFileSync(join(folder, "in.ndjson"), input);
		const file = join(folder, `files-${threads}.yaml`);
		const out = join(folder, `out-${threads}.ndjson`);
		writeFileSync(
			file,
			`threads: ${threads}
quarantine: { dir: ${folder} }
pipelines:
  file: { from: { file: in.ndjson }, filter: { module: ${OVERHEAT} }, to: { file: ${out} } }
  pipe: { from: { stdin: true }, filter: { module: ${OVERHEAT} }, to: { stdout: true } }
`,
		);
		const { status, stdout, stderr } = spawnSync(
			process.execPath,
			[MAIN, "run", file],
			{ input, encoding: "utf8" },
		);
		expect(stderr).toMatch(/file: taken 3000 = emitted 500 .* open 0/);
		expect(stderr).toMatch(/pipe: taken 3000 = emitted 500 .* open 0/);
		expect(status).toBe(0);
		expect(stdout.split("\n")).toHaveLength(501);
		expect(readFileSync(out, "utf8")).toBe(stdout);
	},
);
