import { expect, test } from "vitest";
import { Inlet, SLAB } from "#host/mqtt/inlet.js";

/** Feeds `bytes` in pieces of `size` and returns the packets found, as hex. */
function packetsIn(bytes: Buffer, size: number, largest = SLAB): string[] {
	const inlet = new Inlet(largest);
	const found: string[] = [];
	for (let from = 0; from < bytes.length; ) {
		const room = inlet.room();
		const count = bytes.copy(
			room,
			0,
			from,
			Math.min(bytes.length, from + size),
		);
		expect(count).toBeGreaterThan(0);
		inlet.filled(count);
		from += count;
		while (inlet.find()) {
			found.push(inlet.bytes.toString("hex", inlet.at, inlet.next));
			inlet.at = inlet.next;
		}
	}
	return found;
}

// biome-ignore format: a line is a field
const STREAM = Buffer.from([
	0xd0, 0x00, // PINGRESP
	0x40, 0x02, 0x00, 0x01, // PUBACK 1
	0x30, 0x05, 0x00, 0x01, 0x61, 0x68, 0x69, // PUBLISH a: hi
	0x30, 0x80, 0x01, ...Buffer.alloc(128, 7), // two bytes of length
	0xd0, 0x00,
]);
const WHOLE = packetsIn(STREAM, STREAM.length);

test("packets are found in one piece", () => {
	expect(WHOLE).toHaveLength(5);
	expect(WHOLE.slice(0, 3)).toEqual([
		"d000",
		"40020001",
		"300500016168" + "69",
	]);
});

test("pieces of every size give the same packets", () => {
	for (let size = 1; size <= STREAM.length; size++)
		expect(packetsIn(STREAM, size)).toEqual(WHOLE);
});

test("a packet larger than the slab is copied into one of its size", () => {
	const body = Buffer.alloc(3 * SLAB, 5);
	const header = Buffer.from([0x30, 0x80, 0x80, 0x30]); // 786,432
	const stream = Buffer.concat([STREAM, header, body, STREAM]);
	for (const size of [1000, 65_536, SLAB, stream.length]) {
		const found = packetsIn(stream, size, 4 * SLAB);
		expect(found).toHaveLength(11);
		expect(found[5]).toHaveLength(2 * (4 + body.length));
		expect(found.slice(6)).toEqual(WHOLE);
	}
});

/** A stream like no other's: packets of `fill`, one of them larger than fits in front of a read. */
function streamOf(fill: number): Buffer {
	const packet = (size: number) =>
		Buffer.concat([
			Buffer.from([0x30, size | 0x80, (size >> 7) | 0x80, size >> 14]),
			Buffer.alloc(size, fill),
		]);
	const sizes = [20_000, 300, 196_608, 300, 65_000, 400, 70_000, 300, 300];
	return Buffer.concat(sizes.map((size) => packet(size + fill)));
}

test("inlets that read in turn into the same slab keep what they have left", () => {
	for (const size of [997, 10_000, 100_000, 262_144]) {
		const all = [1, 2, 3].map((fill) => ({
			stream: streamOf(fill),
			inlet: new Inlet(SLAB),
			found: [] as string[],
			from: 0,
			reads: 0,
		}));
		const turn = (each: (typeof all)[number]) => {
			const { inlet, stream, found } = each;
			const count = stream.copy(inlet.room(), 0, each.from, each.from + size);
			inlet.filled(count);
			each.from += count;
			// Every third read is a pause: nothing is taken, and then all at once.
			const pauses = ++each.reads % 3 === 0 && each.from < stream.length;
			while (!pauses && inlet.find()) {
				found.push(inlet.bytes.toString("hex", inlet.at, inlet.next));
				inlet.at = inlet.next;
			}
			inlet.settle();
		};
		while (all.some(({ from, stream }) => from < stream.length)) {
			for (const each of all) if (each.from < each.stream.length) turn(each);
		}
		for (const { stream, found } of all)
			expect(found.join("") === stream.toString("hex")).toBe(true);
	}
});

test("a large packet that begins in what was put aside gets a buffer it fits into", () => {
	const packet = (size: number) =>
		Buffer.concat([
			Buffer.from([0x30, size | 0x80, (size >> 7) | 0x80, size >> 14]),
			Buffer.alloc(size, 9),
		]);
	const [small, large] = [packet(60_000), packet(600_000)];
	const stream = Buffer.concat([small, large, small]);
	// Most of the small one is put aside, then the first bytes of the large one, in the same memory.
	const cuts = [59_000, 60_014];
	const inlet = new Inlet(4 * SLAB);
	const found: number[] = [];
	let from = 0;
	for (let k = 0; from < stream.length; k++) {
		const to = cuts[k] ?? from + SLAB;
		const count = stream.copy(inlet.room(), 0, from, to);
		expect(count).toBeGreaterThan(0);
		inlet.filled(count);
		from += count;
		while (inlet.find()) {
			found.push(inlet.next - inlet.at);
			inlet.at = inlet.next;
		}
		inlet.settle();
	}
	expect(found).toEqual([60_004, 600_004, 60_004]);
});

test("a length of five bytes is an error", () => {
	const bytes = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]);
	for (let size = 1; size <= bytes.length; size++)
		expect(() => packetsIn(bytes, size)).toThrow(/remaining length/);
});

test("a packet given up is skipped wherever it is cut", () => {
	const stream = Buffer.concat([
		Buffer.from([0x30, 0xc8, 0x01]),
		Buffer.alloc(200),
		STREAM,
	]);
	for (let cut = 3; cut < stream.length; cut++) {
		const inlet = new Inlet(SLAB);
		let found = 0;
		for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
			inlet.filled(piece.copy(inlet.room()));
			const first = inlet.skip === 0 && found === 0;
			inlet.find();
			if (first && inlet.next > inlet.end) inlet.abandon();
			while (inlet.find()) {
				found++;
				inlet.at = inlet.next;
			}
		}
		expect(found).toBeGreaterThanOrEqual(5);
		expect(found).toBeLessThanOrEqual(6);
	}
});
