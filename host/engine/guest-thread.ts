import { Worker } from "node:worker_threads";
import { type Code, WasieveError } from "../errors.js";
import {
	type Death,
	FRAME_HEADER,
	type Orders,
	Said,
	UNIT_HEADER,
	Word,
} from "./channel.js";
import { fault } from "./fault.js";
import type { Guest, GuestListener } from "./guest.js";
import { Ring } from "./ring.js";

/** Bytes of each ring. A reading may be longer; it then goes through piece by piece. */
const RING = 128 * 1024;

/** What stays the same for all instances of a module. */
export type Charge = Omit<Orders, "words" | "input" | "outcome">;

/** A worker thread with a guest in it, seen from the engine's thread. */
export class GuestThread implements Guest {
	readonly #charge: () => Charge;
	readonly #listener: GuestListener;
	#words: Int32Array = new Int32Array(Word.COUNT);
	#worker: Worker | undefined;
	#input!: Ring;
	#outcome!: Ring;
	/** What did not fit into the ring yet. */
	#unsent: Uint8Array[] = [];
	/** Counts up with each instance, so that a listener of one that is gone falls silent. */
	#life = 0;
	#frame = Buffer.alloc(4096);

	/** @param charge asked for each new thread */
	constructor(charge: () => Charge, listener: GuestListener) {
		this.#charge = charge;
		this.#listener = listener;
	}

	/** A first or another instance; the last one has died. */
	begin(): void {
		this.#life++;
		this.#unsent = [];
		if (this.#worker === undefined) this.#spawn();
		else this.#renew();
		void this.#listen(this.#life);
	}

	/** Hands over a unit: whole lines. `time` is the gateway's, ms. */
	send(lines: Uint8Array, time: number, readings: number): void {
		const header = Buffer.alloc(UNIT_HEADER);
		header.writeUInt32LE(lines.length, 0);
		header.writeUInt32LE(readings, 4);
		header.writeDoubleLE(time, 8);
		this.#unsent.push(header, lines);
		this.#push();
	}

	/** The input ends. */
	sendEnd(time: number): void {
		this.send(new Uint8Array(0), time, 0);
	}

	/** Whether the guest waits for us to read what it said: then time does not count against it. */
	get heldUp(): boolean {
		return Atomics.load(this.#words, Word.HELD_UP) === 1;
	}

	/** Whether all that was sent has left this thread. */
	get clear(): boolean {
		return this.#unsent.length === 0;
	}

	/** Hears what was said and not heard yet. */
	hear(): void {
		const life = this.#life;
		while (life === this.#life && this.#hearFrame());
		this.#push();
	}

	/** Stops the thread wherever it is; takes 1–3 ms even in an endless loop. Nothing more is heard of it. */
	async kill(): Promise<void> {
		this.#life++;
		this.#unsent = [];
		const worker = this.#worker;
		this.#worker = undefined;
		ringBell(this.#words);
		await worker?.terminate();
	}

	#spawn(): void {
		const words = new SharedArrayBuffer(Word.COUNT * 4);
		const orders: Orders = {
			...this.#charge(),
			words,
			input: Ring.allocate(RING),
			outcome: Ring.allocate(RING),
		};
		this.#words = new Int32Array(words);
		this.#openRings(orders.input, orders.outcome);
		const worker = new Worker(new URL("./worker.js", import.meta.url), {
			workerData: orders,
			env: {},
			argv: [],
			execArgv: [],
			// The thread's own JavaScript needs 5 MB. The guest's memory does not count here:
			// its cap is in the module (host/module/).
			resourceLimits: {
				maxOldGenerationSizeMb: 32,
				maxYoungGenerationSizeMb: 4,
			},
		});
		worker.on("error", (error) => this.#lost(worker, error.message));
		worker.on("exit", () => this.#lost(worker, "the thread ended"));
		this.#worker = worker;
	}

	/** The thread sleeps between two instances: nobody else touches the rings now. */
	#renew(): void {
		const { shared: input } = this.#input;
		const { shared: outcome } = this.#outcome;
		Ring.reset(input);
		Ring.reset(outcome);
		this.#openRings(input, outcome);
		Atomics.add(this.#words, Word.GENERATION, 1);
		Atomics.notify(this.#words, Word.GENERATION);
	}

	#openRings(input: SharedArrayBuffer, outcome: SharedArrayBuffer): void {
		this.#input = new Ring(input, true);
		this.#outcome = new Ring(outcome, false);
	}

	/** A worker that ended by itself: out of its own memory, or a defect. */
	#lost(worker: Worker, why: string): void {
		if (worker !== this.#worker) return;
		this.#worker = undefined;
		this.#life++;
		ringBell(this.#words);
		this.#listener.died(
			fault(
				"E_GUEST_TRAP",
				`the filter's thread was lost: ${why}`,
				"it may need more memory than its limits allow",
			),
			undefined,
		);
	}

	/**
	 * Hears whenever the bell rings. Atomics.waitAsync wakes this thread in 17–26 µs without a
	 * message port's serialisation.
	 */
	async #listen(life: number): Promise<void> {
		const words = this.#words;
		while (life === this.#life) {
			const heard = Atomics.load(words, Word.BELL);
			this.hear();
			if (life !== this.#life) return;
			const bell = waitAsync(words, Word.BELL, heard);
			// Rung meanwhile: other work of this thread goes first.
			await (bell.async ? bell.value : new Promise(setImmediate));
		}
	}

	#hearFrame(): boolean {
		const ring = this.#outcome;
		if (ring.available < FRAME_HEADER) return false;
		ring.take(this.#frame, 0, FRAME_HEADER);
		const head = this.#frame.readUInt32LE(0);
		const size = head & (2 ** 28 - 1);
		if (this.#frame.length < size) this.#frame = Buffer.alloc(size);
		ring.take(this.#frame, 0, size);
		ring.release();
		this.#tell(head >>> 28, this.#frame.subarray(0, size));
		return true;
	}

	#tell(kind: number, bytes: Buffer): void {
		const listener = this.#listener;
		if (kind === Said.OUTPUT) listener.output(bytes);
		else if (kind === Said.LOG) listener.log(bytes.toString());
		else if (kind === Said.DONE) listener.done();
		else if (kind === Said.ASKS) listener.asks();
		else if (kind === Said.WOKE) listener.woke();
		else this.#die(JSON.parse(bytes.toString()));
	}

	#die({ code, message, hint, exit }: Death): void {
		this.#life++;
		const error = new WasieveError(code as Code, message, { hint });
		this.#listener.died(error, exit);
	}

	/** As much of what is to be sent as there is room for. */
	#push(): void {
		let sent = false;
		for (let next = this.#unsent[0]; next; next = this.#unsent[0]) {
			const room = this.#input.available;
			// The guest's thread expects a header in one piece.
			if (room < Math.min(next.length, UNIT_HEADER)) break;
			const taken = Math.min(room, next.length);
			this.#input.put(next, 0, taken);
			sent = true;
			if (taken < next.length) {
				this.#unsent[0] = next.subarray(taken);
				break;
			}
			this.#unsent.shift();
		}
		if (sent) this.#input.publish();
	}
}

function ringBell(words: Int32Array): void {
	Atomics.add(words, Word.BELL, 1);
	Atomics.notify(words, Word.BELL);
}

/** ES2024; Node has had it since 16, TypeScript's ES2023 library has not. */
const { waitAsync } = Atomics as unknown as {
	waitAsync(
		words: Int32Array,
		index: number,
		value: number,
	): { async: true; value: Promise<string> } | { async: false; value: string };
};
