import { usage } from "./report.js";

/** What a gateway tells its filters besides readings. */
export interface InBand {
	topic: string;
	/** ms since 1970; undefined when it was not given. */
	now: number | undefined;
	/** Path of the field that has a reading's time. */
	timeField: string | undefined;
}

export const IN_BAND = ["topic", "now", "time-field"] as const;

/** The options of exec that say it; undefined without any of them. Throws E_USAGE. */
export function inBandOf(values: {
	topic?: string;
	now?: string;
	"time-field"?: string;
	time?: string;
	"real-time"?: boolean;
}): InBand | undefined {
	const given = IN_BAND.find((name) => values[name] !== undefined);
	if (given === undefined) return undefined;
	const { topic = "", now, "time-field": timeField } = values;
	for (const other of ["time", "real-time"] as const)
		if (values[other] !== undefined)
			throw usage("exec", `--${other} does not go with --${given}`);
	return { topic, now: now === undefined ? now : present(now), timeField };
}

function present(written: string): number {
	const ms = millisecondsOf(/^\d+$/.test(written) ? Number(written) : written);
	if (ms !== undefined) return ms;
	const form = "2026-01-31T12:00:00Z or milliseconds since 1970";
	throw usage("exec", `--now '${written}' is not a time such as ${form}`);
}

/** A number is milliseconds since 1970, a text as ISO 8601 has it; undefined for anything else. Whole, not below 0. */
export function millisecondsOf(value: unknown): number | undefined {
	const ms = typeof value === "string" ? fromText(value) : value;
	const fits = typeof ms === "number" && ms >= 0 && ms <= LATEST;
	return fits ? Math.floor(ms) : undefined;
}

/** The last millisecond that a JavaScript date can be (ECMA-262, 21.4.1.1). */
const LATEST = 8.64e15;

/** What Date.parse takes besides is a guess; without a zone it would be this machine's. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/i;

function fromText(text: string): number {
	return ISO.test(text) ? Date.parse(text) : Number.NaN;
}
