/** A silence this long with outputs in flight is a stall, not the broker's work: ms. */
const STALL = 5;
/** How long a stall is believed to come back: ms. */
const MEMORY = 30_000;
/**
 * PINGREQs at once for an acknowledgement: a PINGRESP is data that TCP has to acknowledge too, so it can hold the next PUBACK …
 */
const AT_ONCE = 3;
/** … but a broker that takes its time gets further ones after a moment, ms: answered at once they were 15,000 a second. */
const MOMENT = 1;

/**
 * When to say PINGREQ, though nothing needs it, on the connection that outputs leave on.
 *
 *     us      PUBLISH 1, 2 ─▶              … 40 ms, delayed ACK …  ACK ─▶
 *     broker           ◀─ PUBACK 1   (PUBACK 2 held by Nagle until the ACK)  ◀─ PUBACK 2
 *
 * Brokers without TCP_NODELAY (mosquitto's default) hold a second small packet until the
 * first one is acknowledged by TCP, and our kernel takes its time with that unless data goes
 * the same way. The data is a PINGREQ: two bytes. Since it costs a round trip of its
 * own, it is sent only for a while after a stall was seen: never with a broker that sets
 * TCP_NODELAY. Measured at 1,000 msg/s: RATIONALE.md.
 */
export class Nudge {
	#since = 0;
	#stalled = Number.NEGATIVE_INFINITY;
	/** Since the last acknowledgement. */
	#pings = 0;
	#timer: NodeJS.Timeout | undefined;

	/** @param ping sends PINGREQ, should outputs still be in flight */
	constructor(private readonly ping: () => void) {}

	/** Outputs have left while none were in flight. */
	sent(now: number): void {
		this.#since = now;
	}

	/** Acknowledgements have come while outputs were in flight. */
	heard(now: number): void {
		if (now - this.#since > STALL) this.#stalled = now;
		this.#since = now;
	}

	/** Acknowledgements were among what has come. */
	acknowledged(): void {
		this.#pings = 0;
	}

	/** Outputs are in flight, something has come, and nothing was written. */
	turned(now: number): void {
		if (now - this.#stalled >= MEMORY) return;
		if (++this.#pings <= AT_ONCE) this.ping();
		else this.#timer ??= setTimeout(this.#late, MOMENT);
	}

	readonly #late = (): void => {
		this.#timer = undefined;
		this.ping();
	};
}
