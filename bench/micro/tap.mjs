// Finding PUBLISH packets in a chunk of the socket: in place, as the tap does, and with mqtt-packet, as MQTT.js does.
import { parser } from "mqtt-packet";
import { Inlet } from "#host/mqtt/inlet.js";
import { packetOf } from "../load/readings.mjs";
import { suite } from "../suite.mjs";

const COUNT = 600;
const chunk = Buffer.concat(
	Array.from({ length: COUNT }, (_, n) =>
		packetOf(n, { qos: 1, messageId: n + 1 }),
	),
);

const inlet = new Inlet(chunk.length);
inlet.filled(chunk.copy(inlet.room()));
const { at, end } = inlet;

/** Topic, packet identifier and payload as offsets, added up so that nothing is optimized away. */
function inPlace() {
	inlet.at = at;
	inlet.end = end;
	let found = 0;
	let payload = 0;
	while (inlet.find()) {
		const bytes = inlet.bytes;
		const topicEnd = inlet.body + 2 + bytes.readUInt16BE(inlet.body);
		payload += inlet.next - (topicEnd + 2) + bytes.readUInt16BE(topicEnd) * 0;
		found++;
		inlet.at = inlet.next;
	}
	return { found, payload };
}

const parsed = { found: 0, payload: 0 };
const library = parser({ protocolVersion: 4 });
library.on("packet", (packet) => {
	if (packet.cmd !== "publish") return;
	parsed.found++;
	parsed.payload += packet.payload.length;
});

function withLibrary() {
	parsed.found = parsed.payload = 0;
	library.parse(chunk);
	return parsed;
}

const ours = inPlace();
const theirs = { ...withLibrary() };
if (ours.found !== COUNT || ours.payload !== theirs.payload)
	throw new Error(`found ${JSON.stringify({ ours, theirs })}`);

await suite({
	title: "Finding packets in a chunk",
	note: `${COUNT} QoS 1 PUBLISH packets of ${Math.round(chunk.length / COUNT)} B.`,
	per: "packet",
	batch: COUNT,
	cases: { "mqtt-packet": withLibrary, "in place": inPlace },
});
