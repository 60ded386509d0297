import { LF } from "./lines.js";

/**
 * Gathers what a guest writes while it works on a unit: nothing of it leaves before the unit is
 * done. A line that is not finished yet stays for the next unit.
 */
export class PlainOutput {
	#bytes = Buffer.allocUnsafe(4096);
	#length = 0;

	add(bytes: Uint8Array): void {
		const length = this.#length + bytes.length;
		if (length > this.#bytes.length) this.#grow(length * 2);
		this.#bytes.set(bytes, this.#length);
		this.#length = length;
	}

	/** Takes out the whole lines; with `all`, what is left at the end is a line as well. */
	lines(
		all: boolean,
		take: (bytes: Buffer, at: number, end: number) => void,
	): void {
		const bytes = this.#bytes;
		const length = this.#length;
		let at = 0;
		while (at < length) {
			const lf = bytes.indexOf(LF, at);
			if (lf === -1 || lf >= length) break;
			take(bytes, at, lf);
			at = lf + 1;
		}
		if (all && at < length) {
			take(bytes, at, length);
			at = length;
		}
		this.#keep(at);
	}

	clear(): void {
		this.#length = 0;
	}

	/** Forgets what lies before `at`, and the room that only a large unit needed. */
	#keep(at: number): void {
		this.#bytes.copyWithin(0, at, this.#length);
		this.#length -= at;
		if (this.#bytes.length > 65_536 && this.#length < 4096) {
			this.#bytes = Buffer.from(this.#bytes.subarray(0, 4096));
		}
	}

	#grow(size: number): void {
		const roomier = Buffer.allocUnsafeSlow(size);
		this.#bytes.copy(roomier, 0, 0, this.#length);
		this.#bytes = roomier;
	}
}
