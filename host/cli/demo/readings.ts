/** What the demo publishes. */
export interface Publication {
	topic: string;
	payload: Buffer;
	/** Sent to be refused; one of {@link BROKEN}. */
	broken: boolean;
}

const DEVICES = 5;

/**
 * Deals the readings of one office to five devices in turn. Only the device id changes (same
 * length, in place); every value stays what the sensor measured. The broken readings are spread
 * among them.
 */
export function dealReadings(ndjson: string): Publication[] {
	const lines = ndjson.split("\n").filter((line) => line !== "");
	const dealt = lines.map((line, i) => reading(line, (i % DEVICES) + 1));
	const gap = Math.floor(lines.length / (BROKEN.length + 1));
	for (const [k, payload] of BROKEN.entries())
		dealt.splice((k + 1) * gap + k, 0, broken(payload, (k % DEVICES) + 1));
	return dealt;
}

function reading(line: string, device: number): Publication {
	const named = line.replace('"office-1"', `"office-${device}"`);
	return { topic: topicOf(device), payload: Buffer.from(named), broken: false };
}

function broken(payload: Buffer, device: number): Publication {
	return { topic: topicOf(device), payload, broken: true };
}

function topicOf(device: number): string {
	return `site/office/office-${device}/climate`;
}

/** What a line meets in a plant: cut off, mistyped, not JSON, empty, not UTF-8, too large. */
export const BROKEN: readonly Buffer[] = [
	Buffer.from('{"device_id":"office-1","temperature":2'),
	Buffer.from(
		'{"device_id":"office-2","temperature":"warm","humidity":26.3,"light":580,"co2":760,"timestamp":1422886740000}',
	),
	Buffer.from("ERROR: sensor offline"),
	Buffer.alloc(0),
	Buffer.from('{"device_id":"office-5\xff","temperature":21.5}', "latin1"),
	Buffer.from(`{"device_id":"office-1","note":"${"x".repeat(70_000)}"}`),
];
