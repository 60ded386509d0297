import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { parseConfig, startGateway } from "wasieve";
import { openThreads } from "#host/cli/threads.js";
import { folder, ROOT } from "./child.js";

const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const OVERHEAT = join(ROOT, "build/overheat.wasm");

/** Two pipelines on two threads; `module` is that of the second. */
function config(dir: string, module: string) {
	const pipeline = (name: string, path: string) =>
		`  ${name}: { from: { file: in.ndjson }, filter: { module: ${path} }, to: { file: ${name}.ndjson } }\n`;
	writeFileSync(join(dir, "in.ndjson"), "");
	return parseConfig(
		`threads: 2\npipelines:\n${pipeline("a", OVERHEAT)}${pipeline("b", module)}`,
		join(dir, "gateway.yaml"),
		{ env: {} },
	);
}

const left = () =>
	process
		.getActiveResourcesInfo()
		.filter((kind) => kind === "MessagePort" || kind === "Timeout");

describe("threads", () => {
	it("one that cannot open says why with its own code, and none is left", async () => {
		const dir = folder();
		const module = join(dir, "gone.wasm");
		copyFileSync(OVERHEAT, module);
		const gateway = config(dir, module);
		rmSync(module);
		const before = left();
		await expect(startGateway(gateway, { log: LOG })).rejects.toMatchObject({
			code: "E_MODULE_READ",
			hint: "build it with `wasieve build`",
		});
		expect(left().length).toBeLessThanOrEqual(before.length);
	});

	it("stop() does not wait for one that is dead, nor is it started again", async () => {
		const dir = folder();
		const script = join(dir, "mortal.mjs");
		writeFileSync(
			script,
			`import { parentPort, workerData } from "node:worker_threads";
parentPort.on("message", ({ id, ask }) => {
	if (ask === "halt" && workerData.thread === 1) process.exit(1);
	parentPort.postMessage({ id, answer: ask === "snapshots" ? [] : undefined });
});
parentPort.postMessage({ event: "open" });`,
		);
		let dead = () => {};
		const died = new Promise<void>((resolve) => {
			dead = resolve;
		});
		const lines = await openThreads(
			config(dir, OVERHEAT),
			{
				clock: Date.now,
				log: { ...LOG, error: () => dead() },
				stdin: process.stdin,
				stdout: process.stdout,
			},
			pathToFileURL(script),
		);
		expect(await lines.halt("b")).toBeFalsy();
		await died;
		expect(await lines.halt("b")).toBeFalsy();
		await lines.stop();
		expect(await lines.snapshots()).toHaveLength(2);
	});
});
