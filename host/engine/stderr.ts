import { LF } from "./lines.js";

/** Longest line kept, bytes; the rest of a longer one is left out. */
const LINE_MAX = 1024;
/** Lines let through per second; the rest are counted. */
const LINES_PER_SECOND = 50;

/** A guest's stderr as log lines, bounded in length and rate: a flood costs nothing but its count. */
export class Stderr {
	/** Made when the guest first says something: most never do. */
	#line: Buffer = NOTHING;
	#length = 0;
	/** The line before. */
	#last: Buffer = NOTHING;
	#lastLength = 0;
	#second = 0;
	#said = 0;
	#unsaid = 0;

	constructor(
		readonly say: (line: string) => void,
		/** Lines let through a second. */
		readonly most = LINES_PER_SECOND,
	) {}

	/** The last line said, for the message of a trap. */
	get lastWords(): string {
		return this.#last.toString("utf8", 0, this.#lastLength);
	}

	/** Byte by byte, 2 ns each: a flood of line ends must not cost a call of anything for each of them. */
	write(bytes: Uint8Array, at: number, end: number): void {
		if (this.#line === NOTHING) this.#line = Buffer.alloc(LINE_MAX);
		this.#look();
		for (let k = at; k < end; k++) {
			const byte = bytes[k] as number;
			if (byte === LF) this.#finish();
			else if (this.#length < LINE_MAX) this.#line[this.#length++] = byte;
		}
	}

	/** Says what is left without a line end. */
	finish(): void {
		if (this.#length > 0) this.#finish();
	}

	#finish(): void {
		[this.#last, this.#line] = [this.#line, this.#last];
		if (this.#line === NOTHING) this.#line = Buffer.alloc(LINE_MAX);
		this.#lastLength = this.#length;
		this.#length = 0;
		if (++this.#said > this.most) this.#unsaid++;
		else this.say(this.lastWords);
	}

	#look(): void {
		const second = Math.floor(performance.now() / 1000);
		if (second !== this.#second) this.#nextSecond(second);
	}

	#nextSecond(second: number): void {
		this.#second = second;
		this.#said = 0;
		if (this.#unsaid === 0) return;
		this.say(`(${this.#unsaid} more lines on stderr were left out)`);
		this.#unsaid = 0;
	}
}

const NOTHING = Buffer.alloc(0);
