import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const FOLDER = fileURLToPath(new URL("../fixtures/foreign/", import.meta.url));

const FEATURES = {
	reference_types: true,
	bulk_memory: true,
	sign_extension: true,
	simd: true,
	mutable_globals: true,
	exceptions: true,
};

/** The text format as bytes of a module. */
export async function assemble(text: string, name = "test.wat") {
	const { parseWat } = await wabt();
	const parsed = parseWat(name, text, FEATURES);
	const bytes = parsed.toBinary({}).buffer;
	parsed.destroy();
	return bytes;
}

/** test/fixtures/foreign/NAME.wat as bytes. */
export function fixture(name: string): Promise<Uint8Array> {
	const text = readFileSync(`${FOLDER}${name}.wat`, "utf8");
	return assemble(text, `${name.replaceAll("/", "-")}.wat`);
}

/** Names of the modules in a folder of test/fixtures/foreign. */
export function fixtures(folder = ""): string[] {
	return readdirSync(`${FOLDER}${folder}`)
		.filter((file) => file.endsWith(".wat"))
		.map((file) => `${folder}${folder && "/"}${file.slice(0, -4)}`);
}
