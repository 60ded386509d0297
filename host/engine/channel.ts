/**
 * What the engine's thread and a guest's thread say to each other, over two rings.
 *
 * Engine → guest, per unit of readings:
 *
 *   | u32 bytes | u32 readings | f64 time, ms |  reading LF reading LF …           |
 *                  0: the end of input          └ may come later, piece by piece   ┘
 *
 * Guest → engine, in the order things happened:
 *
 *   | u32 kind and bytes | bytes |
 *       kind in the upper 4 bits
 */
export const UNIT_HEADER = 16;

export const FRAME_HEADER = 4;
export const FRAME_MAX = 2 ** 28 - 1;

/** What a frame from the guest's thread says. */
export const Said = {
	/** Bytes the guest wrote to stdout. */
	OUTPUT: 1,
	/** A line the guest wrote to stderr, bounded already. */
	LOG: 2,
	/** The guest has read all of a unit and asks for more. */
	DONE: 3,
	/** The guest asks for input, and no unit was on its hands: the first time, or after a pause of its own. */
	ASKS: 4,
	/** The guest runs again though nothing came: its pause is over (real time only). */
	WOKE: 5,
	/** The guest is gone: JSON of {@link Death}. */
	DIED: 6,
} as const;

export interface Death {
	code: string;
	message: string;
	hint: string | undefined;
	/** The guest's exit code when it ended itself. */
	exit: number | undefined;
}

/** Words shared by both threads. */
export const Word = {
	/** Counts up when there is something to hear; the engine's thread waits on it. */
	BELL: 0,
	/** Counts up when the engine wants a new instance on the same thread. */
	GENERATION: 1,
	/** 1 while the guest waits for room to write: then it is not its own fault that nothing happens. */
	HELD_UP: 2,
	COUNT: 3,
} as const;

/** Given to a guest's thread when it starts. */
export interface Orders {
	wasm: unknown;
	args: readonly string[];
	env: readonly string[];
	/** Without units: metered without a limit. */
	fuel: { global: string; units: number | undefined } | undefined;
	/** Bytes of stdout for a reading. */
	output: number;
	realTime: boolean;
	words: SharedArrayBuffer;
	input: SharedArrayBuffer;
	outcome: SharedArrayBuffer;
}
