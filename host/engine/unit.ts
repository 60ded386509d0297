import type { Batch } from "../contract.js";
import { WasieveError } from "../errors.js";
import { copyPayload, LF, viewOf } from "./lines.js";

/** Readings [from, to) of a batch that the guest has not been given yet. */
export interface Span {
	batch: Batch;
	from: number;
	to: number;
	/** The gateway's time when the batch came, ms: the same when it is tried again. */
	time: number;
	/** To be tried one by one: the guest failed on them together. */
	alone: boolean;
}

/**
 * Readings handed to a module made elsewhere as one. Plain mode does not say which reading an
 * output came from, so all outputs belong to the unit, it is acknowledged as one, and when it
 * fails its readings are tried one by one.
 */
export interface Unit extends Span {
	/** Bytes of {@link encodeUnit}. */
	size: number;
}

export type UnitBy = "batch" | "topic";

/** The first readings of a span, at most `max`; `by` topic, all of one topic. */
export function cutUnit(span: Span, by: UnitBy, max: number): Unit {
	const { batch, from } = span;
	const end = Math.min(span.to, from + (span.alone ? 1 : max));
	let to = from + 1;
	while (to < end && (by === "batch" || sameTopic(batch, from, to))) to++;
	return { ...span, to, size: sizeOf(batch, from, to) };
}

/** Bytes of readings [from, to), a line each. */
export function sizeOf(batch: Batch, from: number, to: number): number {
	let size = to - from;
	for (let i = from; i < to; i++) {
		size += (batch.payloadEnd[i] as number) - (batch.payloadAt[i] as number);
	}
	return size;
}

/** Bytes of output that are kept until a unit is done, beyond those of one reading. */
const KEPT = 16 * 1024 * 1024;

/** Bytes that a unit may write when `output` is what one of its readings may. */
export function outputOf(readings: number, output: number): number {
	return Math.min(output * readings, output + KEPT);
}

/** One reading a line. */
export function encodeUnit({ batch, from, to, size }: Unit): Uint8Array {
	const lines = Buffer.allocUnsafe(size);
	const view = viewOf(lines);
	let at = 0;
	for (let i = from; i < to; i++) {
		at = copyPayload(batch, i, view, at);
		lines[at++] = LF;
	}
	return lines;
}

/** A reading of `size` bytes for a filter that takes `max`. */
export function tooLong(size: number, max: number): WasieveError {
	return new WasieveError(
		"E_READING_SIZE",
		`the reading is ${size} bytes long, this filter takes ${max}`,
		{ hint: "send smaller readings" },
	);
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
