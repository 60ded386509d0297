/** rumqttd, built from crates.io. That takes minutes. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, type Kind, run, serve } from "./process.js";

const VERSION = "0.20.0";

/** One listener per protocol version, and nothing else of what its own default file starts. */
const config = (port: number, port5: number) => `id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
${listener("v4", port)}${listener("v5", port5)}`;

const listener = (version: string, port: number) => `[${version}.1]
name = "${version}"
listen = "127.0.0.1:${port}"
next_connection_delay_ms = 1
[${version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
`;

export const rumqttd: Kind = {
	name: `rumqttd ${VERSION}`,
	protocols: [4, 5],
	highest: 2,
	apart: true,
	async obtain() {
		const folder = cached(`rumqttd-${VERSION}`);
		const path = join(folder, "bin/rumqttd");
		// Not --locked: its lock file holds a crate that compilers of today refuse.
		const from = ["rumqttd", "--version", VERSION, "-j1"];
		if (!existsSync(path))
			await run("cargo", ["install", ...from, "--root", folder]);
		return path;
	},
	start(program, folder, port, port5) {
		const conf = join(folder, "rumqttd.toml");
		writeFileSync(conf, config(port, port5));
		return serve(program, ["-v", "-c", conf], /Listening[\s\S]*Listening/);
	},
};
