import type { Batch } from "../contract.js";
import { WasieveError } from "../errors.js";
import type { Inlet } from "./inlet.js";
import { PublishProperties } from "./properties.js";

/** What is kept of a reading that is larger than allowed. */
export class Oversized {
	private constructor(
		readonly topic: string,
		/** The first bytes of the payload. */
		readonly payload: Buffer,
		readonly qos: number,
		readonly id: number,
		/** Bytes of the payload; of the whole packet where its properties did not fit into the head. */
		readonly size: number,
	) {}

	/** Of reading i, which has come whole. */
	static of(inlet: Inlet, batch: Batch, i: number, keep: number): Oversized {
		const at = batch.payloadAt[i] as number;
		const size = (batch.payloadEnd[i] as number) - at;
		const payload = inlet.bytes.subarray(at, at + Math.min(size, keep));
		return new Oversized(batch.topic(i), Buffer.from(payload), 0, 0, size);
	}

	/** Of the packet at `inlet.at`, of which at least topic and id have come. */
	static ahead(inlet: Inlet, v5: boolean, keep: number): Oversized {
		const { bytes, body, end, next } = inlet;
		const qos = (inlet.first >> 1) & 3;
		const topicEnd = body + 2 + bytes.readUInt16BE(body);
		const idEnd = qos === 0 ? topicEnd : topicEnd + 2;
		const found = new PublishProperties();
		const at = v5 ? found.skip(bytes, idEnd, end) : idEnd;
		const payload = bytes.subarray(at, Math.min(end, at + keep));
		const named = inlet.aliases[found.alias];
		return new Oversized(
			topicEnd === body + 2 && named
				? named.toString()
				: bytes.toString("utf8", body + 2, topicEnd),
			Buffer.from(payload),
			qos,
			qos === 0 ? 0 : bytes.readUInt16BE(topicEnd),
			next - at,
		);
	}

	error(limit: number): WasieveError {
		return new WasieveError(
			"E_READING_SIZE",
			`A reading of ${this.size} bytes came on ${this.topic}; the limit is ${limit}.`,
			{
				hint: "Raise limits.reading, or find out what publishes there. The first bytes are in the quarantine.",
			},
		);
	}
}
