import { WasieveError } from "../errors.js";

/** Bytes read from the socket in one go at most. Untouched pages of it cost no memory. */
export const SLAB = 256 * 1024;

/**
 * Where a connection's bytes arrive and packets are found in place. The socket reads
 * straight into the slab, behind what is left of the last read, so that a packet is
 * always in one piece and nothing is ever concatenated:
 *
 *     bytes  | done with | … packet … packet … pack| room for the next read |
 *            0           at                        end                capacity
 *
 * A packet cut by the end of a read is moved to the front (at most once per read, and it
 * is the cut packet alone); one larger than the slab gets a slab of exactly its size for as
 * long as it lasts, so its bytes are copied once, not once per read.
 */
export class Inlet {
	bytes: Buffer = Buffer.allocUnsafeSlow(SLAB);
	/** Unread bytes are [at, end). Only filled() and room() change `end`: the socket's next read lands there. */
	at = 0;
	end = 0;
	/** The packet found: first byte, start of the variable header, end. */
	first = 0;
	body = 0;
	next = 0;
	/** Set when nothing more must be read for now: the socket stops. */
	blocked = false;
	/** Topics by the number the broker has given them on this connection (MQTT 5 topic alias). */
	readonly aliases: Buffer[] = [];
	/** Bytes still to come that nobody wants (the rest of an oversized packet). */
	skip = 0;
	readonly #base = this.bytes;

	/** @param largest bytes of the largest packet to take whole; the slab's size at least */
	constructor(readonly largest: number) {}

	/**
	 * Finds the packet at `at` and sets first, body and next. False when its end has not
	 * come yet; `next` then says where it will be (0: not even its length is known).
	 * @throws {WasieveError} E_MQTT_PROTOCOL for a remaining length of more than four bytes [MQTT-1.5.5]
	 */
	find(): boolean {
		const bytes = this.bytes;
		const end = this.end;
		let q = this.at + 1;
		this.next = 0;
		if (q >= end) return false;
		let byte = bytes[q++] as number;
		let length = byte & 0x7f;
		for (let shift = 7; byte > 0x7f; shift += 7) {
			if (shift > 21) throw malformed("a remaining length of over four bytes");
			if (q >= end) return false;
			byte = bytes[q++] as number;
			length |= (byte & 0x7f) << shift;
		}
		this.first = bytes[this.at] as number;
		this.body = q;
		this.next = q + length;
		return this.next <= end;
	}

	/** Where the socket's next read goes. Never empty. */
	room(): Buffer {
		if (this.at === this.end) this.#rewind();
		else if (this.#wanted() > this.bytes.length - this.at || this.#tight())
			this.#compact();
		return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
	}

	/** `count` bytes have been read into room(). */
	filled(count: number): void {
		this.end += count;
		const skipped = Math.min(this.skip, this.end - this.at);
		this.skip -= skipped;
		this.at += skipped;
	}

	/** Gives up the packet at `at`, also what has not come of it yet. */
	abandon(): void {
		const have = this.end - this.at;
		this.skip = this.next - this.at - have;
		this.at = this.end;
	}

	/** A copy of what is unread, for when the connection is gone. */
	keep(): Inlet {
		const kept = new Inlet(this.largest);
		kept.aliases.push(...this.aliases);
		kept.bytes = Buffer.from(this.bytes.subarray(this.at, this.end));
		kept.end = kept.bytes.length;
		return kept;
	}

	/** Size of the packet being waited for, if it is to be taken whole. */
	#wanted(): number {
		const size = this.next - this.at;
		return this.next > 0 && size <= this.largest ? size : 0;
	}

	/** A read into a few bytes would be a wasted system call. */
	#tight(): boolean {
		return this.bytes.length - this.end < SLAB >> 3;
	}

	#rewind(): void {
		this.bytes = this.#base;
		this.at = this.end = this.next = 0;
	}

	#compact(): void {
		const left = this.end - this.at;
		// A blocked slab may be full of whole packets: as much again keeps room to read.
		const wanted = Math.max(this.#wanted(), left > SLAB >> 1 ? left + SLAB : 0);
		const from = this.bytes;
		if (this.at === 0 && wanted <= from.length) return;
		if (wanted <= SLAB) this.bytes = this.#base;
		else if (wanted > from.length) this.bytes = Buffer.allocUnsafeSlow(wanted);
		from.copy(this.bytes, 0, this.at, this.end);
		if (this.next > 0) this.next -= this.at;
		this.at = 0;
		this.end = left;
	}
}

/** The broker broke the protocol: the connection must be closed [MQTT-4.13.1-1]. */
export function malformed(what: string): WasieveError {
	return new WasieveError("E_MQTT_PROTOCOL", `The broker sent ${what}.`, {
		hint: "The connection is reset. Check that the port speaks MQTT and that the broker and `protocol` agree.",
	});
}
