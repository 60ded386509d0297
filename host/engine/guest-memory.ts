/**
 * A guest's memory as the host sees it while it serves a call. Pointers and lengths come from
 * the guest and are not to be believed: whoever touches bytes asks {@link holds} first.
 */
export class GuestMemory {
	bytes: Uint8Array = NOTHING;
	view = new DataView(NOTHING.buffer);
	readonly #source: () => WebAssembly.Memory | undefined;

	/** `source` gives undefined while a start section runs: the host has not seen the exports yet. */
	constructor(source: () => WebAssembly.Memory | undefined) {
		this.#source = source;
	}

	/**
	 * Whether [at, at + size) lies within memory. Both are u32 (or a product of two), so the sum
	 * is exact in a double and cannot wrap.
	 */
	holds(at: number, size: number): boolean {
		// memory.grow detaches the buffer, and a detached view has length 0: reading the length
		// is cheaper than asking Memory for its buffer on every call (2 ns against 15).
		if (this.bytes.length === 0) this.#look();
		return at + size <= this.bytes.length;
	}

	u32(at: number): number {
		return this.view.getUint32(at, true);
	}

	setU32(at: number, value: number): void {
		this.view.setUint32(at, value, true);
	}

	setU64(at: number, value: bigint): void {
		this.view.setBigUint64(at, value, true);
	}

	#look(): void {
		const memory = this.#source();
		if (memory === undefined) return;
		this.bytes = new Uint8Array(memory.buffer);
		this.view = new DataView(memory.buffer);
	}
}

const NOTHING = new Uint8Array(0);
