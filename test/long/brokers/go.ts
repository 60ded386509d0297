/** Brokers written in Go, installed as Go installs programs. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, type Kind, run, serve } from "./process.js";

const NATS = "2.15.0";
const MOCHI = "2.7.9";

async function installed(program: string, from: string): Promise<string> {
	const folder = cached(from.replaceAll(/[/@]/g, "-"));
	const path = join(folder, program);
	if (!existsSync(path))
		await run("go", ["install", "-p", "1", from], { env: { GOBIN: folder } });
	return path;
}

/**
 * Sessions are JetStream consumers: it wants a store and a server name. What was on the way to a lost
 * connection comes again only when ack_wait is over, 30 seconds by default.
 */
export const nats: Kind = {
	name: `nats-server ${NATS}`,
	protocols: [4],
	highest: 2,
	obtain: () =>
		installed("nats-server", `github.com/nats-io/nats-server/v2@v${NATS}`),
	start(program, folder, port) {
		const conf = join(folder, "nats.conf");
		writeFileSync(
			conf,
			`server_name: wasieve
host: 127.0.0.1
port: -1
jetstream { store_dir: ${JSON.stringify(folder)} }
mqtt { host: 127.0.0.1, port: ${port}, max_ack_pending: 1000, ack_wait: "3s" }
`,
		);
		return serve(program, ["-c", conf], /Server is ready/);
	},
};

/** It drops QoS 1 messages when one of its queues of 8,192 is full: make them larger. */
export const mochi: Kind = {
	name: `mochi ${MOCHI}`,
	protocols: [4, 5],
	highest: 2,
	forgets:
		"what is published between its copying of the old connection's messages and its subscribing of the new one",
	obtain: () =>
		installed(
			"docker", // the name of the folder that holds its configurable main program
			`github.com/mochi-mqtt/server/v2/cmd/docker@v${MOCHI}`,
		),
	start(program, folder, port) {
		const conf = join(folder, "mochi.yaml");
		writeFileSync(
			conf,
			`listeners: [{ type: tcp, id: tcp, address: "127.0.0.1:${port}" }]
hooks: { auth: { allow_all: true } }
options:
  capabilities:
    maximum_clients: 1000
    maximum_message_expiry_interval: 86400
    maximum_client_writes_pending: 100000
    maximum_session_expiry_interval: 4294967295
    receive_maximum: 1024
    maximum_inflight: 65535
    topic_alias_maximum: 65535
    shared_sub_available: 1
    minimum_protocol_version: 3
    maximum_qos: 2
    retain_available: 1
    wildcard_sub_available: 1
    sub_id_available: 1
`,
		);
		return serve(program, ["-config", conf], /mqtt server started/);
	},
};
