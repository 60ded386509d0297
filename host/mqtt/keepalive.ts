/**
 * Keeps a connection alive and notices when it is dead. MQTT.js could do that only if it
 * saw every packet; the tap hides most of them from it, and while the line pauses its
 * source the broker's PINGRESP lies unread behind readings, which must not count as death.
 *
 * Looked at twice per keep-alive: nothing sent → PINGREQ, as the broker wants to hear from us
 * in time [MQTT-3.1.2-22]; nothing heard → PINGREQ, then the end after two more silent looks.
 */
export class Keepalive {
	/** Set by the owner with each write and each read: a store, no timer is touched on the hot path. */
	sent = false;
	heard = false;
	#silent = 0;
	readonly #timer: NodeJS.Timeout;

	/**
	 * @param seconds keep-alive agreed with the broker, above 0
	 * @param deaf whether the socket is not being read on purpose
	 */
	constructor(
		seconds: number,
		private readonly deaf: () => boolean,
		private readonly ping: () => void,
		private readonly dead: () => void,
	) {
		this.#timer = setInterval(() => this.look(), seconds * 500);
	}

	look(): void {
		this.#silent = this.heard || this.deaf() ? 0 : this.#silent + 1;
		const quiet = !this.sent || !this.heard;
		this.sent = this.heard = false;
		if (this.#silent > 2) this.dead();
		else if (quiet) this.ping();
	}

	stop(): void {
		clearInterval(this.#timer);
	}
}
