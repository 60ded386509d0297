import type { Batch } from "../contract.js";
import { copyPayload, LF } from "./lines.js";

/**
 * Readings [from, to) of a batch, handed to a module made elsewhere as one. Plain mode does
 * not say which reading an output came from, so all outputs belong to the unit, it is
 * acknowledged as one, and when it fails its readings are tried one by one.
 */
export interface Unit {
	batch: Batch;
	from: number;
	to: number;
	/** The gateway's time when the batch came, ms: the same when it is tried again. */
	time: number;
	/** Bytes of {@link encodeUnit}. */
	size: number;
}

export type UnitBy = "batch" | "topic";

/** Cuts a batch into units of at most `max` readings; `by` topic, one unit has one topic. */
export function cutUnits(
	batch: Batch,
	by: UnitBy,
	max: number,
	time: number,
): Unit[] {
	const units: Unit[] = [];
	for (let from = 0; from < batch.count; ) {
		let to = from + 1;
		while (
			to < batch.count &&
			to - from < max &&
			(by === "batch" || sameTopic(batch, from, to))
		) {
			to++;
		}
		units.push(unitOf(batch, from, to, time));
		from = to;
	}
	return units;
}

/** The readings of a unit, a unit each. */
export function splitUnit({ batch, from, to, time }: Unit): Unit[] {
	return Array.from({ length: to - from }, (_, k) =>
		unitOf(batch, from + k, from + k + 1, time),
	);
}

/** One reading a line. */
export function encodeUnit({ batch, from, to, size }: Unit): Uint8Array {
	const lines = Buffer.allocUnsafe(size);
	let at = 0;
	for (let i = from; i < to; i++) {
		at = copyPayload(batch, i, lines, at);
		lines[at++] = LF;
	}
	return lines;
}

function unitOf(batch: Batch, from: number, to: number, time: number): Unit {
	let size = to - from;
	for (let i = from; i < to; i++) {
		size += (batch.payloadEnd[i] as number) - (batch.payloadAt[i] as number);
	}
	return { batch, from, to, time, size };
}

function sameTopic(batch: Batch, i: number, k: number): boolean {
	const [a, b] = [batch.topicIn[i] as Buffer, batch.topicIn[k] as Buffer];
	return (
		a.compare(
			b,
			batch.topicAt[k],
			batch.topicEnd[k],
			batch.topicAt[i],
			batch.topicEnd[i],
		) === 0
	);
}
