import type { Log } from "../contract.js";
import type { WasieveError } from "../errors.js";
import type { Failures } from "./failures.js";

/** A line's two ends: what is wrong with their connections, undefined where nothing is. */
export class Links {
	source: WasieveError | undefined;
	sink: WasieveError | undefined;

	constructor(
		private readonly name: string,
		private readonly log: Log,
		private readonly failures: Failures,
	) {}

	/** A connection that is down is said at once, and again only now and then. */
	say(end: "source" | "sink", error: WasieveError | undefined): void {
		if (error !== undefined) this.failures.tell(error);
		else if (this[end] !== undefined)
			this.log.info({ pipeline: this.name }, `${end} connected again`);
		this[end] = error;
	}
}
