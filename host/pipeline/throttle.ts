import type { Clock, Log } from "../contract.js";
import type { WasieveError } from "../errors.js";

/** One log line per error in this time, ms; the rest are counted into the next one. */
const QUIET = 10_000;
/** Messages of a code that are told apart; a filter that words each failure anew has one line for all the others. */
const MESSAGES = 8;

/** What an error is about, besides itself. */
export interface About {
	topic?: string;
	/** Whose connection. */
	end?: "source" | "sink";
}

/** Keeps a bad sensor from filling the log: every kind of error is said, then summed up. */
export class Throttle {
	/** By code and message. */
	readonly #said = new Map<string, { at: number; unsaid: number }>();
	/** Messages told apart, by code. */
	readonly #messages = new Map<string, number>();

	constructor(
		readonly log: Log,
		readonly clock: Clock,
	) {}

	/** Whether it is said now. */
	warn(pipeline: string, error: WasieveError, about: About = {}): boolean {
		const { topic, end } = about;
		const message = `${end === undefined ? "" : `${end}: `}${error.message}`;
		const now = this.clock();
		const key = this.#keyOf(error.code, message);
		const last = this.#said.get(key);
		if (last !== undefined && now - last.at < QUIET) {
			last.unsaid++;
			return false;
		}
		const repeated = last?.unsaid ?? 0;
		this.#said.set(key, { at: now, unsaid: 0 });
		this.log.warn(
			{
				pipeline,
				code: error.code,
				...(topic === undefined ? {} : { topic }),
				...(error.hint === undefined ? {} : { hint: error.hint }),
				...(repeated === 0 ? {} : { repeated }),
			},
			message,
		);
		return true;
	}

	/** Numbers make no other message: of readings, of bytes, of milliseconds. */
	#keyOf(code: string, message: string): string {
		const key = `${code} ${message.replaceAll(/\d+/g, "#")}`;
		if (this.#said.has(key)) return key;
		const known = this.#messages.get(code) ?? 0;
		if (known === MESSAGES) return code;
		this.#messages.set(code, known + 1);
		return key;
	}
}
