// What is measured: the gateway, started as its users start it, and the bridges written by hand.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { end, launch, scratchFolder } from "./children.mjs";
import { SUBSCRIPTION } from "./load/readings.mjs";
import { freePort } from "./ports.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BRIDGE = fileURLToPath(new URL("rivals/bridge.mjs", import.meta.url));

/**
 * @typedef {object} Subject
 * @property {string} name
 * @property {boolean} [rival] its failure is told, and is not the benchmark's
 * @property {(where: { port: number, qos: 0 | 1, pipelines?: number }) => Promise<Running>} start returns at once, not when it is connected
 */

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {import("node:child_process").ChildProcess} child
 * @property {() => Promise<void>} stop
 */

let configs = 0;

/**
 * @param {object} options
 * @param {string} options.cli path of the command line's main.js
 * @param {string} options.module path of the compiled filter
 * @param {string} [options.name]
 * @returns {Subject}
 */
export function wasieve({ cli, module, name = "wasieve" }) {
	return {
		name,
		async start({ port, qos, pipelines = 1 }) {
			const file = join(scratchFolder(), `gateway-${configs++}.yaml`);
			const http = await freePort();
			writeFileSync(file, configOf({ port, http, qos, module, pipelines }));
			return running(launch(process.execPath, [cli, "run", file]));
		},
	};
}

/**
 * The config a user would write; http is on, so metrics and health are part of what is measured. Further pipelines
 * read the same topics with a limit of their own that no reading reaches.
 *
 * @param {{ port: number, http: number, qos: 0 | 1, module: string, pipelines: number }} options
 */
function configOf({ port, http, qos, module, pipelines }) {
	const blocks = Array.from({ length: pipelines }, (_, i) => [
		`  ${i === 0 ? "overheat" : `extra-${i}`}:`,
		`    from: { topic: ${JSON.stringify(SUBSCRIPTION)}, qos: ${qos} }`,
		`    filter: { module: ${JSON.stringify(module)}, params: { LIMIT: ${i === 0 ? 85 : 1000 + i} } }`,
		`    to: { topic: ${JSON.stringify(i === 0 ? "alerts/{topic}" : `extra/${i}/{topic}`)}, qos: ${qos} }`,
	]);
	return [
		`broker: mqtt://127.0.0.1:${port}`,
		`http: 127.0.0.1:${http}`,
		"pipelines:",
		...blocks.flat(),
		"",
	].join("\n");
}

/**
 * @param {1 | 2} connections
 * @returns {Subject}
 */
export function bridge(connections) {
	return {
		name: `bridge, ${connections === 1 ? "1 connection" : "2 connections"}`,
		rival: true,
		async start({ port, qos }) {
			const args = [BRIDGE, String(port), String(qos), String(connections)];
			return running(launch(process.execPath, args));
		},
	};
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Running}
 */
export function running(child) {
	return {
		pid: /** @type {number} */ (child.pid),
		child,
		stop: () => end(child),
	};
}

/**
 * @param {string} [cli] another build to measure
 * @returns {{ cli: string, module: string }}
 * @throws when they have not been built
 */
export function built(cli = join(ROOT, "build/bin/main.js")) {
	const module = join(ROOT, "build/overheat.wasm");
	for (const file of [cli, module])
		if (!existsSync(file))
			throw new Error(`${file} is missing: run npm run build`);
	return { cli, module };
}

export { ROOT };
