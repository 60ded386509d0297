import { expect, test } from "vitest";
import { finish, folder } from "../cli/child.js";
import { hasMosquitto } from "../mqtt/mosquitto.js";
import { DEPLOY, has, makeSecrets, placed, read } from "./places.js";

const UNIT = "systemd/wasieve.service";
const NODE = [
	"/usr/bin/node /opt/wasieve/node_modules/wasieve/build/bin/main.js",
	process.execPath,
] as const;

test.skipIf(!has("systemd-analyze", "apt-get install systemd"))(
	"the unit is one, and exposed by 1.3 of 10",
	async () => {
		const dir = folder();
		const unit = placed(dir, UNIT, { [NODE[0]]: NODE[1] });
		const verified = await finish(["systemd-analyze", "verify", unit], {});
		expect(verified).toMatchObject({ code: 0, stderr: "" });
		const offline = ["--offline=true", "--threshold=13", "--no-pager", unit];
		const scored = await finish(
			["systemd-analyze", "security", ...offline],
			{},
		);
		expect(scored.code, scored.stdout.slice(-200)).toBe(0);
	},
);

test("the unit gives a stop more time than the gateway does", () => {
	expect(read(`deploy/${UNIT}`)).toContain("TimeoutStopSec=20\n");
});

const hasCaddy = has("caddy", "apt-get install caddy", "version");
test.skipIf(!hasCaddy || !hasMosquitto)(
	"Caddy takes the Caddyfile",
	async () => {
		const dir = folder();
		const secrets = await makeSecrets(dir);
		const file = placed(dir, "compose/Caddyfile", { "/run/secrets": secrets });
		const args = ["validate", "--adapter", "caddyfile", "--config", file];
		const valid = await finish(["caddy", ...args], {
			env: { ...process.env, HOME: dir },
		});
		expect(valid.code, valid.stderr).toBe(0);
		const plain = `${DEPLOY}/compose/Caddyfile`;
		expect(await finish(["caddy", "fmt", plain], {})).toMatchObject({
			stdout: read("deploy/compose/Caddyfile"),
		});
	},
);
