import type { Log } from "../contract.js";
import type { WasieveError } from "../errors.js";
import type { Failures } from "./failures.js";

/** A line's two ends: what is wrong with their connections, undefined where nothing is. */
export class Links {
	source: WasieveError | undefined;
	sink: WasieveError | undefined;

	/** Ends of which it was said that they are down. */
	readonly #down = new Set<"source" | "sink">();

	constructor(
		private readonly name: string,
		private readonly log: Log,
		private readonly failures: Failures,
	) {}

	/** A connection that is down is said at once, and again only now and then; that it is up, when it was said. */
	say(end: "source" | "sink", error: WasieveError | undefined): void {
		this[end] = error;
		if (error !== undefined) {
			if (this.failures.tell(error, { end })) this.#down.add(end);
		} else if (this.#down.delete(end))
			this.log.info({ pipeline: this.name }, `${end} connected again`);
	}
}
