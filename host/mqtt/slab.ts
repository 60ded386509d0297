/** Bytes of a slab that outputs are encoded into. Pages never touched cost no memory. */
const SIZE = 256 * 1024;
/** Empty slabs kept for later: a steady stream then allocates nothing. */
const SPARE = 4;

/** A piece of memory that holds encoded PUBLISH packets until they are acknowledged. */
export interface Slab {
	readonly bytes: Buffer;
	/** Packets are in [0, end). */
	end: number;
	/** Packets in it that are still needed. */
	live: number;
}

/** Where outputs are encoded, one behind the other, so that one write sends many. */
export class Slabs {
	#current: Slab = make(SIZE);
	readonly #spare: Slab[] = [];

	/** The slab that has room for `size` more bytes at its end. */
	with(size: number): Slab {
		if (this.#current.end + size > this.#current.bytes.length)
			this.#current = (size <= SIZE && this.#spare.pop()) || make(size);
		return this.#current;
	}

	/**
	 * A slab has lost its last live packet. `sent` says that the socket holds no bytes any
	 * more: only then may the memory be written to again.
	 */
	release(slab: Slab, sent: boolean): void {
		if (!sent) {
			if (slab === this.#current) this.#current = make(SIZE); // the socket keeps the old one alive
			return;
		}
		slab.end = 0;
		if (slab === this.#current || slab.bytes.length !== SIZE) return;
		if (this.#spare.length < SPARE) this.#spare.push(slab);
	}
}

function make(size: number): Slab {
	return {
		bytes: Buffer.allocUnsafeSlow(Math.max(size, SIZE)),
		end: 0,
		live: 0,
	};
}
