import type { Outcomes } from "../contract.js";
import type { WasieveError } from "../errors.js";
import type { Unit } from "./unit.js";

/** An instance that runs beside the engine's thread: on a thread of its own, or in another process. */
export interface Guest {
	/** A first or another instance; the last one has died. */
	begin(): void;
	/** Hands over a unit: so many readings, a line each. `time` is the gateway's, ms. */
	send(lines: Uint8Array, time: number, readings: number): void;
	/** Hands over what needs no answer: guests whose speech has a tick. */
	say?(bytes: Uint8Array): void;
	/** The input ends. */
	sendEnd(time: number): void;
	/** Whether it waits for us to read what it said: then time does not count against it. */
	readonly heldUp: boolean;
	/** Whether another unit may be sent. */
	readonly clear: boolean;
	/** Hears what was said and not heard yet. */
	hear(): void;
	/** Stops it wherever it is. Nothing more is heard of it. */
	kill(): Promise<void>;
}

/** What a guest tells the engine, always from a turn of the event loop of its own. */
export interface GuestListener {
	output(bytes: Uint8Array): void;
	log(line: string): void;
	/** The oldest unit sent is done with. */
	done(): void;
	/** The guest waits for input with no unit on its hands. */
	asks(): void;
	/** The guest runs although nothing was sent. */
	woke(): void;
	/** The instance is gone. `exit` is its exit code, undefined when it trapped or broke a limit. */
	died(error: WasieveError, exit: number | undefined): void;
}

/** How units are written for a guest and what it writes is understood: plain or tracked (docs/protocol.md). */
export interface Speech {
	/** How often it wants {@link tick}, ms; 0 never. Known when it first asks for input. */
	readonly tickEvery: number;
	/** Longest reading it takes, bytes. Known as late. */
	readonly longest: number;
	/** Another instance: what the last one said is forgotten. */
	begin(): void;
	encode(unit: Unit): Uint8Array;
	/** What lets timers fire at `time`, ms. */
	tick(time: number): Uint8Array;
	/** Keeps what the guest wrote. */
	add(bytes: Uint8Array): void;
	/**
	 * Tells what was kept: of a unit that is done, or, without one, of what no reading caused.
	 * `all`: a last line without an end is one as well. Throws what a broken protocol means.
	 */
	report(outcomes: Outcomes, unit: Unit | undefined, all: boolean): void;
}
