/** Room at first; doubles as needed. */
const FIRST = 16;

/**
 * The message ids that one connection still has to acknowledge, in the order their
 * PUBLISHes came, which is the order they must be answered in [MQTT-4.6.0-2, -3].
 *
 *     ids     |  17  |  18  |  21  |   …      message ids of QoS 1 and 2 readings
 *     numbers | 4000 | 4001 | 4004 |   …      their ledger numbers
 *               head ──────────────▶ tail     answered when the number is settled
 *
 * Typed rings: an array of objects would cost more than the PUBACK itself. A broker
 * cannot have more than 65,535 ids in flight, so that is as large as it gets.
 */
export class Acks {
	#ids = new Uint16Array(FIRST);
	#qos = new Uint8Array(FIRST);
	#numbers = new Float64Array(FIRST);
	/** Where acknowledgements are written; made when there are some. */
	#packets: Buffer | undefined;
	#head = 0;
	#tail = 0;
	/** How often each id is in the ring; made when a repeat comes, most connections see none. */
	#owed: Uint8Array | undefined;

	get length(): number {
		return this.#tail - this.#head;
	}

	push(id: number, qos: number, number: number): void {
		if (this.length === this.#ids.length) this.#grow();
		const k = this.#tail++ & (this.#ids.length - 1);
		if (this.#owed) this.#owed[id] = (this.#owed[id] as number) + 1;
		this.#ids[k] = id;
		this.#qos[k] = qos;
		this.#numbers[k] = number;
	}

	/** Whether the id still waits for its acknowledgement. */
	owes(id: number): boolean {
		this.#owed ??= this.#count();
		return (this.#owed[id] as number) > 0;
	}

	#count(): Uint8Array {
		const owed = new Uint8Array(65_536);
		for (let k = this.#head; k < this.#tail; k++) {
			const id = this.#ids[k & (this.#ids.length - 1)] as number;
			owed[id] = (owed[id] as number) + 1;
		}
		return owed;
	}

	/**
	 * Removes the ids whose numbers are below `below` and returns their packets, or undefined when there are none.
	 * @param sent whether the packets returned before have left: then their memory is used again. In a flood
	 * these buffers were most of what was allocated, and collecting them 12 % of the CPU.
	 */
	settle(
		below: number,
		released: (id: number, number: number) => void,
		sent: boolean,
	): Buffer | undefined {
		const count = this.#settled(below);
		if (count === 0) return undefined;
		const packets = this.#room(count * 4, sent);
		const mask = this.#ids.length - 1;
		for (let p = 0; p < packets.length; p += 4) {
			const k = this.#head++ & mask;
			const id = this.#ids[k] as number;
			const qos = this.#qos[k] as number;
			if (this.#owed) this.#owed[id] = (this.#owed[id] as number) - 1;
			if (qos === 2) released(id, this.#numbers[k] as number);
			packets[p] = qos === 2 ? 0x50 : 0x40; // PUBREC : PUBACK
			packets[p + 1] = 2;
			packets[p + 2] = id >> 8;
			packets[p + 3] = id;
		}
		return packets;
	}

	#room(size: number, sent: boolean): Buffer {
		if (!sent || this.#packets === undefined || size > this.#packets.length)
			this.#packets = Buffer.allocUnsafe(2 ** Math.ceil(Math.log2(size)));
		return this.#packets.subarray(0, size);
	}

	clear(): void {
		this.#head = this.#tail = 0;
		this.#owed = undefined;
	}

	#settled(below: number): number {
		const mask = this.#ids.length - 1;
		let k = this.#head;
		while (k < this.#tail && (this.#numbers[k & mask] as number) < below) k++;
		return k - this.#head;
	}

	#grow(): void {
		const size = this.#ids.length * 2;
		const grown = [
			new Uint16Array(size),
			new Uint8Array(size),
			new Float64Array(size),
		] as const;
		const mask = this.#ids.length - 1;
		for (let i = 0; i < this.length; i++) {
			const k = (this.#head + i) & mask;
			grown[0][i] = this.#ids[k] as number;
			grown[1][i] = this.#qos[k] as number;
			grown[2][i] = this.#numbers[k] as number;
		}
		this.#tail = this.length;
		this.#head = 0;
		[this.#ids, this.#qos, this.#numbers] = grown;
	}
}
