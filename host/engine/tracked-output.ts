import { type Batch, NO_CAUSE, type Outcomes } from "../contract.js";
import { WasieveError } from "../errors.js";
import { fault } from "./fault.js";
import { LF, RS, SPACE } from "./lines.js";

/** The protocol version of docs/protocol.md. */
export const PROTOCOL = 1;

/** What a module says in its hello. */
export interface Hello {
	time: boolean;
	/** Longest time between two time records, ms; 0 when it has no timers. */
	every: number;
	topic: boolean;
	/** Longest reading it takes, bytes. */
	max: number;
}

const CONSUMED = 0x63; // c
const FROM = 0x40; // @
const DROP = 0x64; // d
const REJECT = 0x72; // r
const SUFFIX = 0x3e; // >
const HELLO = 0x68; // h
const DASH = 0x2d;

/** Longest topic suffix, drop reason or reject message kept, bytes. */
const TEXT_MAX = 1024;
/** A carried line's room that is kept for the next one, bytes. */
const CARRY_KEPT = 65_536;
/** The longest pause that Node's timers know, ms: 24 days. */
const EVERY_MAX = 2 ** 31 - 1;

/** What the guest writes to stdout: outputs and control records, told apart line by line. */
export class TrackedOutput {
	hello: Hello | undefined;
	/** Index of the first reading since the last consumed record. */
	base = 0;
	#batch!: Batch;
	#end = 0;
	#cause = NO_CAUSE;
	#suffix = "";
	/** A line whose end has not come: carry[0, carried). */
	#carry: Buffer = NOTHING;
	#carried = 0;
	#budget = 0;
	/** Drops and rejects that may still come: one a reading. */
	#notes = 0;
	#said = 0;
	#muted = false;
	readonly #reason = new LastText();

	constructor(
		readonly outcomes: Outcomes,
		readonly limit: number,
	) {}

	/** Expects records about readings [from, to) of the batch. */
	load(batch: Batch, from: number, to: number): void {
		this.#batch = batch;
		this.base = from;
		this.#end = to;
		this.#cause = NO_CAUSE;
		this.#suffix = "";
		this.#budget = this.limit;
		this.#notes = to - from;
	}

	/** While muted (a replay of readings whose outputs are out already) all is ignored. */
	mute(muted: boolean): void {
		this.#muted = muted;
		this.#carried = 0;
	}

	/**
	 * fd_write(1): memory[at, end). Outputs go out straight from guest memory. Returns how many
	 * lines came to their end.
	 */
	write(memory: Uint8Array, at: number, end: number): number {
		if (this.#muted) return 0;
		this.#budget -= end - at;
		if (this.#budget < 0) throw tooMuch(this.limit);
		const before = this.#said;
		this.#lines(
			memory,
			this.#carried > 0 ? this.#join(memory, at, end) : at,
			end,
		);
		return this.#said - before;
	}

	/** The pump has returned: what was left without a line end is an output as well. */
	finish(): void {
		if (this.#carried === 0) return;
		const length = this.#carried;
		this.#carried = 0;
		this.#line(this.#carry, 0, length);
		if (this.#carry.length > CARRY_KEPT) this.#carry = NOTHING;
	}

	/** Completes the line carried over, if its end has come; returns where the next one begins. */
	#join(memory: Uint8Array, at: number, end: number): number {
		const lf = memory.subarray(at, end).indexOf(LF);
		const stop = lf === -1 ? end : at + lf;
		this.#keep(memory, at, stop);
		if (lf === -1) return end;
		this.finish();
		return stop + 1;
	}

	/** Doubles when it is full: a guest that writes byte by byte costs no more than one that does not. */
	#keep(memory: Uint8Array, at: number, end: number): void {
		const length = this.#carried + end - at;
		if (length > this.#carry.length) {
			const roomier = Buffer.allocUnsafeSlow(Math.max(1024, length * 2));
			roomier.set(this.#carry.subarray(0, this.#carried));
			this.#carry = roomier;
		}
		this.#carry.set(memory.subarray(at, end), this.#carried);
		this.#carried = length;
	}

	#lines(bytes: Uint8Array, at: number, end: number): void {
		while (at < end) {
			// indexOf has no upper bound, but a write of whole lines always has its LF in range.
			let lf = bytes[end - 1] === LF ? bytes.indexOf(LF, at) : -1;
			if (lf === -1) lf = bytes.subarray(at, end).indexOf(LF) + at;
			if (lf < at) {
				this.#keep(bytes, at, end);
				return;
			}
			this.#line(bytes, at, lf);
			at = lf + 1;
		}
	}

	#line(bytes: Uint8Array, at: number, end: number): void {
		this.#said++;
		if (at < end && bytes[at] === RS) {
			this.#record(bytes, at + 1, end);
			return;
		}
		this.outcomes.output(
			this.#batch,
			this.#cause,
			bytes,
			at,
			end,
			this.#suffix,
		);
		this.#suffix = "";
	}

