import { readFileSync } from "node:fs";

/** package.json of this package, three floors above build/host/cli. */
export function packageJson(): {
	version: string;
	engines: { node: string };
	optionalDependencies: Record<string, string>;
} {
	const file = new URL("../../../package.json", import.meta.url);
	return JSON.parse(readFileSync(file, "utf8"));
}

export function version(): string {
	return packageJson().version;
}
