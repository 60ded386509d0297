import { NO_NUMBER, type OutputProperties, type Sink } from "../../contract.js";
import type { WasieveError } from "../../errors.js";
import type { Publication } from "./readings.js";

/** A sink that says what it could not deliver; the devices only count that. */
export interface Devices {
	/** Resolves when the broker has acknowledged every publication. */
	publish(what: readonly Publication[], rate: number): Promise<void>;
	/** Publications the broker would not take. */
	readonly refused: readonly WasieveError[];
	close(): Promise<void>;
}

const TICK_MS = 10;

/** Five devices on one connection; `rate` is readings per second in all, 0 as fast as the broker takes them. */
export async function startDevices(sink: Sink): Promise<Devices> {
	const refused: WasieveError[] = [];
	await sink.start({
		delivered() {},
		undeliverable: (_n, error) => refused.push(error),
		settle() {},
		ready() {},
		health() {},
	});
	return {
		refused,
		publish: async (what, rate) => {
			await pace(what, rate, sink);
			await sink.drain();
		},
		close: () => sink.close(),
	};
}

function pace(
	what: readonly Publication[],
	rate: number,
	sink: Sink,
): Promise<void> {
	const began = performance.now();
	let sent = 0;
	return new Promise((resolve) => {
		const timer = setInterval(() => {
			const seconds = (performance.now() - began) / 1000;
			const due =
				rate === 0 ? what.length : Math.min(what.length, seconds * rate);
			while (sent < due && sink.ready) write(sink, what[sent++] as Publication);
			sink.commit();
			if (sent < what.length) return;
			clearInterval(timer);
			resolve();
		}, TICK_MS);
	});
}

function write(sink: Sink, { topic, payload }: Publication): void {
	sink.write(NO_NUMBER, payload, 0, payload.length, propertiesOf(topic));
}

function propertiesOf(topic: string): OutputProperties {
	const bytes = Buffer.from(topic);
	return {
		topic: bytes,
		topicLength: bytes.length,
		user: bytes,
		userAt: 0,
		userEnd: 0,
		expires: Number.POSITIVE_INFINITY,
	};
}
