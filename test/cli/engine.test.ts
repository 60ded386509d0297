import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { workshopOf } from "#host/cli/workshop.js";
import { isThere, WORKSHOP } from "../engine/engines.js";
import { fixture } from "../engine/wat.js";
import { folder, ROOT, wasieve } from "./child.js";

const NODE = fileURLToPath(
	new URL("../engine/node-runtime.mjs", import.meta.url),
);
const OFFICE = join(ROOT, "examples/office-climate.ndjson");

/** A gateway file that has `stuffy` look at the office with an engine. */
function config(engine: string): string {
	const file = join(folder(), "gateway.yaml");
	writeFileSync(
		file,
		`http: false
pipelines:
  office:
    from: { file: ${OFFICE} }
    filter: { module: ${join(ROOT, "build/stuffy.wasm")}, engine: ${engine} }
    to: stdout
`,
	);
	return file;
}

async function run(engine: string) {
	const env = { WASIEVE_ENGINES: WORKSHOP.folders.join(":") };
	return await wasieve(["run", config(engine)], { env });
}

test("the gateway does the same with its filter in another process", async () => {
	const embedded = await run("embedded");
	expect(embedded.code, embedded.stderr).toBe(0);
	expect(embedded.stdout.length).toBeGreaterThan(1000);
	const command = `{ command: ["${process.execPath}", "${NODE}", "{module}", "{param}"] }`;
	const engines = [command, ...(isThere("wazero") ? ["wazero"] : [])];
	for (const engine of engines) {
		const other = await run(engine);
		expect(other.code, other.stderr).toBe(0);
		expect(other.stdout).toBe(embedded.stdout);
		const account = /taken .* open 0/;
		expect(account.exec(other.stderr)?.[0]).toBe(
			account.exec(embedded.stderr)?.[0],
		);
	}
});

test("an engine that is not there is said before anything runs", async () => {
	const { code, stdout, stderr } = await run("{ command: [no-such-engine] }");
	expect(code).not.toBe(0);
	expect(stdout).toBe("");
	expect(stderr).toContain("E_ENGINE_MISSING");
	expect(stderr).toContain("no-such-engine");
});

test("an engine that is killed once, and a reading that traps: the policy, nothing lost", async () => {
	const dir = folder();
	const runs = `exec '${process.execPath}' '${NODE}' "$@"`;
	const once = `[ -e '${dir}/killed' ] || { touch '${dir}/killed'; '${process.execPath}' '${NODE}' "$1" --die-after-read; kill -9 $$; }`;
	writeFileSync(join(dir, "engine"), `#!/bin/sh\n${once}\n${runs}\n`, {
		mode: 0o755,
	});
	writeFileSync(join(dir, "contract.wasm"), await fixture("contract"));
	writeFileSync(join(dir, "in"), "e1\ne2\nt\ne3\n");
	const file = join(dir, "gateway.yaml");
	writeFileSync(
		file,
		`http: false
pipelines:
  a:
    from: { file: in }
    filter: { module: contract.wasm, engine: { command: [./engine] } }
    to: stdout
    restart: { backoff: 1ms }
`,
	);
	const { code, stdout, stderr } = await wasieve(["run", file]);
	expect(code, stderr).toBe(0);
	expect(stdout).toBe("e1\ne2\ne3\nbye\n");
	expect(stderr).toContain("E_ENGINE_LOST");
	expect(stderr).toMatch(/taken 4 = .* failed 1 \+ open 0/);
	expect(readFileSync(join(dir, "quarantine/a.ndjson"), "utf8")).toMatch(
		/"code":"E_GUEST_TRAP"/,
	);
});

test("what is known of an engine's version is told once", async () => {
	const dir = folder();
	const old = join(dir, "wasmtime");
	const runs = `for module; do :; done; exec '${process.execPath}' '${NODE}' "$module"`;
	writeFileSync(
		old,
		`#!/bin/sh\nif [ "$1" = --version ]; then echo wasmtime 36.0.5; else ${runs}; fi\n`,
	);
	chmodSync(old, 0o755);
	const text = `http: false
pipelines:
  a: &pipeline
    from: { file: ${OFFICE} }
    filter: { module: ${join(ROOT, "build/stuffy.wasm")}, engine: wasmtime }
    to: stdout
  b: *pipeline
`;
	writeFileSync(join(dir, "gateway.yaml"), text);
	const { code, stderr } = await wasieve(["run", join(dir, "gateway.yaml")], {
		env: { WASIEVE_ENGINES: dir },
	});
	expect(code, stderr).toBe(0);
	expect(stderr.match(/CVE-2026-27204\)/g)).toHaveLength(1);
	expect(stderr).toContain("mended in 24.0.6, 36.0.6, 40.0.4 and 41.0.4");
});

test("a signal while the gateway starts is a stop in stages", async () => {
	const dir = folder();
	// Once: it is asked again when the engine starts, and a second signal would force.
	const signal = `[ -e "$0.asked" ] || { touch "$0.asked"; kill -TERM $PPID; }`;
	const says = `if [ "$1" = version ]; then ${signal}; echo 1.12.0`;
	const runs = `else exec '${process.execPath}' '${NODE}' "$2"; fi`;
	writeFileSync(join(dir, "wazero"), `#!/bin/sh\n${says}\n${runs}\n`, {
		mode: 0o755,
	});
	const env = { WASIEVE_ENGINES: dir };
	const ran = await wasieve(["run", config("wazero")], { env });
	expect(ran.signal).toBe(null);
	expect(ran.code, ran.stderr).toBe(0);
	expect(ran.stderr).toMatch(
		/^SIGTERM: stopping, [\s\S]*taken \d+ = .* open 0; outputs \d+\n$/,
	);
});

test("an engine gets no more of the environment than it needs", () => {
	const env = { PATH: "/bin:/usr/bin", HOME: "/h", MQTT_PASSWORD: "secret" };
	expect(workshopOf({ ...env, WASIEVE_ENGINES: "/opt/engines" })).toEqual({
		folders: ["/opt/engines", "/bin", "/usr/bin"],
		own: "/opt/engines",
		surroundings: { PATH: "/bin:/usr/bin", HOME: "/h" },
		arch: process.arch,
	});
});
