import { FRAME_HEADER, FRAME_MAX, Word } from "./channel.js";
import { Ring } from "./ring.js";

/** The guest's side of the ring of outcomes. */
export class Outlet {
	readonly #ring: Ring;
	readonly #words: Int32Array;
	readonly #header = Buffer.alloc(FRAME_HEADER);

	constructor(outcome: SharedArrayBuffer, words: SharedArrayBuffer) {
		this.#ring = new Ring(outcome, true);
		this.#words = new Int32Array(words);
	}

	/** Says something in one frame, or in several of the same kind when it is longer than half the ring. */
	say(kind: number, bytes = NOTHING, at = 0, end = bytes.length): void {
		do {
			const wanted = Math.min(end - at, this.#ring.size / 2) + FRAME_HEADER;
			if (this.#ring.available < wanted) this.#waitFor(wanted);
			const room = Math.min(this.#ring.available - FRAME_HEADER, FRAME_MAX);
			const stop = Math.min(end, at + room);
			this.#header.writeUInt32LE(((kind << 28) | (stop - at)) >>> 0);
			this.#ring.put(this.#header, 0, FRAME_HEADER);
			this.#ring.put(bytes, at, stop);
			this.#ring.publish();
			at = stop;
		} while (at < end);
	}

	/** Has the engine listen; what was said lies in the ring until then. */
	ringBell(): void {
		Atomics.add(this.#words, Word.BELL, 1);
		Atomics.notify(this.#words, Word.BELL, 1);
	}

	#waitFor(room: number): void {
		Atomics.store(this.#words, Word.HELD_UP, 1);
		this.ringBell();
		this.#ring.wait(room);
		Atomics.store(this.#words, Word.HELD_UP, 0);
	}
}

const NOTHING: Uint8Array = new Uint8Array(0);
