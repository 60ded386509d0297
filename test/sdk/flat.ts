import { expect } from "vitest";
import { Guest, HELLO } from "./guest.js";

/** Streams so many megabytes through, and sees that memory has its size after the first two. */
export async function flat(
	module: WebAssembly.Module,
	megabytes: number,
): Promise<void> {
	const guest = new Guest(module).give(HELLO).start();
	guest.out();
	const batch = Array.from(
		{ length: 250 },
		(_, i) => `{"device_id":"device-${i % 50}","temperature":${i / 7}}\n`,
	).join("");
	let streamed = 0;
	let settled = 0;
	let alerts = 0;
	while (streamed < megabytes * 2 ** 20) {
		guest.give(batch).pump();
		alerts += guest.out().split('"count":').length - 1;
		streamed += batch.length;
		if (streamed > 2 * 2 ** 20) settled ||= guest.memory.buffer.byteLength;
	}
	expect(alerts).toBe(50 * Math.floor(((streamed / batch.length) * 5) / 1000));
	expect(guest.memory.buffer.byteLength).toBe(settled);
	expect(settled).toBeLessThan(2 ** 20);
}
