import { expect, test } from "vitest";
import { readYaml } from "./places.js";

// The schema of Kubernetes is asked in test/long/deploy.test.ts; these are the house's own rules.

const { spec } = readYaml("deploy/k3s/deployment.yaml");
const [container] = spec.template.spec.containers;

test("liveness does not ask for the broker, readiness does", () => {
	expect(container.livenessProbe).toHaveProperty("tcpSocket.port", "http");
	expect(container.startupProbe).toHaveProperty("tcpSocket.port", "http");
	expect(container.readinessProbe).toHaveProperty("httpGet.path", "/health");
});

test("a pod goes on with the session of the one before, which has ended", () => {
	expect(spec.template.spec.hostname).toBe("gateway");
	expect(spec.strategy.type).toBe("Recreate");
});

test.each([
	["deployment.yaml", spec.template.spec],
	["wasm/filter.yaml", readYaml("deploy/k3s/wasm/filter.yaml").spec],
])("%s is what a restricted namespace takes", (_file, pod) => {
	expect(pod.securityContext).toMatchObject({
		runAsNonRoot: true,
		seccompProfile: { type: "RuntimeDefault" },
	});
	expect(pod.automountServiceAccountToken).toBe(false);
	for (const { securityContext, resources } of pod.containers) {
		expect(securityContext).toEqual({
			allowPrivilegeEscalation: false,
			readOnlyRootFilesystem: true,
			capabilities: { drop: ["ALL"] },
		});
		expect(Object.keys(resources.limits).sort()).toEqual(["cpu", "memory"]);
	}
});

test("a filter under the shim has no probe, and a class whose handler is the shim", () => {
	const { spec: pod } = readYaml("deploy/k3s/wasm/filter.yaml");
	const { metadata, handler } = readYaml("deploy/k3s/wasm/runtimeclass.yaml");
	expect(pod.runtimeClassName).toBe(metadata.name);
	expect(handler).toBe("wasmtime");
	expect(pod.containers[0]).not.toHaveProperty("livenessProbe");
	expect(pod.containers[0].stdin).toBe(true);
});
