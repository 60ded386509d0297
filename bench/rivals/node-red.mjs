// Node-RED with one flow: mqtt in, a function with two ifs, mqtt out. Where `npm run bench:rivals` has installed it.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { launch, scratchFolder } from "../children.mjs";
import { SUBSCRIPTION } from "../load/readings.mjs";
import { running } from "../subjects.mjs";

/** The last line of versions that Node 20 runs; in a folder of its own, as it is no dependency. */
export const VERSION = "4.1.15";
export const FOLDER = join(
	process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
	`wasieve/node-red-${VERSION}`,
);
const PROGRAM = join(FOLDER, "node_modules/node-red/red.js");

export const isInstalled = () => existsSync(PROGRAM);

const RULE = `
const alerts = [];
const alert = (kind, value) => {
	const { device_id, timestamp } = msg.payload;
	const payload = { device_id, alert_type: kind, value, timestamp };
	alerts.push({ topic: "alerts/" + msg.topic, payload });
};
if (msg.payload.temperature > 85) alert("high_temperature", msg.payload.temperature);
if (msg.payload.humidity > 95) alert("high_humidity", msg.payload.humidity);
return [alerts];`;

/**
 * @param {number} port
 * @param {0 | 1} qos
 */
function flow(port, qos) {
	const broker = { type: "mqtt-broker", broker: "127.0.0.1", port };
	return [
		{ id: "tab", type: "tab", label: "overheat" },
		{
			...broker,
			id: "b",
			clientid: "",
			protocolVersion: "4",
			cleansession: true,
		},
		{
			...{ id: "in", z: "tab", type: "mqtt in", broker: "b" },
			...{ topic: SUBSCRIPTION, qos: String(qos), datatype: "json" },
			wires: [["rule"]],
		},
		{
			...{ id: "rule", z: "tab", type: "function", func: RULE },
			...{ outputs: 1, libs: [] },
			wires: [["out"]],
		},
		{
			...{ id: "out", z: "tab", type: "mqtt out", broker: "b" },
			...{ topic: "", qos: String(qos), retain: "false" },
			wires: [],
		},
	];
}

let folders = 0;

/** @type {import("../subjects.mjs").Subject} */
export const nodeRed = {
	name: `Node-RED ${VERSION}`,
	rival: true,
	async start({ port, qos }) {
		const folder = join(scratchFolder(), `node-red-${folders++}`);
		mkdirSync(folder);
		writeFileSync(join(folder, "flows.json"), JSON.stringify(flow(port, qos)));
		writeFileSync(join(folder, "settings.js"), SETTINGS);
		const args = [PROGRAM, "-u", folder, "-s", join(folder, "settings.js")];
		return running(launch(process.execPath, args));
	},
};

/** No editor, no admin interface, no log: only the flow. */
const SETTINGS = `module.exports = {
	flowFile: "flows.json",
	uiPort: 0,
	httpAdminRoot: false,
	httpNodeRoot: false,
	disableEditor: true,
	telemetry: { enabled: false },
	logging: { console: { level: "error", metrics: false, audit: false } },
};
`;
