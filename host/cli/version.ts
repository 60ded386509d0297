import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

/** package.json of this package, found by its name: this file runs from build/host and, bundled, from build/bin. */
function packageFile(): string {
	return createRequire(import.meta.url).resolve("wasieve/package.json");
}

/** The folder of this package: what it ships beside the host is found from there. */
export function packageFolder(): string {
	return dirname(packageFile());
}

export function packageJson(): {
	version: string;
	engines: { node: string };
	optionalDependencies: Record<string, string>;
} {
	return JSON.parse(readFileSync(packageFile(), "utf8"));
}

export function version(): string {
	return packageJson().version;
}
