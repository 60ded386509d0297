import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { folder, ROOT, wasieve } from "../cli/child.js";
import { placed } from "./places.js";

test.concurrent.each([
	"gateway.yaml",
	"compose/gateway.yaml",
	"shared/gateway.yaml",
	"k3s/gateway.yaml",
	"systemd/gateway.yaml",
])("deploy/%s has no mistakes", async (file) => {
	const dir = folder();
	for (const secret of ["mqtt_password", "mqtt/password", "mqtt"]) {
		const path = join(dir, `secrets-of-${file}`, secret.replace("/", "-"));
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, "secret\n");
	}
	const secrets = join(dir, `secrets-of-${file}`);
	const copy = placed(dir, file, {
		"/run/secrets/mqtt/": `${secrets}/mqtt-`,
		"/run/secrets/": `${secrets}/`,
		"/run/credentials/wasieve.service/": `${secrets}/`,
		"/app/build/": join(ROOT, "build/"),
		"/opt/wasieve/node_modules/wasieve/build/": join(ROOT, "build/"),
	});
	const checked = await wasieve(["check", copy]);
	expect(checked, checked.stderr).toMatchObject({ code: 0, stderr: "" });
});
