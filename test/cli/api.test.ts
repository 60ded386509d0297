import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as wasieve from "wasieve";
import { folder, ROOT } from "./child.js";

const OVERHEAT = join(ROOT, "build/overheat.wasm");
const LOG = { debug() {}, info() {}, warn() {}, error() {} };

describe("the host API", () => {
	it("has these names and no others", () => {
		expect(Object.keys(wasieve).sort()).toEqual([
			"CODES",
			"ConfigError",
			"WasieveError",
			"compileFilter",
			"describeModule",
			"inspectModule",
			"loadConfig",
			"parseConfig",
			"startGateway",
		]);
	});

	it("runs a gateway from file to file", async () => {
		const dir = folder();
		writeFileSync(
			join(dir, "in.ndjson"),
			'{"device_id":"a","temperature":90,"humidity":5,"timestamp":1}\n{}\n',
		);
		const text = `pipelines: { hot: { from: { file: in.ndjson }, filter: { module: ${OVERHEAT} }, to: { file: out.ndjson } } }`;
		const config = wasieve.parseConfig(text, join(dir, "gateway.yaml"), {
			env: {},
		});
		const gateway = await wasieve.startGateway(config, { log: LOG });
		await gateway.ended;
		expect(await gateway.stop(1000)).toBe(true);
		expect(await gateway.snapshots()).toMatchObject([
			{ name: "hot", taken: 2, emitted: 1, failed: 1, open: 0 },
		]);
		expect(readFileSync(join(dir, "out.ndjson"), "utf8")).toBe(
			'{"device_id":"a","alert_type":"high_temperature","value":90,"timestamp":1}\n',
		);
	});

	it("inspects a module", () => {
		const info = wasieve.inspectModule(readFileSync(OVERHEAT));
		expect(info).toMatchObject({ kind: "sdk", inline: true });
		expect(wasieve.describeModule(info)).toContain("inline");
	});

	it("throws errors with a documented code", () => {
		const wrong = () =>
			wasieve.loadConfig(join(folder(), "none.yaml"), { env: {} });
		expect(wrong).toThrow(wasieve.WasieveError);
		expect(wrong).toThrow(expect.objectContaining({ code: "E_CONFIG_READ" }));
		expect(wasieve.CODES).toHaveProperty("E_CONFIG_READ");
	});
});
