import { LF } from "./lines.js";

/** Longest line kept, bytes; the rest of a longer one is left out. */
const LINE_MAX = 1024;
/** Lines let through per second; the rest are counted. */
const LINES_PER_SECOND = 50;

/** A guest's stderr as log lines, bounded in length and rate: a flood costs nothing but its count. */
export class Stderr {
	/** The last line said, for the message of a trap. */
	lastWords = "";
	/** Made when the guest first says something: most never do. */
	#line: Buffer | undefined;
	#length = 0;
	#second = 0;
	#said = 0;
	#unsaid = 0;

	constructor(readonly say: (line: string) => void) {}

	write(bytes: Uint8Array, at: number, end: number): void {
		this.#line ??= Buffer.alloc(LINE_MAX);
		while (at < end) {
			const lf = bytes.subarray(at, end).indexOf(LF);
			const stop = lf === -1 ? end : at + lf;
			const taken = Math.min(stop - at, LINE_MAX - this.#length);
			this.#line.set(bytes.subarray(at, at + taken), this.#length);
			this.#length += taken;
			if (lf !== -1) this.#finish();
			at = stop + (lf === -1 ? 0 : 1);
		}
	}

	/** Says what is left without a line end. */
	finish(): void {
		if (this.#length > 0) this.#finish();
	}

	#finish(): void {
		this.lastWords = (this.#line as Buffer).toString("utf8", 0, this.#length);
		this.#length = 0;
		const second = Math.floor(performance.now() / 1000);
		if (second !== this.#second) this.#nextSecond(second);
		if (++this.#said > LINES_PER_SECOND) this.#unsaid++;
		else this.say(this.lastWords);
	}

	#nextSecond(second: number): void {
		this.#second = second;
		this.#said = 0;
		if (this.#unsaid === 0) return;
		this.say(`(${this.#unsaid} more lines on stderr were left out)`);
		this.#unsaid = 0;
	}
}
