import { expect, test } from "vitest";
import { folder, parse, problems, withPipeline } from "./gateway-file.js";

const filter = (engine: string) =>
	withPipeline({ filter: `{ module: build/filter.wasm, engine: ${engine} }` });
const engineOf = (text: string) => parse(text).pipelines.a?.filters[0]?.engine;

test("embedded unless another is named", () => {
	expect(engineOf(withPipeline({}))).toBe("embedded");
	expect(engineOf(filter("wasmtime"))).toBe("wasmtime");
});

test("filters of a row have engines of their own", () => {
	const text = withPipeline({
		filter:
			"[{ module: build/filter.wasm, engine: wazero }, { module: build/filter.wasm }]",
	});
	const filters = parse(text).pipelines.a?.filters ?? [];
	expect(filters.map(({ engine }) => engine)).toEqual(["wazero", "embedded"]);
});

test("a command: a name stays a name, a path is relative to the file", () => {
	expect(engineOf(filter('{ command: [run, "{module}"] }'))).toEqual({
		command: ["run", "{module}"],
	});
	expect(engineOf(filter("{ command: [./bin/run, -x] }"))).toEqual({
		command: [`${folder()}/bin/run`, "-x"],
	});
});

test("a container of an image", () => {
	expect(engineOf(filter("{ docker: plant/a }"))).toEqual({
		container: "docker",
		image: "plant/a",
	});
	const wasm = "{ docker-wasm: a, network: container:pause }";
	expect(engineOf(filter(wasm))).toEqual({
		container: "docker-wasm",
		image: "a",
		network: "container:pause",
	});
});

test("a container of an image that the gateway makes of the module", () => {
	expect(engineOf(filter("docker"))).toEqual({ container: "docker" });
	expect(engineOf(filter("{ podman: true }"))).toEqual({ container: "podman" });
	const wasm = "{ docker-wasm: true, network: host }";
	expect(engineOf(filter(wasm))).toEqual({
		container: "docker-wasm",
		network: "host",
	});
});

test("a pipeline's engine is that of its filters that name none", () => {
	const text = withPipeline({
		filter:
			"[{ module: build/filter.wasm, engine: embedded }, { module: build/filter.wasm }]",
		more: "engine: { docker: plant/a }",
	});
	const filters = parse(text).pipelines.a?.filters ?? [];
	expect(filters.map(({ engine }) => engine)).toEqual([
		"embedded",
		{ container: "docker", image: "plant/a" },
	]);
	expect(problems(withPipeline({ more: "engine: wazro" })).join()).toMatch(
		/a\.engine: there is no engine "wazro"/,
	);
});

test.each([
	[
		"wazro",
		/there is no engine "wazro", did you mean "wazero"\? → known are embedded, wazero, /,
	],
	["docker-wasm", /engine: the shim cannot start/],
	["{ docker: false }", /false names no image → write true/],
	["{ docker: --privileged }", /docker: --privileged names no image/],
	["''", /engine: must not be empty/],
	["3", /must be a text or a map of keys, not 3/],
	["{}", /an engine is one of these → write one of command, docker,/],
	["{ docker: a, podman: a }", /an engine is one of these/],
	["{ network: host }", /an engine is one of these/],
	["{ command: [] }", /command: must not be empty/],
	["{ command: [1] }", /must be a text, not 1/],
	["{ comand: [x] }", /unknown key "comand", did you mean "command"\?/],
	["{ docker: '' }", /docker: must not be empty/],
	[
		"{ docker: a, network: bridge }",
		/network: must be none, host or container:NAME, not "bridge"/,
	],
	[
		"{ docker-wasm: a }",
		/docker-wasm: the shim .* stays Created for ever → \{ docker-wasm: true, network: "container:NAME" \}/,
	],
	[
		"{ docker-wasm: a, network: none }",
		/engine.network: the shim cannot start/,
	],
])("engine: %s is refused in words", (written, why) => {
	expect(problems(filter(written)).join("\n")).toMatch(why);
});
