// JSON.parse alone: no module, no gateway, the same bytes in and out.

/** @returns {import("../bare-guest.mjs").BareGuest} */
export function jsonParse() {
	const out = Buffer.allocUnsafe(2 ** 20);
	/** @param {Uint8Array} input */
	function run(input) {
		const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
		let at = 0;
		let used = 0;
		for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
			const reading = JSON.parse(bytes.toString("utf8", at, end));
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
	return { run, hear: (input) => out.toString("utf8", 0, run(input)) };
}
