// Compiles json-as.ts as json-as's own documentation says, with 8 bytes at a time (its default) or SIMD.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratchFolder } from "../children.mjs";
import { ROOT } from "../subjects.mjs";

/**
 * @param {boolean} simd
 * @returns {Buffer} the module
 * @throws when json-as is not installed, or does not compile
 */
export function jsonAs(simd) {
	const asc = import.meta.resolve("assemblyscript/asc");
	const out = join(scratchFolder(), "json-as.wasm");
	const args = [
		fileURLToPath(new URL("../bin/asc.js", asc)),
		...["bench/rivals/json-as.ts", "-o", out],
		...["--config", "bench/rivals/asconfig.json"],
		...(simd ? ["--enable", "simd"] : []),
	];
	execFileSync(process.execPath, args, {
		cwd: ROOT,
		// The transform takes its mode from the environment.
		env: { ...process.env, JSON_MODE: simd ? "SIMD" : "SWAR" },
		stdio: ["ignore", "ignore", "pipe"],
	});
	return readFileSync(out);
}
