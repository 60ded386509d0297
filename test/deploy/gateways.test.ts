import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, ROOT, wasieve } from "../cli/child.js";
import { placed } from "./places.js";

test.each([
	"gateway.yaml",
	"compose/gateway.yaml",
	"shared/gateway.yaml",
	"k3s/gateway.yaml",
	"systemd/gateway.yaml",
])("deploy/%s has no mistakes", async (file) => {
	const dir = folder();
	const secrets = join(dir, "secrets");
	mkdirSync(secrets);
	for (const name of ["mqtt_password", "mqtt-password", "mqtt"])
		writeFileSync(join(secrets, name), "secret\n");
	const copy = placed(dir, file, {
		"/run/secrets/mqtt/": `${secrets}/mqtt-`,
		"/run/secrets/": `${secrets}/`,
		"/run/credentials/wasieve.service/": `${secrets}/`,
		"/app/build/": join(ROOT, "build/"),
		"/data/": `${dir}/data/`,
		"/var/lib/wasieve/": `${dir}/data/`,
		"/opt/wasieve/node_modules/wasieve/build/": join(ROOT, "build/"),
	});
	const checked = await wasieve(["check", copy]);
	expect(checked, checked.stderr).toMatchObject({ code: 0, stderr: "" });
});
