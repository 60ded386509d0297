import { WasieveError } from "../errors.js";

/** Bytes read from the socket in one go at most. Untouched pages of it cost no memory. */
export const SLAB = 256 * 1024;
/** Room in front of it for what an earlier read has left over. */
const LEAD = 64 * 1024;
/** A read into less would be a wasted system call. */
const TIGHT = SLAB >> 3;

/**
 * What all connections of a thread read into, one after the other: whoever reads handles its bytes in the same
 * call, so thousands of connections need one. A thread loads this module once.
 */
const SHARED = Buffer.allocUnsafeSlow(LEAD + SLAB);
const READ = SHARED.subarray(LEAD);
const NOTHING = Buffer.alloc(0);

/**
 * Where a connection's bytes arrive and packets are found in place. The socket reads straight into the
 * thread's slab; what a read has left over (the beginning of a packet, or what a pause has left unread) is put
 * aside, and in front of the next read, so that a packet is always in one piece:
 *
 *     slab   |        … pack| et … packet … packet … pack|
 *            0      at      LEAD                        end
 *     rest   | pack|                                     what is kept between two reads
 *
 * What does not fit in front, or a packet larger than the slab, has a buffer of its own for as long as it
 * lasts; the socket then reads into that, so bytes are copied once, not once per read.
 */
export class Inlet {
	bytes: Buffer = NOTHING;
	/** Unread bytes are [at, end). Only filled(), room() and settle() move them. */
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
	/** Grows to the largest piece that was left over. */
	#rest: Buffer = NOTHING;
	/** Whether the next read goes behind `end`, and not into the slab. */
	#behind = false;

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
		this.settle();
		const left = this.end - this.at;
		const waited = this.#wanted();
		this.#behind =
			left > 0 &&
			(this.bytes.length - this.end >= TIGHT ||
				(waited > SLAB && waited > left));
		return this.#behind ? this.bytes.subarray(this.end) : READ;
	}

	/** `count` bytes have been read into room(). */
	filled(count: number): void {
		if (this.#behind) this.end += count;
		else this.#join(count);
		const skipped = Math.min(this.skip, this.end - this.at);
		this.skip -= skipped;
		this.at += skipped;
	}

	/** Moves what is unread out of the slab, before another connection reads into it. */
	settle(): void {
		const left = this.end - this.at;
		if (left === 0) this.#move(NOTHING, 0);
		else if (this.bytes !== SHARED) this.#compact(left);
		else if (left > LEAD || this.#wanted() > SLAB)
			this.#move(this.#own(left), 0);
		else {
			if (left > this.#rest.length)
				this.#rest = Buffer.allocUnsafeSlow(left * 2);
			this.#move(this.#rest, 0);
		}
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

	/** A buffer for a packet that is too large for the slab, or for what waits there unread. */
	#own(left: number): Buffer {
		const wanted = this.#wanted();
		return Buffer.allocUnsafeSlow(wanted > left ? wanted : left + SLAB);
	}

	/**
	 * A buffer of its own goes on until it is empty; a packet that it cannot hold gets a larger one. What was put
	 * aside stays where it is, unless its packet is too large for the slab it would go on in.
	 */
	#compact(left: number): void {
		const wanted = this.#wanted();
		const aside = this.bytes === this.#rest && wanted <= SLAB;
		if (aside || this.at + wanted <= this.bytes.length) return;
		this.#move(wanted > this.bytes.length ? this.#own(left) : this.bytes, 0);
	}

	/** Puts what is unread in front of the `count` bytes that have been read into the slab. */
	#join(count: number): void {
		const left = this.end - this.at;
		if (left <= LEAD) {
			this.#move(SHARED, LEAD - left);
			this.end = LEAD + count;
			return;
		}
		this.#move(Buffer.allocUnsafeSlow(left + count + SLAB), 0);
		READ.copy(this.bytes, left, 0, count);
		this.end = left + count;
	}

	#move(to: Buffer, at: number): void {
		if (this.end > this.at) this.bytes.copy(to, at, this.at, this.end);
		if (this.next > 0) this.next += at - this.at;
		this.end += at - this.at;
		this.bytes = to;
		this.at = at;
	}
}

/** The broker broke the protocol: the connection must be closed [MQTT-4.13.1-1]. */
export function malformed(what: string): WasieveError {
	return new WasieveError("E_MQTT_PROTOCOL", `The broker sent ${what}.`, {
		hint: "The connection is reset. Check that the port speaks MQTT and that the broker and `protocol` agree.",
	});
}
