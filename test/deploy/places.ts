import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { finish, ROOT } from "../cli/child.js";

export const DEPLOY = join(ROOT, "deploy");

export function read(file: string): string {
	return readFileSync(join(ROOT, file), "utf8");
}

// biome-ignore lint/suspicious/noExplicitAny: a document of another tool's making
export function readYaml(file: string): any {
	return parse(read(file), { merge: true });
}

/** A copy of a file of deploy/, with the places of an image or a machine replaced by others; its path. */
export function placed(
	folder: string,
	file: string,
	places: Readonly<Record<string, string>>,
): string {
	let text = read(join("deploy", file));
	for (const [from, to] of Object.entries(places))
		text = text.replaceAll(from, to);
	const copy = join(folder, file);
	mkdirSync(dirname(copy), { recursive: true });
	writeFileSync(copy, text, {
		mode: statSync(join(DEPLOY, file)).mode & 0o777,
	});
	return copy;
}

/** Whether a tool that checks a file is there; says so when it is not. */
export function has(tool: string, from: string, asks = "--version"): boolean {
	const found = spawnSync(tool, [asks], { env: pathed() }).status === 0;
	if (!found) console.warn(`skipped: ${tool} is not there (${from})`);
	return found;
}

/** Debian keeps daemons where an ordinary PATH does not look. */
export function pathed(): NodeJS.ProcessEnv {
	return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}

/** What deploy/secrets.sh makes, in a folder of its own; its path. */
export async function makeSecrets(folder: string): Promise<string> {
	const script = placed(folder, "secrets.sh", {});
	const env = { ...pathed(), MOSQUITTO_PASSWD: "mosquitto_passwd" };
	const made = await finish([script, "edge.local", "192.0.2.7"], { env });
	if (made.code !== 0) throw new Error(made.stderr);
	return join(folder, "secrets");
}
