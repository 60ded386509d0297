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

/** With bytes of its own: the batch's are a whole slab, and only the user properties in it are needed. */
function withPayloads(batch: Batch, payloads: readonly Buffer[]): Batch {
	const encoded = new Batch(batch.count);
	encoded.bytes = Buffer.allocUnsafe(sizeOf(batch, payloads));
	let used = 0;
	for (let i = 0; i < batch.count; i++) {
		encoded.payloadAt[i] = used;
		used += (payloads[i] as Buffer).copy(encoded.bytes, used);
		encoded.payloadEnd[i] = encoded.userAt[i] = used;
		const [userAt, userEnd] = [batch.userAt[i], batch.userEnd[i]];
		used += batch.bytes.copy(encoded.bytes, used, userAt, userEnd);
		encoded.userEnd[i] = used;
		encoded.number[i] = batch.number[i] as number;
		encoded.topicIn[i] = batch.topicIn[i] as Buffer;
		encoded.topicAt[i] = batch.topicAt[i] as number;
		encoded.topicEnd[i] = batch.topicEnd[i] as number;
		encoded.expires[i] = batch.expires[i] as number;
		encoded.flags[i] = batch.flags[i] as number;
	}
	encoded.count = batch.count;
	return encoded;
}

function sizeOf(batch: Batch, payloads: readonly Buffer[]): number {
	return payloads.reduce(
		(sum, { length }, i) =>
			sum + length + (batch.userEnd[i] as number) - (batch.userAt[i] as number),
		0,
	);
}
