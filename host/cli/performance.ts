import { existsSync } from "node:fs";
import { digestOf } from "../pack/digest.js";
import { readInput } from "../store/whole.js";
import type { PerformanceLabel } from "./label.js";
import { usage } from "./report.js";

/** It travels with every pull of the manifest, so it has to be small. */
const MAX = 4096;

interface Found {
	file: string;
	label: unknown;
}

/**
 * The performance label of a module: the file that is named, or the one that lies beside the module,
 * `overheat.label.json` beside `overheat.wasm`; undefined when there is neither. A label of `wasieve bench` must be
 * that module's: E_USAGE otherwise, as for what is no JSON or has more than 4096 bytes.
 */
export function performanceOf(
	path: string,
	module: Buffer,
	named: string | undefined,
): Found | undefined {
	const beside = path.replace(/\.wasm$/, ".label.json");
	const file = named ?? (beside !== path && existsSync(beside) ? beside : "");
	if (file === "") return undefined;
	const label = read(file);
	const { schema, digest } = (label ?? {}) as Partial<PerformanceLabel>;
	if (schema !== "wasieve-label/1" || digest === digestOf(module))
		return { file, label };
	throw usage(
		"pack",
		`the performance label ${file} is of another module: measure again, with \`wasieve bench --json\``,
	);
}

function read(file: string): unknown {
	const text = readInput(
		file,
		"E_FILE_READ",
		"--performance names a JSON file",
	);
	let label: unknown;
	try {
		label = JSON.parse(text.toString());
	} catch {
		throw usage("pack", `the performance label ${file} is not JSON`);
	}
	if (JSON.stringify(label).length <= MAX) return label;
	throw usage(
		"pack",
		`the performance label ${file} has more than ${MAX} bytes`,
	);
}
