// Fills the quarantine named in argv as fast as it goes and tells its parent what was kept.
import { openQuarantine } from "#host/store/quarantine.js";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const quarantine = openQuarantine({
	file: process.argv[2],
	maxBytes: 2 ** 30,
	log,
});
let n = 0;

function more() {
	for (let i = 0; i < 50; i++) {
		const number = n++;
		const reading = {
			pipeline: "a",
			topic: "t",
			payload: Buffer.from(`${number}`.padEnd(500)),
			code: "E_GUEST_REJECT",
			reason: "flood",
			time: 0,
		};
		quarantine.keep(reading, (error) => {
			if (error !== undefined) throw error;
			process.send(number);
		});
	}
	setImmediate(more);
}
more();
