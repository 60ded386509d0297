import { WasieveError } from "../errors.js";

/** Lost connections in a row without one acknowledgement: from then on outputs go one at a time … */
const SUSPECT = 2;
/** … and the one that the connection always ends on is given up. */
const GUILTY = 5;

/**
 * Brokers answer what they do not like (too large, not allowed) by closing the connection; sent
 * again on the next one, such an output would hold up all others for ever. So after
 * some lost connections without one acknowledgement outputs go one by one, and the
 * one on which the broker keeps closing is given up.
 */
export class Suspicion {
	/** Lost connections since the last acknowledgement, with outputs in flight. */
	#lost = 0;

	/** Whether only one output may be in flight. */
	get alone(): boolean {
		return this.#lost >= SUSPECT;
	}

	/** An acknowledgement has come. */
	clear(): void {
		this.#lost = 0;
	}

	/** The broker has closed the connection with outputs in flight; true when the oldest of them is to blame. */
	closed(): boolean {
		const { alone } = this;
		this.#lost++;
		if (!alone || this.#lost < GUILTY) return false;
		this.#lost = 0;
		return true;
	}
}

/** @param size of the output, bytes */
export function guilty(size: number): WasieveError {
	return new WasieveError(
		"E_OUTPUT_REFUSED",
		`The broker closes the connection whenever it gets a certain output (${size} bytes).`,
		{
			hint: "Look into the broker's log: a size limit, a topic or access rights.",
		},
	);
}
