import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

/**
 * What npm is asked for in `dir` to get the package that lies in `root` once more: in a checkout the folder, which npm
 * links to; of an installed package the tarball that it came from, or its version where that was a registry.
 */
export function specFrom(root: string, version: string, dir: string): string {
	const [, place, name] = INSTALLED.exec(root) ?? [];
	if (place === undefined) return fileSpec(dir, root);
	const from = resolvedIn(join(place, "node_modules"), `node_modules/${name}`);
	if (!from?.startsWith("file:")) return `^${version}`;
	const tarball = resolve(place, from.slice("file:".length));
	// It may have been a download; what was made of it works as well.
	return fileSpec(dir, existsSync(tarball) ? tarball : root);
}

/** The folder with the package among its node_modules. */
const INSTALLED = /^(.*)[\\/]node_modules[\\/]([^\\/]+)$/;

function fileSpec(dir: string, path: string): string {
	return `file:${relative(dir, path)}`;
}

/** Where npm had a package from, as it notes beside the packages that it installs. */
function resolvedIn(folder: string, key: string): string | undefined {
	try {
		const noted = readFileSync(join(folder, ".package-lock.json"), "utf8");
		const resolved = JSON.parse(noted).packages[key].resolved;
		return typeof resolved === "string" ? resolved : undefined;
	} catch {
		return undefined; // another installer's
	}
}
