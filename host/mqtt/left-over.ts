import type { Log } from "../contract.js";
import { asWasieveError } from "../errors.js";
import { PUBLISH } from "./connection.js";
import type { Inlet } from "./inlet.js";

/** Lost connections whose unread readings are kept while the line pauses; one slab each at most. */
const MOST = 16;

/** Who reads what is left over. */
export interface Reader {
	/** Whether the line wants no more for now. */
	readonly paused: boolean;
	/** Takes the PUBLISH just found. */
	read(inlet: Inlet): void;
	/** Hands over what has been taken. */
	handOver(inlet: Inlet): void;
}

/**
 * What was read before a connection was lost, while the line paused. With a session the broker sends QoS 1 and 2
 * again; what it will not send again is handed over when the line takes again.
 */
export class LeftOver {
	readonly #inlets: Inlet[] = [];

	constructor(
		private readonly topic: string,
		private readonly log: Log | undefined,
	) {}

	get empty(): boolean {
		return this.#inlets.length === 0;
	}

	/** Keeps a copy of what is unread. */
	keep(inlet: Inlet): void {
		if (this.#inlets.length < MOST) this.#inlets.push(inlet.keep());
		else
			this.log?.warn(
				{ topic: this.topic, bytes: inlet.end - inlet.at },
				"unread readings of a lost connection were dropped",
			);
	}

	/**
	 * Until the line pauses or all is read.
	 * @param session whether the broker kept our session
	 */
	drink(reader: Reader, session: boolean): void {
		while (!this.empty && !reader.paused)
			this.#drinkOldest(this.#inlets[0] as Inlet, reader, session);
	}

	#drinkOldest(inlet: Inlet, reader: Reader, session: boolean): void {
		try {
			drinkRest(inlet, reader, session);
		} catch (thrown) {
			const { code, message } = asWasieveError(thrown);
			if (code !== "E_MQTT_PROTOCOL") throw thrown;
			this.log?.warn({ topic: this.topic, code }, message);
			inlet.at = inlet.end; // the connection to be reset is gone already
		}
		reader.handOver(inlet);
		if (!inlet.find()) this.#inlets.shift();
	}
}

function drinkRest(inlet: Inlet, reader: Reader, session: boolean): void {
	while (!reader.paused && inlet.find()) {
		const again = session && (inlet.first & 6) > 0;
		inlet.at = inlet.next;
		if (inlet.first >> 4 === PUBLISH && !again) reader.read(inlet);
	}
}
