import { WasieveError } from "../errors.js";
import { Drafts } from "./drafts.js";
import { each } from "./each.js";
import { unpack } from "./encode.js";
import { reasonText } from "./faults.js";
import { DONE, FLYING, Outbox, RELEASED, WAITING } from "./outbox.js";
import type { MqttSink } from "./sink.js";
import { type Slab, Slabs } from "./slab.js";

/** A publisher's outputs from the moment they are written until they are safe, and what becomes of them. */
export class Flight {
	box!: Outbox;
	drafts!: Drafts;
	/** Outputs of QoS 1 and 2 in flight. */
	flying = 0;
	/** Bytes committed and not sent. */
	waiting = 0;
	#slabs!: Slabs;
	/** Sinks that have had an outcome since the last settle(). */
	readonly #touched: MqttSink[] = [];

	/** @param unsent bytes that the socket still holds */
	constructor(
		private readonly v5: boolean,
		private readonly unsent: () => number,
	) {
		this.clear();
	}

	/** Forgets all. */
	clear(): void {
		this.box = new Outbox();
		this.#slabs = new Slabs();
		this.drafts = new Drafts(this.v5, this.box, this.#slabs, this.#drop);
		this.flying = this.waiting = 0;
	}

	/** What a sink has written is final; false when that is nothing. */
	commit(sink: MqttSink): boolean {
		const { box } = this;
		const from = box.committed;
		this.drafts.commit(sink);
		sink.pending += box.committed - from;
		for (let seq = from; seq < box.committed; seq++)
			this.waiting += box.size(box.place(seq));
		return box.committed > from;
	}

	/** The output has been answered, with this reason code. */
	land(seq: number, reason: number): void {
		this.flying--;
		this.finish(
			this.box.place(seq),
			reason < 0x80
				? undefined
				: new WasieveError(
						"E_OUTPUT_REFUSED",
						`The broker refused an output: ${reasonText(reason)}.`,
						{ hint: "Check the user's rights to publish to the output topic." },
					),
		);
	}

	/** The output at index k is safe, or will never be. */
	finish(k: number, error: WasieveError | undefined): void {
		const { box } = this;
		const slab = box.slab[k] as Slab;
		const sink = box.owner[k] as MqttSink;
		box.state[k] = DONE;
		const first = error
			? sink.failed(box.number[k] as number, error, this.#unpacked(k, slab))
			: sink.delivered(box.number[k] as number);
		if (first) this.#touched.push(sink);
		this.#drop(slab);
	}

	#unpacked(k: number, slab: Slab): { topic: string; payload: Buffer } {
		const { at, end, qos } = this.box;
		return unpack(
			slab.bytes.subarray(at[k], end[k]),
			qos[k] as number,
			this.v5,
		);
	}

	readonly #drop = (slab: Slab): void => {
		if (--slab.live === 0) this.#slabs.release(slab, this.unsent() === 0);
	};

	/** Whether outputs have been finished since the last settle(). */
	get touched(): boolean {
		return this.#touched.length > 0;
	}

	/** The end of a chunk or of a turn: everyone concerned may acknowledge now. */
	settle(): void {
		this.box.advance();
		if (this.touched) each(this.#touched.splice(0), settle);
	}

	/** All that was in flight is sent again, in order, with the same ids and DUP [MQTT-4.4.0-1, 4.6.0-1]. */
	lost(): void {
		const { box } = this;
		for (let seq = box.head; seq < box.sent; seq++) {
			const k = box.place(seq);
			if (box.state[k] === FLYING) this.#again(k);
			this.waiting += box.size(k);
		}
		box.sent = box.head;
		this.flying = 0;
	}

	/** The broker has begun a new session and forgotten whose PUBREC we hold: from the beginning. */
	forgotten(): void {
		const { box } = this;
		for (let seq = box.head; seq < box.committed; seq++) {
			const k = box.place(seq);
			if (box.state[k] === RELEASED) this.#again(k);
		}
	}

	#again(k: number): void {
		const { box } = this;
		const { bytes } = box.slab[k] as Slab;
		const at = box.at[k] as number;
		bytes[at] = (bytes[at] as number) | 8; // DUP [MQTT-3.3.1-1]
		box.state[k] = WAITING;
	}
}

/** Made once: it is said for every chunk. */
const settle = (sink: MqttSink): void => sink.settle();
