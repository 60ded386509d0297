import { WasieveError } from "../errors.js";

export function stoppedEarly(name: string): WasieveError {
	return new WasieveError(
		"E_PIPELINE_STOPPED",
		`the pipeline ${name} was stopped before it was up`,
	);
}

/** One for all: it may be told for every batch, and a new one would note where it was made each time. */
export const PASSED_BY = new WasieveError(
	"E_READING_MISSED",
	"readings pass by: this pipeline is stopped or slower than others that read the same connection",
	{
		hint: "readings_missed_total counts them; from.qos: 1 loses none, and a from.clientId gives it a connection of its own, where the broker waits for it",
	},
);

/** How a stopped pipeline goes on. */
export interface WayBack {
	/** By hand: what its operator does. */
	by: string;
	/** By itself, after so many ms; 0 never. */
	cooldown: number;
	/** The gateway ends with it. */
	ends: boolean;
}

/** The error with the way back behind its hint. */
export function withWay(error: WasieveError, way: WayBack): WasieveError {
	const { code, message, hint } = error;
	const whole = [hint, wayOf(way)].filter(Boolean).join("; ");
	return new WasieveError(code, message, { hint: whole, cause: error });
}

function wayOf({ by, cooldown, ends }: WayBack): string {
	if (ends) return "then run it again";
	if (cooldown === 0) return `to resume: ${by}`;
	return `tried again by itself in ${cooldown / 1000} s; to resume at once: ${by}`;
}

export function stopsOn(error: WasieveError): WasieveError {
	return new WasieveError(
		"E_PIPELINE_ONERROR",
		`a reading failed and onError is "stop": ${error.message}`,
		{
			hint: "mend the filter (a resume reads its module anew) or the sender; the reading, which this line of the log has, is tried again",
			cause: error,
		},
	);
}
