/** Debian's mosquitto, which `npm test` uses as well: here for the same trials as the others. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Kind, serve } from "./process.js";

export const mosquitto: Kind = {
	name: "mosquitto 2.0",
	protocols: [4, 5],
	highest: 2,
	async obtain() {
		const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
		const found = folders
			.map((folder) => join(folder, "mosquitto"))
			.find((path) => existsSync(path));
		if (!found) throw new Error("apt-get install mosquitto");
		return found;
	},
	start(program, folder, port) {
		const conf = join(folder, "mosquitto.conf");
		writeFileSync(
			conf,
			`listener ${port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
set_tcp_nodelay true
`,
		);
		return serve(program, ["-v", "-c", conf], / running/);
	},
};
