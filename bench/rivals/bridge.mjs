// What one writes by hand today: mqtt.js, JSON.parse, two ifs. The rival in every table.
// bridge.mjs PORT QOS CONNECTIONS      1: publishes on the connection it reads from; 2: one in, one out
import mqtt from "mqtt";

const [port, level, connections] = process.argv.slice(2).map(Number);
const qos = level === 1 ? 1 : 0;
const url = `mqtt://127.0.0.1:${port}`;

const input = mqtt.connect(url);
const output = connections === 2 ? mqtt.connect(url) : input;

for (const client of new Set([input, output]))
	client.on("error", (error) => console.error(error.message));

input.on("connect", () => {
	input.subscribe("s/#", { qos }, (error) => {
		if (error) console.error(error.message);
	});
});

// MQTT.js acknowledges an input as soon as this returns, whether the alert has arrived or not.
input.on("message", (topic, payload) => {
	const reading = parse(topic, payload);
	if (!reading) return;
	if (reading.temperature > 85)
		alert(topic, reading, "high_temperature", reading.temperature);
	if (reading.humidity > 95)
		alert(topic, reading, "high_humidity", reading.humidity);
});

/**
 * @param {string} topic
 * @param {Buffer} payload
 */
function parse(topic, payload) {
	try {
		return JSON.parse(payload.toString());
	} catch (error) {
		console.error(topic, /** @type {Error} */ (error).message);
		return undefined;
	}
}

/**
 * @param {string} topic
 * @param {{ device_id: string, timestamp: number }} reading
 * @param {string} kind
 * @param {number} value
 */
function alert(topic, { device_id, timestamp }, kind, value) {
	const body = { device_id, alert_type: kind, value, timestamp };
	output.publish(`alerts/${topic}`, JSON.stringify(body), { qos });
}

process.on("SIGTERM", () => process.exit(0));
