import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkEngine } from "#host/engine/preflight.js";
import { docker } from "#host/engine/runtimes/docker.js";
import { dockerWasm } from "#host/engine/runtimes/docker-wasm.js";
import { RUNTIMES } from "#host/engine/runtimes/index.js";
import type { Runtime } from "#host/engine/runtimes/runtime.js";
import { surveyEngines } from "#host/engine/survey.js";
import { folder } from "../cli/child.js";

/** A folder with programs that say these things whatever they are asked. */
function programs(sayings: Record<string, string>, arch = "x64") {
	const dir = folder();
	for (const [name, said] of Object.entries(sayings)) {
		const file = join(dir, name);
		writeFileSync(file, `#!/bin/sh\necho '${said}'\n`);
		chmodSync(file, 0o755);
	}
	const surroundings = { PATH: process.env.PATH ?? "" };
	return { folders: [dir], surroundings, arch };
}

const DEBIAN =
	"20.10.24+dfsg1 Engine 20.10.24+dfsg1 containerd 1.6.20~ds1 runc 1.1.5+ds1 docker-init ";

async function flawsOf(
	runtime: Runtime,
	said: string,
	arch = "x64",
): Promise<string[]> {
	const workshop = programs({ [runtime.program]: said }, arch);
	const { flaws } = await checkEngine(runtime, workshop);
	return flaws.map(({ id }) => id);
}

const wasmtime = RUNTIMES.wasmtime as Runtime;
const iwasm = RUNTIMES.iwasm as Runtime;

describe("what is known of a version", () => {
	test.each([
		["36.0.5", "CVE-2026-27204", true],
		["36.0.6", "CVE-2026-27204", false],
		["37.0.0", "CVE-2026-27204", true],
		["41.0.3", "CVE-2026-27204", true],
		["41.0.4", "CVE-2026-27204", false],
		["44.0.1", "speed", true],
		["45.0.2", "speed", false],
		["49.0.1", "GHSA-hw8m-q44c-ggrf", true],
		["48.0.4", "GHSA-hw8m-q44c-ggrf", false],
	])("wasmtime %s, %s: %s", async (version, id, has) => {
		const flaws = await flawsOf(wasmtime, `wasmtime ${version} (abc 2026)`);
		expect(flaws.includes(id)).toBe(has);
	});

	test.each([
		["arm64", "CVE-2026-34971", "CVE-2026-34944"],
		["x64", "CVE-2026-34944", "CVE-2026-34971"],
	])("wasmtime on %s has %s, not %s", async (arch, has, hasNot) => {
		const flaws = await flawsOf(wasmtime, "wasmtime 43.0.0", arch);
		expect(flaws).toContain(has);
		expect(flaws).not.toContain(hasNot);
	});

	test("the newest have none", async () => {
		expect(await flawsOf(wasmtime, "wasmtime 50.0.3")).toEqual([]);
		expect(await flawsOf(iwasm, "iwasm 2.4.5")).toEqual([]);
	});

	test("Docker tells its runc's version, and that has flaws of its own", async () => {
		const runtime = docker({});
		const runc = ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"];
		expect(await flawsOf(runtime, DEBIAN)).toEqual(["CVE-2024-21626", ...runc]);
		const newer = DEBIAN.replace("1.1.5", "1.3.3");
		expect(await flawsOf(runtime, newer)).toEqual([]);
		expect(await flawsOf(runtime, "28.5.2")).toEqual([]);
	});

	test.each([
		["29.4.9", []],
		["29.5.0", ["time-namespaces"]],
		["30.0.1", ["time-namespaces"]],
	])("docker-wasm with Docker %s: %j", async (version, flaws) => {
		expect(await flawsOf(dockerWasm({}), version)).toEqual(flaws);
	});
});

test("a survey tells each engine's version, or why there is none", async () => {
	const found = await surveyEngines(
		programs({
			wazero: "v1.12.0",
			wasmtime: "wasmtime 9.0.1",
			docker: "Cannot connect to the Docker daemon at unix:///x. Is it up?",
			ctr: "ctr containerd.io 2.1.0",
		}),
	);
	const told = found.map((each) =>
		"error" in each
			? `${each.name}: ${each.error.code}`
			: `${each.name} ${each.version}`,
	);
	expect(told).toEqual([
		"wazero 1.12.0",
		"wasmtime: E_ENGINE_VERSION",
		"iwasm: E_ENGINE_MISSING",
		"wasmedge: E_ENGINE_MISSING",
		"docker: E_ENGINE_VERSION",
		"podman: E_ENGINE_MISSING",
		"docker-wasm: E_ENGINE_VERSION",
		"ctr 2.1.0",
	]);
	const hints = found.map((each) => ("error" in each ? each.error.hint : ""));
	expect(hints[4]).toContain("group docker");
});
