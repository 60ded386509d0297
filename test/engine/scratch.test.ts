import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
	clearLeftovers,
	leftoversIn,
	makeScratch,
	noteImage,
} from "#host/engine/scratch.js";
import { ROOT, wasieve } from "../cli/child.js";
import { fixture } from "./wat.js";

let folder: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "wasieve-scratch-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that has made a folder with something in it, and waits. */
async function owner(parent = folder) {
	const source = `
		import { writeFileSync } from "node:fs";
		import { makeScratch } from ${JSON.stringify(join(ROOT, "build/host/engine/scratch.js"))};
		const made = await makeScratch(${JSON.stringify(parent)});
		writeFileSync(made + "/filter.wasm", "x");
		process.stdout.write(made);
		setInterval(() => {}, 1000);`;
	const child = spawn(process.execPath, [
		"--input-type=module",
		...["--eval", source],
	]);
	const [path] = await once(child.stdout, "data");
	return { child, path: String(path) };
}

async function killed(parent = folder): Promise<string> {
	const { child, path } = await owner(parent);
	child.kill("SIGKILL");
	await once(child, "exit");
	return path;
}

test("what a process that was killed left is removed, and nothing of one that lives", async () => {
	const dead = await killed();
	const { child, path } = await owner();
	const own = await makeScratch(folder);
	expect(leftoversIn(folder)).toEqual([
		{ path: dead, own: true, image: undefined },
	]);
	await clearLeftovers(folder);
	expect(existsSync(dead)).toBe(false);
	expect(readdirSync(folder).sort()).toEqual(
		[basename(own), basename(path)].sort(),
	);
	child.kill("SIGKILL");
	await once(child, "exit");
});

test("what only looks like it stays", async () => {
	const dead = basename(await killed());
	const [, boot, namespace, pid, start] = dead.split("-");
	rmSync(join(folder, dead), { recursive: true });
	const names = {
		machine: `wasieve-${boot === "00000000" ? 1 : 0}0000000-${namespace}-${pid}-${start}-abcdef`,
		namespace: `wasieve-${boot}-1${namespace}-${pid}-${start}-abcdef`,
		unnumbered: "wasieve-abcdef",
		prefixed: `x${dead}`,
		longer: `${dead}x`,
	};
	for (const name of Object.values(names)) mkdirSync(join(folder, name));
	writeFileSync(join(folder, dead), "a file");
	symlinkSync(folder, join(folder, `${dead.slice(0, -6)}link12`));
	const before = readdirSync(folder);
	await clearLeftovers(folder);
	expect(readdirSync(folder)).toEqual(before);
	expect(leftoversIn(join(folder, "none"))).toEqual([]);
});

test("a number that another process has got meanwhile belongs to nobody", async () => {
	const own = await makeScratch(folder);
	const world = basename(own).split("-").slice(0, 4).join("-");
	const older = join(folder, `${world}-1-abcdef`);
	mkdirSync(older);
	await clearLeftovers(folder);
	expect(readdirSync(folder)).toEqual([basename(own)]);
});

test("an image is removed with its folder, by who can", async () => {
	const dead = await killed();
	const kept = { engine: "docker", image: "localhost/wasieve/wazero:1" };
	await noteImage(dead, kept);
	await clearLeftovers(folder);
	expect(leftoversIn(folder)).toEqual([{ path: dead, own: true, image: kept }]);
	const asked: object[] = [];
	await clearLeftovers(folder, async (image) => asked.push(image) > 0);
	expect(asked).toEqual([kept]);
	expect(existsSync(dead)).toBe(false);
});

test("exec with the engine removes its image; the doctor tells of it until then", async () => {
	const temporary = join(folder, "tmp");
	const engines = join(folder, "engines");
	for (const each of [temporary, engines]) mkdirSync(each);
	const dead = await killed(temporary);
	const image = "localhost/wasieve/wazero-1.12.0:0123";
	await noteImage(dead, { engine: "docker", image });
	const foreign = await killed(temporary);
	await noteImage(foreign, { engine: "docker", image: "debian:13" });
	const calls = join(folder, "calls");
	const docker = join(engines, "docker");
	// It refuses what it is asked to load, which is the end of the run.
	writeFileSync(
		docker,
		`#!/bin/sh
echo "$@" >> ${calls}
case "$1" in (version) echo '28.5.0';; (load) exit 1;; esac
`,
	);
	chmodSync(docker, 0o755);
	const env = { TMPDIR: temporary, WASIEVE_ENGINES: engines };
	const told = await wasieve(["doctor"], { env });
	expect(told.stdout).toContain(`docker image rm ${image} && rm -r ${dead}`);
	const module = join(folder, "cat.wasm");
	writeFileSync(module, await fixture("cat"));
	await wasieve(["exec", module, "--engine", "docker"], { env, input: "" });
	expect(readFileSync(calls, "utf8")).toContain(`image rm ${image}\n`);
	expect(existsSync(dead)).toBe(false);
	expect(readFileSync(calls, "utf8")).not.toContain("rm debian");
	expect(existsSync(foreign)).toBe(true);
});
