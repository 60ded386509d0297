import { join, Reader, section, u32 } from "../module/binary.js";
import { findSections, SECTION } from "../module/layout.js";

/**
 * A module that never allocates, without what only an allocator reads. In front of each object that the language lays
 * out lies the size of its block, and the optimizer gives these bytes data segments of their own, for the zeros behind them:
 *
 *   | block u32 | 0 | 0 | class u32 | size u32 | content … |
 *
 * 8 bytes for each string, 3 for the count of segments, which only memory.init needs.
 */
export function withoutBlocks(module: Uint8Array): Uint8Array {
	const data = findSections(module).find(({ id }) => id === SECTION.data);
	const count = findSections(module).find(({ id }) => id === DATA_COUNT);
	if (!data || !count) return module;
	const segments = readSegments(new Reader(module, data.at, data.end));
	const kept = segments.filter((each, i) => !isBlock(each, segments[i + 1]));
	const entries = kept.map(({ start, end }) => module.subarray(start, end));
	return join([
		module.subarray(0, count.start),
		module.subarray(count.end, data.start),
		...section(SECTION.data, [u32(kept.length), ...entries]),
		module.subarray(data.end),
	]);
}

const DATA_COUNT = 12;

interface Segment {
	/** Of the entry, in the module. */
	start: number;
	end: number;
	/** In memory. */
	address: number;
	bytes: Uint8Array;
}

/** | 0 | i32.const address | end | length | bytes | */
function readSegments(reader: Reader): Segment[] {
	return Array.from({ length: reader.count() }, () => {
		const start = reader.at;
		reader.skip(2);
		const address = reader.u32();
		reader.skip(1);
		const length = reader.u32();
		reader.skip(length);
		const { at: end, bytes } = reader;
		return { start, end, address, bytes: bytes.subarray(end - length, end) };
	});
}

/** Exactly the block that the object behind it would have: with its four words before the content a multiple of 16, less 4. */
function isBlock(segment: Segment, next: Segment | undefined): boolean {
	if (next?.address !== segment.address + 12 || next.bytes.length < 5)
		return false;
	const size = word(next.bytes, 4);
	return word(segment.bytes, 0) === ((size + 20 + 15) & ~15) - 4;
}

/** Little-endian; zeros at the end are not there. */
function word(bytes: Uint8Array, at: number): number {
	return [0, 1, 2, 3].reduce(
		(sum, i) => sum + (bytes[at + i] ?? 0) * 2 ** (8 * i),
		0,
	);
}
