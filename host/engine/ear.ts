import { LF, RS } from "./lines.js";
import { broken } from "./tracked-output.js";

/** Bytes of a mark's sign, and of a mark (host/module/telltale.ts). */
const COUNT = 4;

/** What an ear has made out. */
export interface Heard {
	output(bytes: Uint8Array): void;
	/** The guest is done with all that it was sent. */
	settled(): void;
}

/** Tells by what a guest writes when it is done with what it was sent. */
export interface Ear {
	/** Another instance. */
	begin(): void;
	/** Bytes that were sent just now. */
	sent(bytes: number): void;
	/** Stops and forgets the rest when a call of `heard` ends the instance. Throws what a broken protocol means. */
	hear(chunk: Buffer, heard: Heard): void;
	/** No more comes: the instance is gone. */
	end(heard: Heard): void;
}

const NOTHING = Buffer.alloc(0);

/** Listens for the marks of a module that host/module/telltale.ts has rewritten. */
export class PlainEar implements Ear {
	/** Not told yet: it may be the beginning of a mark. */
	#rest: Buffer = NOTHING;
	readonly #sign: Buffer;
	#sent = 0;
	#life = 0;

	constructor(sign: Uint8Array) {
		this.#sign = Buffer.from(sign);
	}

	begin(): void {
		this.#rest = NOTHING;
		this.#sent = 0;
		this.#life++;
	}

	sent(bytes: number): void {
		this.#sent = (this.#sent + bytes) >>> 0;
	}

	hear(chunk: Buffer, heard: Heard): void {
		const bytes = joined(this.#rest, chunk);
		const life = this.#life;
		let at = 0;
		for (;;) {
			const mark = bytes.indexOf(this.#sign, at);
			const end = mark + this.#sign.length + COUNT;
			if (mark === -1 || end > bytes.length) break;
			if (mark > at) heard.output(bytes.subarray(at, mark));
			at = end;
			if (bytes.readUInt32LE(end - COUNT) === this.#sent) heard.settled();
			if (life !== this.#life) return;
		}
		const keep = this.#beginningOfMark(bytes, at);
		if (keep > at) heard.output(bytes.subarray(at, keep));
		if (life === this.#life) this.#rest = Buffer.from(bytes.subarray(keep));
	}

	end(heard: Heard): void {
		const rest = this.#rest;
		this.#rest = NOTHING;
		if (rest.length > 0) heard.output(rest);
	}

	/** Where a mark begins whose end has not come yet. */
	#beginningOfMark(bytes: Buffer, at: number): number {
		const sign = this.#sign;
		const first = Math.max(at, bytes.length - sign.length - COUNT + 1);
		for (let k = first; k < bytes.length; k++) {
			const length = Math.min(sign.length, bytes.length - k);
			if (sign.compare(bytes, k, k + length, 0, length) === 0) return k;
		}
		return bytes.length;
	}
}

const CONSUMED = Buffer.from("\x1ec");
const HELLO = Buffer.from("\x1eh");

/** Listens for the hello and the consumed records of tracked mode. */
export class TrackedEar implements Ear {
	/** An unfinished line. */
	#rest: Buffer = NOTHING;
	#greeted = false;
	#open = 0;
	#life = 0;

	begin(): void {
		this.#rest = NOTHING;
		this.#greeted = false;
		this.#open = 0;
		this.#life++;
	}

	sent(): void {}

	/** So many readings are sent next. */
	expect(readings: number): void {
		this.#open += readings;
	}

	hear(chunk: Buffer, heard: Heard): void {
		const bytes = joined(this.#rest, chunk);
		const life = this.#life;
		const end = bytes.lastIndexOf(LF) + 1;
		this.#rest = Buffer.from(bytes.subarray(end));
		const lines = bytes.subarray(0, end);
		if (end > 0) heard.output(lines);
		if (life !== this.#life || end === 0) return;
		if (!this.#greeted) this.#greet(lines);
		const readings = this.#consumed(lines);
		this.#open -= readings;
		if (this.#open < 0) throw broken("it consumed more than it was given");
		if (this.#open === 0) heard.settled();
	}

	/** An unfinished line is no record. */
	end(): void {}

	#greet(lines: Buffer): void {
		if (lines.indexOf(HELLO) !== 0) {
			const said = lines.toString("utf8", 0, Math.min(80, lines.indexOf(LF)));
			throw broken(`its first word is not a hello but "${said}"`);
		}
		this.#greeted = true;
	}

	/** Only consumed records are looked for: there is one for many readings. */
	#consumed(lines: Buffer): number {
		let sum = 0;
		let at = lines.indexOf(CONSUMED);
		while (at !== -1) {
			const end = lines.indexOf(LF, at);
			const count = lines.toString("latin1", at + 2, end);
			const isRecord = at === 0 || lines[at - 1] === LF;
			if (isRecord && !/^[1-9]\d{0,8}$/.test(count)) {
				throw broken("a record without a number");
			}
			if (isRecord) sum += Number(count);
			at = lines.indexOf(CONSUMED, end);
		}
		return sum;
	}
}

function joined(rest: Buffer, chunk: Buffer): Buffer {
	return rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
}

/** Whether a line may be a JSON text or a control record, by its first byte: engines' own messages are not. */
export function isData(bytes: Uint8Array, at: number): boolean {
	const first = bytes[at] ?? LF;
	return first === RS || DATA.includes(first);
}

const DATA = Buffer.from('{["-0123456789tfn');
