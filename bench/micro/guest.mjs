// The filter itself beside JSON.parse doing the same job, in the same process: bytes of a reading in, bytes of an alert out.
import { bareGuest } from "../bare-guest.mjs";
import { COUNT, check, lines, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const modules = overheat();
const scalar = bareGuest(modules.scalar);
const simd = bareGuest(modules.simd);
check(scalar);
check(simd);

const out = Buffer.allocUnsafe(64 * 1024);

function withJson() {
	let at = 0;
	let used = 0;
	for (let end = lines.indexOf(10); end >= 0; end = lines.indexOf(10, at)) {
		const reading = JSON.parse(lines.toString("utf8", at, end));
		if (reading.temperature > 85)
			used += alert(reading, "high_temperature", reading.temperature, used);
		if (reading.humidity > 95)
			used += alert(reading, "high_humidity", reading.humidity, used);
		at = end + 1;
	}
	return used;
}

/**
 * @param {{ device_id: string, timestamp: number }} reading
 * @param {string} kind
 * @param {number} value
 * @param {number} at
 */
function alert({ device_id, timestamp }, kind, value, at) {
	const body = { device_id, alert_type: kind, value, timestamp };
	return out.write(`${JSON.stringify(body)}\n`, at);
}

if (withJson() === 0) throw new Error("JSON.parse raised no alert");

await suite({
	title: "The overheat filter, without gateway",
	note: "Module on the least possible host, tracked mode, no fuel; JSON.parse and JSON.stringify on the same bytes.",
	per: "reading",
	batch: COUNT,
	cases: {
		"JSON.parse": withJson,
		scalar: () => scalar.run(lines),
		SIMD: () => simd.run(lines),
	},
	judge: (ns) => [
		faster("SIMD", ns("JSON.parse") / ns("SIMD"), 4),
		faster("scalar", ns("JSON.parse") / ns("scalar"), 2.5),
	],
});

/**
 * @param {string} name
 * @param {number} ratio
 * @param {number} aim
 */
function faster(name, ratio, aim) {
	return {
		text: `filter against JSON.parse, ${name}`,
		aim: `≥ ${aim} ×`,
		value: ratio,
		met: ratio >= aim,
	};
}
