import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, wasieve } from "../cli/child.js";
import { FakeRegistry } from "./fake-registry.js";
import { imageOf, overheat, STUFFY } from "./modules.js";

const READINGS = [91.2, 70, 86, 84.9]
	.map((temperature, i) =>
		JSON.stringify({ device_id: `press-${i}`, temperature, timestamp: i }),
	)
	.join("\n");

/** A gateway from a file to stdout whose filter is an image; resolves when it has ended. */
function gateway(
	server: FakeRegistry,
	{ params = "", more = "", name = `${server.name}/line/overheat:1.2` } = {},
) {
	const cwd = folder();
	writeFileSync(join(cwd, "in.ndjson"), `${READINGS}\n`);
	writeFileSync(
		join(cwd, "gateway.yaml"),
		`${more}
pipelines:
  hot:
    from: { file: in.ndjson }
    filter: { module: "oci://${name}"${params} }
    to: { stdout: true }
`,
	);
	const env = { HOME: cwd, MQTT_BROKER: "" };
	return {
		cwd,
		images: join(cwd, "images"),
		verb: (...args: string[]) => wasieve(args, { cwd, env }),
		run: () => wasieve(["run", "gateway.yaml"], { cwd, env }),
	};
}

async function registry(image = imageOf()): Promise<FakeRegistry> {
	const server = await new FakeRegistry().start();
	server.add(image, "1.2");
	return server;
}

/** The devices of the alerts on stdout. */
const devices = (stdout: string) =>
	[...stdout.matchAll(/press-\d/g)].map(([each]) => each);

describe("module: oci://…", () => {
	test("is pulled, pinned and runs, later without the registry too", async () => {
		const server = await registry();
		const { run, images } = gateway(server);
		const first = await run();
		expect(first.stderr).toContain("image pulled");
		expect(first).toMatchObject({ code: 0 });
		expect(devices(first.stdout)).toEqual(["press-0", "press-2"]);
		const [module = ""] = readdirSync(join(images, "modules"));
		expect(readFileSync(join(images, "modules", module)).equals(overheat)).toBe(
			true,
		);
		server.stop();
		const second = await run();
		expect(second).toMatchObject({ code: 0, stdout: first.stdout });
		expect(second.stderr).toContain("E_REGISTRY_CONNECT");
	});

	test("the config's parameters come before the image's, also on several threads", async () => {
		const { run } = gateway(await registry(), {
			params: ", params: { LIMIT: 90 }",
			more: "threads: 2",
		});
		const ran = await run();
		expect(ran).toMatchObject({ code: 0 });
		expect(devices(ran.stdout)).toEqual(["press-0"]);
	});

	test("goes on as pinned when the tag moves, until it is pulled", async () => {
		const server = await registry();
		const { run, verb } = gateway(server);
		const { stdout } = await run();
		server.add(imageOf(readFileSync(STUFFY)), "1.2");
		const pinned = await run();
		expect(pinned).toMatchObject({ code: 0, stdout });
		expect(pinned.stderr).toContain("E_IMAGE_MOVED");
		expect(
			await verb(
				"pull",
				`${server.name}/line/overheat:1.2`,
				"--store",
				"images",
			),
		).toMatchObject({ code: 0 });
		const moved = await run();
		expect(moved).toMatchObject({ code: 0 });
		expect(moved.stdout).not.toBe(stdout);
		expect(moved.stderr).not.toContain("E_IMAGE_MOVED");
	});

	test("a layer that is not what it should be runs nowhere", async () => {
		const server = await registry();
		const { layer } = imageOf();
		const tampered = Buffer.from(layer.bytes);
		tampered[2000] = (tampered[2000] as number) ^ 1;
		server.blobs.set(layer.digest, tampered);
		const ran = await gateway(server).run();
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_IMAGE_DIGEST: /m);
	});

	test("without registry and cache the gateway says so and does not start", async () => {
		const server = await registry();
		server.stop();
		const ran = await gateway(server).run();
		expect(ran).toMatchObject({ code: 1, stdout: "" });
		expect(ran.stderr).toMatch(/^error E_REGISTRY_CONNECT: /m);
	});

	test("a name that is none is a mistake of the config, found without connecting", async () => {
		const server = await registry();
		const wrong = gateway(server, { name: "overheat:1.2" });
		const ran = await wrong.verb("check", "gateway.yaml");
		expect(ran).toMatchObject({ code: 3 });
		expect(ran.stderr).toMatch(
			/^error E_CONFIG_MODULE: .*gateway\.yaml:5:\d+ .*E_IMAGE_REFERENCE/m,
		);
		expect(await gateway(server).verb("check", "gateway.yaml")).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("overheat:1.2"),
		});
		expect(server.asked).toEqual([]);
	});
});
