import type { Clock, Log } from "../contract.js";
import type { WasieveError } from "../errors.js";

/** One log line per error code in this time, ms; the rest are counted into the next one. */
const QUIET = 10_000;

/** Keeps a bad sensor from filling the log: every kind of error is said, then summed up. */
export class Throttle {
	readonly #said = new Map<string, { at: number; unsaid: number }>();

	constructor(
		readonly log: Log,
		readonly clock: Clock,
	) {}

	warn(pipeline: string, error: WasieveError, topic?: string): void {
		const now = this.clock();
		const last = this.#said.get(error.code);
		if (last !== undefined && now - last.at < QUIET) {
			last.unsaid++;
			return;
		}
		const repeated = last?.unsaid ?? 0;
		this.#said.set(error.code, { at: now, unsaid: 0 });
		this.log.warn(
			{
				pipeline,
				code: error.code,
				...(topic === undefined ? {} : { topic }),
				...(error.hint === undefined ? {} : { hint: error.hint }),
				...(repeated === 0 ? {} : { repeated }),
			},
			error.message,
		);
	}
}
