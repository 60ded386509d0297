import type { Clock, Log, Quarantine } from "../contract.js";
import type { WasieveError } from "../errors.js";
import type { Ledger } from "./ledger.js";
import { type About, Throttle } from "./throttle.js";

export interface FailuresOptions {
	name: string;
	quarantine: Quarantine;
	/** "stop" keeps as "quarantine" does, what it does get to keep. */
	onError: "quarantine" | "drop" | "stop";
	clock: Clock;
	log: Log;
}

/** What becomes of readings that failed: counted, told, and kept if the config says so. */
export class Failures {
	/** Readings that could not be kept. */
	lost = 0;
	/** Why the last one was not kept; undefined while the quarantine works. */
	error: WasieveError | undefined;
	readonly #o: FailuresOptions;
	readonly #ledger: Ledger;
	readonly #noise: Throttle;

	constructor(
		options: FailuresOptions,
		ledger: Ledger,
		/** A reading is kept, or not: its hold is released. */
		readonly settled: () => void,
	) {
		this.#o = options;
		this.#ledger = ledger;
		this.#noise = new Throttle(options.log, options.clock);
	}

	/** Reading n has failed; it stays open until it is kept. */
	keep(n: number, topic: string, payload: Buffer, error: WasieveError): void {
		this.#ledger.fail(n, error.code);
		this.tell(error, { topic });
		if (this.#o.onError === "drop") return;
		this.#ledger.hold(n);
		this.#o.quarantine.keep(
			{
				pipeline: this.#o.name,
				topic,
				payload,
				code: error.code,
				reason: error.message,
				time: this.#o.clock(),
			},
			(lost) => {
				this.#kept(lost);
				this.#ledger.release(n);
				this.settled();
			},
		);
	}

	/** Says an error now, or counts it and returns false if the same was said a moment ago. */
	tell(error: WasieveError, about?: About): boolean {
		return this.#noise.warn(this.#o.name, error, about);
	}

	#kept(lost: WasieveError | undefined): void {
		this.error = lost;
		if (lost === undefined) return;
		this.lost++;
		this.tell(lost);
	}
}
