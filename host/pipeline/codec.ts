import { Batch } from "../contract.js";

/** How a payload becomes a JSON text: as it is, or as a JSON string of its text or base64. */
export type Codec = "json" | "text" | "base64";

/** A batch with every payload encoded; for "json" the batch itself. */
export function encodePayloads(batch: Batch, codec: Codec): Batch {
	if (codec === "json") return batch;
	const texts: Buffer[] = [];
	for (let i = 0; i < batch.count; i++) {
		const text = batch.payload(i).toString(codec === "text" ? "utf8" : codec);
		texts.push(Buffer.from(JSON.stringify(text)));
	}
	return withPayloads(batch, texts);
}

function withPayloads(batch: Batch, payloads: readonly Buffer[]): Batch {
	const encoded = new Batch(batch.count);
	// The payloads first, then the batch's own bytes, which its user properties point into.
	const shift = payloads.reduce((sum, payload) => sum + payload.length, 0);
	encoded.bytes = Buffer.concat([...payloads, batch.bytes]);
	let end = 0;
	for (let i = 0; i < batch.count; i++) {
		encoded.payloadAt[i] = end;
		end += (payloads[i] as Buffer).length;
		encoded.payloadEnd[i] = end;
		encoded.number[i] = batch.number[i] as number;
		encoded.topicIn[i] = batch.topicIn[i] as Buffer;
		encoded.topicAt[i] = batch.topicAt[i] as number;
		encoded.topicEnd[i] = batch.topicEnd[i] as number;
		encoded.userAt[i] = (batch.userAt[i] as number) + shift;
		encoded.userEnd[i] = (batch.userEnd[i] as number) + shift;
		encoded.expires[i] = batch.expires[i] as number;
		encoded.flags[i] = batch.flags[i] as number;
	}
	encoded.count = batch.count;
	return encoded;
}
