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

export function stopsOn(error: WasieveError): WasieveError {
	return new WasieveError(
		"E_PIPELINE_ONERROR",
		`a reading failed and onError is "stop": ${error.message}`,
		{
			hint: "mend the filter or the sender, then resume the pipeline; the reading is tried again",
			cause: error,
		},
	);
}
