// Knocks until somebody answers: a hot reading every few milliseconds until the first alert comes back.
import { now } from "./clock.mjs";
import { ALERTS, answeredBy, HOT_EVERY, packetOf } from "./readings.mjs";
import {
	connect,
	PUBLISH,
	publishParts,
	splitter,
	subscribe,
} from "./wire.mjs";

/** Grain of a measured start, ms. */
const EVERY_MS = 2;

/**
 * @param {number} port of the broker
 * @returns {Promise<{ first: Promise<number>, send: (count: number, everyMs?: number) => Promise<void>, close: () => void }>}
 *   `first`: when the first right alert arrived, on the clock of clock.mjs; `send` more readings, 1 a millisecond or less often
 */
export async function openProbe(port) {
	const [ear, mouth] = await Promise.all([
		connect(port, "bench-ear"),
		connect(port, "bench-mouth"),
	]);
	await subscribe(ear, ALERTS, 0);
	let n = 0;
	const speak = () => {
		mouth.write(packetOf(n, { qos: 0 }));
		n += HOT_EVERY;
	};
	const timer = setInterval(speak, EVERY_MS);
	const first = new Promise((resolve) => {
		const split = splitter((bytes, kind, at, end) => {
			if (kind >> 4 !== PUBLISH) return;
			const { payloadAt } = publishParts(bytes, kind, at);
			if (answeredBy(bytes, at, payloadAt, end) < 0) return;
			clearInterval(timer);
			resolve(now());
		});
		ear.on("data", split);
	});
	return {
		first,
		async send(count, everyMs = 1) {
			for (let i = 0; i < count; i++) {
				speak();
				await new Promise((resolve) => setTimeout(resolve, everyMs));
			}
		},
		close() {
			clearInterval(timer);
			ear.destroy();
			mouth.destroy();
		},
	};
}
