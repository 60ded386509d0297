// The number parser: the same filter on readings that differ only in how their temperature is spelled. All are exact to
// the last bit; up to 19 digits and 10^±22 that is one division, beyond it is arithmetic on big integers.
import { bareGuest } from "../bare-guest.mjs";
import { COUNT, overheat } from "../shipped.mjs";
import { suite } from "../suite.mjs";

const SPELLINGS = {
	60.08: "60.08",
	"16 digits": "60.08123456789012",
	"exponent 6.008e1": "6.008e1",
	"20 digits (exact path)": "60.081234567890123456",
	"1e-300 (exact path)": "1.2345678901234e-300",
};

const guest = bareGuest(overheat().scalar);

/** @param {string} temperature */
function readings(temperature) {
	const line = `{"device_id":"press-627","temperature":${temperature},"humidity":66.9,"timestamp":1700000000000}\n`;
	return Buffer.from(line.repeat(COUNT));
}

if (!guest.hear(readings("85.000000000000014210854715202004")).includes("{"))
	throw new Error("the next double above 85 is not above 85");
if (guest.hear(readings("85.000000000000000000000000000001")).includes("{"))
	throw new Error("85 is above 85");

await suite({
	title: "Numbers",
	note: "The whole reading, scalar, its temperature spelled in different ways.",
	per: "reading",
	batch: COUNT,
	cases: Object.fromEntries(
		Object.entries(SPELLINGS).map(([name, spelling]) => {
			const input = readings(spelling);
			return [name, () => guest.run(input)];
		}),
	),
});
