import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring } from "#host/engine/ring.js";

const SIZE = 8;

function pair(size = SIZE, start = 0) {
	const shared = Ring.allocate(size, start);
	return { writer: new Ring(shared, true), reader: new Ring(shared, false) };
}

const bytes = (...values: number[]) => Uint8Array.from(values);

test("every length at every place, over the end of the data and of the counters", () => {
	const last = 2 ** 32 - 2 * SIZE;
	for (const start of [0, last]) {
		for (let place = 0; place <= 2 * SIZE; place++) {
			for (let length = 0; length <= SIZE; length++) {
				const { writer, reader } = pair(SIZE, (start + place) | 0);
				const sent = Uint8Array.from({ length }, (_, k) => k + 1);
				expect(writer.available).toBe(SIZE);
				writer.put(sent, 0, length);
				expect(reader.available).toBe(0);
				writer.publish();
				expect(reader.available).toBe(length);
				expect(writer.available).toBe(SIZE - length);
				const got = new Uint8Array(length + 2);
				reader.take(got, 1, length);
				expect([...got]).toEqual([0, ...sent, 0]);
				reader.release();
				expect(writer.available).toBe(SIZE);
			}
		}
	}
});

test("pieces put one after the other show up together", () => {
	const { writer, reader } = pair(SIZE, 6);
	writer.put(bytes(9, 1, 2, 9), 1, 3);
	writer.put(bytes(3, 4, 5), 0, 3);
	expect(reader.available).toBe(0);
	writer.publish();
	const got = new Uint8Array(5);
	reader.take(got, 0, 2);
	reader.take(got, 2, 3);
	expect([...got]).toEqual([1, 2, 3, 4, 5]);
	expect(writer.available).toBe(3);
});

test("behaves as a queue of bytes, whatever is put and taken", () => {
	const step = fc.record({
		put: fc.uint8Array({ maxLength: 20 }),
		take: fc.nat(20),
	});
	fc.assert(
		fc.property(fc.array(step), fc.integer(), (steps, start) => {
			const { writer, reader } = pair(16, start);
			let queue: number[] = [];
			for (const { put, take } of steps) {
				const fits = Math.min(put.length, writer.available);
				expect(writer.available).toBe(16 - queue.length);
				writer.put(put, 0, fits);
				writer.publish();
				queue.push(...put.subarray(0, fits));
				expect(reader.available).toBe(queue.length);
				const got = new Uint8Array(Math.min(take, queue.length));
				reader.take(got, 0, got.length);
				reader.release();
				expect([...got]).toEqual(queue.slice(0, got.length));
				queue = queue.slice(got.length);
			}
		}),
	);
});

test("wait() comes back at once when there is enough, and after its time when not", () => {
	const { writer, reader } = pair();
	expect(reader.wait(1, 5)).toBe(false);
	writer.put(bytes(1), 0, 1);
	writer.publish();
	expect(reader.wait(1)).toBe(true);
	expect(reader.wait(2, 5)).toBe(false);
	expect(writer.wait(7)).toBe(true);
	expect(writer.wait(8, 5)).toBe(false);
});

test("only a power of two is a size", () => {
	for (const size of [0, 3, 1000, 2 ** 31, -8]) {
		expect(() => Ring.allocate(size)).toThrow(RangeError);
	}
});

test("200 KB through 64 bytes between two threads that wait for each other", async () => {
	const there = Ring.allocate(64, 2 ** 32 - 40);
	const back = Ring.allocate(64);
	// The other thread sends back what it gets, in pieces of other lengths.
	const code = `
		const { workerData } = require("node:worker_threads");
		import(workerData.ring).then(({ Ring }) => {
			const [input, output] = [new Ring(workerData.there, false), new Ring(workerData.back, true)];
			const piece = new Uint8Array(64);
			for (let left = workerData.total; left > 0; ) {
				input.wait(1);
				const n = Math.min(left, 7, input.available);
				input.take(piece, 0, n);
				input.release();
				output.wait(n);
				output.put(piece, 0, n);
				output.publish();
				left -= n;
			}
		});`;
	const total = 200_000;
	const worker = new Worker(code, {
		eval: true,
		workerData: {
			ring: import.meta.resolve("#host/engine/ring.js"),
			there,
			back,
			total,
		},
	});
	const exit = once(worker, "exit");
	const [writer, reader] = [new Ring(there, true), new Ring(back, false)];
	const got = new Uint8Array(total);
	let sent = 0;
	for (let at = 0; at < total; ) {
		const piece = Math.min(13, total - sent);
		if (piece > 0 && writer.available >= piece) {
			const bytes = Uint8Array.from(
				{ length: piece },
				(_, k) => (sent + k) % 251,
			);
			writer.put(bytes, 0, piece);
			writer.publish();
			sent += piece;
		}
		if (!reader.wait(1, 1)) continue;
		const n = Math.min(reader.available, total - at);
		reader.take(got, at, n);
		reader.release();
		at += n;
	}
	await exit;
	expect(got.every((byte, k) => byte === k % 251)).toBe(true);
});
