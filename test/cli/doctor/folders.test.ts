import { spawnSync } from "node:child_process";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	statfsSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { lookAtDoor } from "#host/cli/doctor/door.js";
import { lookAtFolders } from "#host/cli/doctor/folders.js";
import { startHttp } from "#host/observe/http.js";
import { snapshot } from "../../observe/snapshots.js";
import { folder, MAIN, wasieve } from "../child.js";
import { listen } from "./listener.js";
import { lineOf, patient, told } from "./patient.js";

/** A gateway whose data lies in a folder of the test. */
function gateway(parts: { top?: string; to?: string } = {}): string {
	const { top = "", to = "stdout" } = parts;
	return `${top}\npipelines: { a: { from: stdin, filter: { module: any.wasm }, to: ${to} } }\n`;
}

describe("folders", () => {
	it("says how much room there is and how fast it is; leaves nothing", async () => {
		const around = patient({ config: gateway() });
		const before = readdirSync(around.cwd);
		const found = (await lookAtFolders(around)).map(lineOf);
		expect(found[0]).toMatch(
			/^(ok|warn) quarantine .*\/quarantine: \d+ [MG]iB free on \w+, \d+\.\d ms a sync/,
		);
		expect(readdirSync(around.cwd)).toEqual(before);
	});

	it("without a config looks at this folder", async () => {
		expect((await told(lookAtFolders, {}))[0]).toMatch(/^\w+ this folder \//);
	});

	it("a folder whose way is barred by a file", async () => {
		const around = patient({
			config: gateway({ top: "quarantine: { dir: any.wasm/q }" }),
		});
		const [found] = await lookAtFolders(around);
		expect(found).toMatchObject({
			verdict: "fail",
			code: "E_FILE_WRITE",
			what: expect.stringMatching(/any\.wasm is not a folder \(quarantine\)$/),
		});
	});

	it("a sink that is a folder, and one that is a device", async () => {
		const dir = folder();
		const config = gateway({ to: `{ file: ${dir} }` });
		const found = await told(lookAtFolders, { config });
		expect(found).toContain(`fail ${dir} is a folder → name a file in it`);
		const device = gateway({ to: "{ file: /dev/null }" });
		const fine = await told(lookAtFolders, { config: device });
		expect(fine.filter((line) => line.includes("/dev"))).toEqual([]);
	});

	const shm = existsSync("/dev/shm") && statfsSync("/dev/shm").type;
	const isTmpfs = shm === 0x01021994;
	if (!isTmpfs) console.warn("skipped: /dev/shm is no tmpfs here");
	it.skipIf(!isTmpfs)("a folder in memory", async () => {
		const config = gateway({ top: "quarantine: { dir: /dev/shm/wasieve-q }" });
		expect(await told(lookAtFolders, { config })).toContainEqual(
			"warn quarantine /dev/shm/wasieve-q is on tmpfs: gone after a restart → name a folder on a disk",
		);
		expect(existsSync("/dev/shm/wasieve-q")).toBe(false);
	});

	it("more may come than there is room for", async () => {
		const one =
			"{ from: { file: x }, filter: { module: any.wasm }, to: stdout }";
		const many = Array.from({ length: 64 }, (_, k) => `  p${k}: ${one}\n`);
		const config = `quarantine: { maxBytes: 1024GiB }\npipelines:\n${many.join("")}`;
		const [found] = await told(lookAtFolders, { config });
		expect(found).toMatch(/^warn .*: it may grow to 65536 GiB → set quara/);
	});

	it("a folder and a file of another user", async (context) => {
		const dir = folder();
		chmodSync(dir, 0o755);
		const isRoot = process.getuid?.() === 0;
		if (isRoot && !isOpenToNobody(MAIN, dir))
			context.skip("nobody may not read this checkout, its Node or its tests");
		mkdirSync(join(dir, "quarantine"));
		writeFileSync(join(dir, "quarantine/a.ndjson"), "");
		writeFileSync(join(dir, "any.wasm"), await wasmOf("overheat"));
		writeFileSync(
			join(dir, "gateway.yaml"),
			gateway({ to: "{ file: out/x }" }),
		);
		chmodSync(join(dir, "quarantine/a.ndjson"), 0o444);
		chmodSync(dir, 0o555);
		onTestFinished(() => chmodSync(dir, 0o755));
		const { code, stdout } = await wasieve(
			["doctor", join(dir, "gateway.yaml")],
			isRoot ? { uid: NOBODY } : {},
		);
		expect(code, stdout).toBe(1);
		expect(stdout).toMatch(
			/^fail {2}data .*a\.ndjson cannot be written by this user \(EACCES\) → sudo chown/m,
		);
		expect(stdout).toMatch(
			new RegExp(`^fail {2}data +${dir} cannot be written.*\\(outputs\\)`, "m"),
		);
	});
});

const NOBODY = 65_534;

/** Whether that user can run Node and read these: root's own folders are closed. */
function isOpenToNobody(...paths: string[]): boolean {
	const look = "process.argv.slice(1).forEach((path) => fs.accessSync(path))";
	const asked = spawnSync(process.execPath, ["-e", look, ...paths], {
		uid: NOBODY,
		cwd: "/",
	});
	return asked.status === 0;
}

async function wasmOf(name: string): Promise<Buffer> {
	const { readFile } = await import("node:fs/promises");
	return readFile(`build/${name}.wasm`);
}

describe("the door", () => {
	const config = (http: string) => `http: ${http}\n${gateway()}`;

	test("free, or any", async () => {
		expect(await told(lookAtDoor, { config: config("127.0.0.1:1") })).toEqual([
			"ok 127.0.0.1:1 is free",
		]);
		expect(await told(lookAtDoor, { config: config("0") })).toEqual([]);
		expect(await told(lookAtDoor, { config: config("false") })).toEqual([]);
		expect(await told(lookAtDoor, {})).toEqual([]);
	});

	test.each([
		["running", /^ok a gateway answers at /],
		[
			"stopped",
			/^warn a gateway answers at .*: not every pipeline runs → wasieve health .*gateway\.yaml$/,
		],
	] as const)("a gateway whose pipeline is %s", async (state, line) => {
		const http = await startHttp({
			host: "127.0.0.1",
			port: 0,
			snapshots: async () => [snapshot({ state })],
			resume: async () => true,
			stop: async () => true,
		});
		onTestFinished(() => http.close());
		const at = http.url.replace("http://", "");
		expect(await told(lookAtDoor, { config: config(at) })).toEqual([
			expect.stringMatching(line),
		]);
	});

	test("somebody else", async () => {
		const port = await listen((socket) =>
			socket.end("HTTP/1.1 200 OK\r\n\r\nhello"),
		);
		const at = `127.0.0.1:${port}`;
		expect(await told(lookAtDoor, { config: config(at) })).toEqual([
			expect.stringMatching(
				`^fail another program listens at ${at} → set another`,
			),
		]);
	});
});
