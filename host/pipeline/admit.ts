import type { Batch, Clock } from "../contract.js";
import { WasieveError } from "../errors.js";
import { type Codec, encodePayloads } from "./codec.js";

/** First byte of a control record: a payload that begins with it could pose as one. */
const RS = 0x1e;

export interface Door {
	codec: Codec;
	/** Longest payload, bytes. */
	readingLimit: number;
	clock: Clock;
}

/**
 * Checks each reading before a filter sees it: `refuse` gets those that may not pass. Returns
 * the batch itself when all may, which is the rule and costs a comparison or three a reading.
 */
export function admit(
	batch: Batch,
	door: Door,
	refuse: (batch: Batch, i: number, why: WasieveError | "expired") => void,
): Batch {
	const input = encodePayloads(batch, door.codec);
	let now = 0;
	let refused: Set<number> | undefined;
	for (let i = 0; i < input.count; i++) {
		const at = input.payloadAt[i] as number;
		const end = input.payloadEnd[i] as number;
		let why: WasieveError | "expired" | undefined;
		if (end - at > door.readingLimit) {
			why = tooLong(end - at, door.readingLimit);
		} else if (end > at && input.bytes[at] === RS) {
			why = poses();
		} else if (input.expires[i] !== Number.POSITIVE_INFINITY) {
			now ||= door.clock();
			if ((input.expires[i] as number) <= now) why = "expired";
		}
		if (why === undefined) continue;
		refused ??= new Set();
		refused.add(i);
		refuse(batch, i, why);
	}
	return refused === undefined ? input : without(input, refused);
}

function without(batch: Batch, refused: ReadonlySet<number>): Batch {
	const all = Array.from({ length: batch.count }, (_, i) => i);
	return batch.pick(all.filter((i) => !refused.has(i)));
}

function tooLong(length: number, limit: number): WasieveError {
	return new WasieveError(
		"E_READING_SIZE",
		`the reading is ${length} bytes long, the limit is ${limit}`,
		{ hint: "raise limits.reading or send smaller readings" },
	);
}

function poses(): WasieveError {
	return new WasieveError(
		"E_READING_RS",
		"the payload begins with the byte 0x1E, which marks control records",
		{ hint: "send JSON, or set from.codec to text or base64" },
	);
}
