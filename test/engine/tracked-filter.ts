import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

/** test/fixtures/tracked/NAME.ts compiled: filters that speak tracked mode without the SDK. */
export async function trackedFixture(name: string): Promise<Uint8Array> {
	const path = fileURLToPath(
		new URL(`../fixtures/tracked/${name}.ts`, import.meta.url),
	);
	let wasm: Uint8Array | undefined;
	const { error, stderr } = await asc.main(
		[
			"main.ts",
			"-o",
			"main.wasm",
			"-O",
			"--exportStart",
			"_start",
			"--use",
			"abort=",
		],
		{
			readFile: (file) =>
				file === "main.ts" ? readFileSync(path, "utf8") : null,
			writeFile: (file, contents) => {
				if (file === "main.wasm") wasm = contents as Uint8Array;
			},
			listFiles: () => [],
		},
	);
	if (error || wasm === undefined) throw error ?? new Error(stderr.toString());
	return wasm;
}
