/** The gateway's own embedded broker in a process of its own, so that it outlives the gateway. */
import { fileURLToPath } from "node:url";
import { type Kind, serve } from "./process.js";

const BROKER = new URL("../../../build/host/mqtt/broker.js", import.meta.url);

export const aedes: Kind = {
	name: "aedes (embedded)",
	protocols: [4],
	highest: 2,
	obtain: async () => process.execPath,
	start(program, _folder, port) {
		const script = `const { startBroker } = await import(${JSON.stringify(BROKER.href)});
await startBroker({ host: "127.0.0.1", port: ${port} });
console.log("ready");`;
		const args = ["--input-type=module", "-e", script];
		return serve(program, args, /ready/, {
			cwd: fileURLToPath(new URL(".", import.meta.url)),
		});
	},
};
