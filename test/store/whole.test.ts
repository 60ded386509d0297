import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readWhole } from "#host/store/whole.js";
import { MAIN, wasieve } from "../cli/child.js";

const folder = mkdtempSync(join(tmpdir(), "wasieve-whole-"));
afterAll(() => rmSync(folder, { recursive: true }));
const pipe = join(folder, "pipe.yaml");
execFileSync("mkfifo", [pipe]);

test("a file is read, also by another name", () => {
	writeFileSync(join(folder, "file"), "text");
	symlinkSync(join(folder, "file"), join(folder, "link"));
	expect(readWhole(join(folder, "link")).toString()).toBe("text");
});

test("what has no end is refused at once, with what it is", async () => {
	const socket = join(folder, "socket");
	const server = createServer().listen(socket);
	await new Promise((listening) => server.once("listening", listening));
	const codes = [folder, pipe, socket, "/dev/zero", join(folder, "none")].map(
		(path) => {
			try {
				return readWhole(path);
			} catch (thrown) {
				return (thrown as NodeJS.ErrnoException).code;
			}
		},
	);
	server.close();
	const expected = ["a folder", "a named pipe", "a socket", "a device"];
	expect(codes).toEqual([...expected, "ENOENT"]);
});

test("a pipe that the shell hands over is read to its end", () => {
	const module = "build/overheat.wasm";
	const config = `pipelines: { a: { from: stdin, filter: { module: ${process.cwd()}/${module} }, to: stdout } }
quarantine: { dir: ${folder} }
`;
	const file = join(folder, "config");
	writeFileSync(file, config);
	const command = `cat ${file} | ${process.execPath} ${MAIN} check /dev/stdin`;
	const said = execFileSync("sh", ["-c", command]).toString();
	expect(said).toContain("a: stdin → overheat → stdout");
});

test("the verbs say it and end", async () => {
	const checked = await wasieve(["check", pipe]);
	expect(checked.stderr).toContain("pipe.yaml cannot be read (a named pipe)");
	expect(checked.code).toBe(3);
});
