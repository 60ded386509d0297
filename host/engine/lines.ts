import type { Batch } from "../contract.js";

export const LF = 0x0a;
export const SPACE = 0x20;
/** First byte of a control record (docs/protocol.md). */
export const RS = 0x1e;

/** Up to this many bytes a loop beats a call into TypedArray.set by 2 to 1 (Node 20, x86_64). */
const SHORT = 128;

/**
 * Copies the payload of reading i to target[at …) with every LF as a space, so that one
 * reading stays one line. Returns the index after the last byte written; the LF that ends
 * the record is the caller's.
 */
export function copyPayload(
	batch: Batch,
	i: number,
	target: Uint8Array,
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

/** The same for any piece of a payload: from[start, end). */
export function copyLine(
	from: Uint8Array,
	start: number,
	end: number,
	target: Uint8Array,
	at: number,
): number {
	if (end - start <= SHORT) {
		for (let k = start; k < end; k++) {
			const byte = from[k] as number;
			target[at++] = byte === LF ? SPACE : byte;
		}
		return at;
	}
	const piece = from.subarray(start, end);
	target.set(piece, at);
	let lf = piece.indexOf(LF);
	while (lf !== -1) {
		target[at + lf] = SPACE;
		lf = piece.indexOf(LF, lf + 1);
	}
	return at + piece.length;
}
