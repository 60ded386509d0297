import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEPLOY, readYaml } from "./places.js";

// What Docker Compose itself makes of the files is in test/long/deploy.test.ts; these are the house's own rules.

// biome-ignore lint/suspicious/noExplicitAny: as it is written
type Service = Record<string, any>;
const compose = readYaml("deploy/compose.yaml");
const overlay = readYaml("deploy/compose.wasm.yaml");
const swarm = readYaml("deploy/swarm.yaml");
const plain = Object.entries<Service>(compose.services);
const added = Object.entries<Service>(overlay.services).filter(
	([name]) => !(name in compose.services),
);

test("every edge service is there", () => {
	expect(Object.keys(compose.services).sort()).toEqual([
		"caddy",
		"filter",
		"gateway",
		"mosquitto",
		"node-exporter",
		"recorder",
		"registry",
		"timescaledb",
	]);
});

describe.each([...plain, ...added])("%s", (_name, service) => {
	test("has limits and a version", () => {
		expect(service).toMatchObject({
			mem_limit: expect.stringMatching(/^\d+m$/),
			cpus: expect.any(Number),
			pids_limit: expect.any(Number),
			restart: "unless-stopped",
		});
		expect(service.image).toMatch(/:v?\d+[\w.-]*$/);
	});

	test("is shut in", () => {
		expect(service).toMatchObject({
			read_only: true,
			cap_drop: ["ALL"],
			security_opt: ["no-new-privileges:true"],
		});
		expect(service.privileged).toBeUndefined();
		expect(JSON.stringify(service)).not.toContain("docker.sock");
	});

	test("tells nothing to the outside that BIND does not", () => {
		for (const port of service.ports ?? [])
			expect(port).toMatch(/^(\$\{BIND:-127\.0\.0\.1\}|127\.0\.0\.1):/);
	});

	test("has no secret in its environment", () => {
		const environment = Object.entries<string>(service.environment ?? {});
		for (const [name, value] of environment)
			if (/PASS|TOKEN|KEY|SECRET/.test(name))
				expect(`${name}=${value}`).toMatch(/FILE=\/run\/secrets\//);
	});
});

test.each(plain)("%s is asked for its health", (_name, service) => {
	expect(service.healthcheck.test.length).toBeGreaterThan(1);
});

test("every file that is mounted is there", () => {
	const mounts = plain.flatMap(([, service]) => service.volumes ?? []);
	const files = mounts.filter((each) => String(each).startsWith("./"));
	expect(files.length).toBeGreaterThan(5);
	for (const each of files) {
		const [file = "", , mode] = each.split(":");
		expect(existsSync(join(DEPLOY, file)), file).toBe(true);
		expect(mode).toBe("ro");
	}
});

test("a container of the gateway goes on with the session of the one before", () => {
	expect(compose.services.gateway.hostname).toBe("gateway");
	expect(swarm.services.gateway.hostname).toContain("{{.Task.Slot}}");
});

describe("the overlay with the shim", () => {
	test("has what the shim needs, and nothing that it does not have", () => {
		expect(overlay.services.shim).toMatchObject({
			platform: "wasi/wasm",
			runtime: "io.containerd.wasmtime.v1",
			network_mode: "service:pause",
			stdin_open: true,
			stop_signal: "SIGKILL",
			healthcheck: { disable: true },
		});
		expect(overlay.services.pause.network_mode).toBe("none");
	});

	test("takes the container's place: no alert comes twice", () => {
		expect(overlay.services.filter.profiles).toHaveLength(1);
	});
});

test("Swarm restarts a gateway that is gone, not one whose broker is", () => {
	const { healthcheck, deploy } = swarm.services.gateway;
	expect(healthcheck.test.join(" ")).toBe("CMD nc -z 127.0.0.1 3000");
	expect(deploy.update_config).toMatchObject({
		order: "stop-first",
		failure_action: "rollback",
	});
});
