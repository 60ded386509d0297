import { Batch } from "../contract.js";
import { copyLine, copyPayload, LF, viewOf } from "./lines.js";

const NOTHING = Buffer.alloc(0);
/** Bytes of one read: what more of its buffer a guest never fills is memory that it does not take. */
const READ = 16 * 1024;
const NO_READINGS = new Batch(0);

/** What the guest reads from stdin: control records first, then readings, one a line. */
export class TrackedInput {
	batch = NO_READINGS;
	/** Next reading to hand over; [first, next) are with the guest. */
	next = 0;
	#to = 0;
	/** Bytes of reading `next` already handed over, when no whole line fitted. */
	#partial = 0;
	#records = NOTHING;
	#topics = false;
	#topic = NOTHING;

	/** Bytes of control records that the guest has not read. */
	get unread(): number {
		return this.#records.length;
	}

	/** From now on a topic record precedes each reading whose topic is new. */
	announceTopics(): void {
		this.#topics = true;
	}

	/** Queues a control record (without RS and LF) before the next reading. */
	say(record: string): void {
		this.#records = Buffer.concat([
			this.#records,
			Buffer.from(`\x1e${record}\n`),
		]);
	}

	/** Readings [from, to) of the batch are what the guest may read next. */
	load(batch: Batch, from: number, to: number): void {
		this.batch = batch;
		this.next = from;
		this.#to = to;
		this.#partial = 0;
		this.#topic = NOTHING;
	}

	/**
	 * fd_read: as many whole lines as fit into memory[at, at + length) and {@link READ}. Returns
	 * the bytes written, or −1 (would block) when there is no more for now.
	 */
	read(
		memory: Uint8Array,
		at: number,
		length: number,
		view = viewOf(memory),
	): number {
		const end = at + this.#room(length);
		let p = this.#readRecords(memory, at, end);
		while (this.next < this.#to && this.#records.length === 0) {
			const { batch, next } = this;
			if (this.#topics && this.#sayTopic()) {
				p = this.#readRecords(memory, p, end);
				continue;
			}
			const size =
				(batch.payloadEnd[next] as number) - (batch.payloadAt[next] as number);
			if (this.#partial > 0 || p + size + 1 > end) {
				// Whole lines only, unless the guest's buffer is smaller than this line.
				if (p === at) p = this.#readPart(memory, view, p, end);
				break;
			}
			p = copyPayload(batch, next, view, p);
			memory[p++] = LF;
			this.next = next + 1;
		}
		return p > at || length === 0 ? p - at : -1;
	}

	/** A longer line is not cut for it. */
	#room(length: number): number {
		const { batch, next } = this;
		if (length <= READ) return length;
		if (next >= this.#to) return READ;
		const line =
			(batch.payloadEnd[next] as number) -
			(batch.payloadAt[next] as number) +
			1;
		return Math.min(length, Math.max(READ, this.#records.length + line));
	}

	#readRecords(memory: Uint8Array, at: number, end: number): number {
		if (this.#records.length === 0) return at;
		const taken = Math.min(this.#records.length, end - at);
		memory.set(this.#records.subarray(0, taken), at);
		const rest = this.#records.subarray(taken);
		this.#records = rest.length > 0 ? rest : NOTHING;
		return at + taken;
	}

	#readPart(
		memory: Uint8Array,
		view: DataView,
		at: number,
		end: number,
	): number {
		const start = (this.batch.payloadAt[this.next] as number) + this.#partial;
		const payloadEnd = this.batch.payloadEnd[this.next] as number;
		const stop = Math.min(payloadEnd, start + end - at);
		let p = copyLine(this.batch.bytes, start, stop, view, at);
		this.#partial += stop - start;
		if (stop === payloadEnd && p < end) {
			memory[p++] = LF;
			this.#partial = 0;
			this.next++;
		}
		return p;
	}

	/** Queues a topic record when the next reading's topic differs from the last one's. */
	#sayTopic(): boolean {
		const { batch, next } = this;
		const topic = (batch.topicIn[next] as Buffer).subarray(
			batch.topicAt[next],
			batch.topicEnd[next],
		);
		if (this.#partial > 0 || topic.equals(this.#topic)) return false;
		this.#topic = Buffer.from(topic);
		this.say(`T${escapeTopic(topic.toString())}`);
		return true;
	}
}

/** Control characters and % as %XX, so that a topic cannot end its record. */
function escapeTopic(topic: string): string {
	return topic.replace(
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
		/[\0-\x1f\x7f%]/g,
		(c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
	);
}