	#record(bytes: Uint8Array, at: number, end: number): void {
		switch (bytes[at]) {
			case FROM:
				this.#cause =
					bytes[at + 1] === DASH && end === at + 2
						? NO_CAUSE
						: this.#reading(bytes, at + 1, end);
				return;
			case CONSUMED:
				this.#consumed(number(bytes, at + 1, end));
				return;
			case DROP: {
				this.#note();
				const space = spaceIn(bytes, at, end);
				const i = this.#reading(bytes, at + 1, space);
				this.outcomes.drop(
					this.#batch,
					i,
					this.#reason.of(bytes, Math.min(space + 1, end), end),
				);
				return;
			}
			case REJECT: {
				this.#note();
				const space = spaceIn(bytes, at, end);
				const i = this.#reading(bytes, at + 1, space);
				const why = text(bytes, Math.min(space + 1, end), end);
				this.outcomes.fail(
					this.#batch,
					i,
					new WasieveError("E_GUEST_REJECT", why, {
						hint: "mend what the device sends; the reading is as it came",
					}),
				);
				return;
			}
			case SUFFIX:
				this.#suffix = text(bytes, at + 1, end);
				return;
			case HELLO:
				this.hello = parseHello(text(bytes, at + 1, end));
				return;
			default:
				throw broken(`a record of the unknown kind ${bytes[at] ?? "(empty)"}`);
		}
	}

	/** Each costs an entry in the quarantine. */
	#note(): void {
		if (--this.#notes < 0) {
			throw broken("it drops and rejects more readings than it was given");
		}
	}

	#consumed(count: number): void {
		if (count < 1 || this.base + count > this.#end) {
			throw broken(
				`it says that it consumed ${count} of ${this.#end - this.base} readings`,
			);
		}
		this.base += count;
		this.#cause = NO_CAUSE;
	}

	/** The reading a record speaks of: a decimal index since the last consumed record. */
	#reading(bytes: Uint8Array, at: number, end: number): number {
		const i = this.base + number(bytes, at, end);
		if (i < this.#end) return i;
		throw broken(
			`it speaks of reading ${i - this.base}, which it was not given`,
		);
	}
}

/** Decodes a text once for as long as the same bytes come again: drop reasons mostly do. */
class LastText {
	#bytes = NOTHING;
	#text = "";

	of(bytes: Uint8Array, at: number, end: number): string {
		if (!sameBytes(this.#bytes, bytes, at, end)) {
			this.#bytes = Buffer.from(bytes.subarray(at, end));
			this.#text = text(bytes, at, end);
		}
		return this.#text;
	}
}

const NOTHING: Buffer = Buffer.alloc(0);

function sameBytes(
	known: Buffer,
	bytes: Uint8Array,
	at: number,
	end: number,
): boolean {
	if (known.length !== end - at) return false;
	for (let k = at; k < end; k++) {
		if (known[k - at] !== bytes[k]) return false;
	}
	return true;
}

/** features: "1 time every=60000 topic max=65535" after the h. */
export function parseHello(said: string): Hello {
	const [version, ...features] = said.split(" ");
	if (version !== String(PROTOCOL)) {
		throw fault(
			"E_GUEST_VERSION",
			`the module speaks version ${version} of the line protocol, this gateway version ${PROTOCOL}`,
			"build the module with the SDK of this gateway, or update the gateway",
		);
	}
	const value = (name: string) => {
		const said = features.find((f) => f.startsWith(`${name}=`));
		const digits = said?.slice(name.length + 1) ?? "0";
		if (!/^\d{1,15}$/.test(digits)) throw broken(`its hello says ${said}`);
		return Number(digits);
	};
	return {
		time: features.includes("time") || value("every") > 0,
		every: Math.min(value("every"), EVERY_MAX),
		topic: features.includes("topic"),
		max: value("max") || Number.POSITIVE_INFINITY,
	};
}

function number(bytes: Uint8Array, at: number, end: number): number {
	if (at >= end || end - at > 9) throw broken("a record without a number");
	let n = 0;
	for (let k = at; k < end; k++) {
		const digit = (bytes[k] as number) - 0x30;
		if (digit < 0 || digit > 9) throw broken("a record without a number");
		n = n * 10 + digit;
	}
	return n;
}

function spaceIn(bytes: Uint8Array, at: number, end: number): number {
	for (let k = at; k < end; k++) if (bytes[k] === SPACE) return k;
	return end;
}

function text(bytes: Uint8Array, at: number, end: number): string {
	return Buffer.from(
		bytes.subarray(at, Math.min(end, at + TEXT_MAX)),
	).toString();
}

export function broken(how: string): WasieveError {
	return fault(
		"E_GUEST_PROTOCOL",
		`the filter broke the line protocol: ${how}`,
		"write to stdout through the SDK only",
	);
}

export function tooMuch(limit: number): WasieveError {
	return fault(
		"E_GUEST_OUTPUT",
		`the filter wrote more than ${limit} bytes`,
		"raise limits.output if this is right",
	);
}
