/** The fuel global is an i32. */
const FULL = 2 ** 31 - 1;
/**
 * Tanks for what belongs to no reading: start-up (Go's standard library takes 7 M units) and
 * what is left to do at the end of input.
 */
export const AROUND = 10;
/** Bytes copied for one unit, as the meter charges memory.copy (host/module/meter.ts); about 3 ns. */
const BYTES = 16;

/** The fuel of a metered guest (host/module/meter.ts); of one that is not, nothing happens here. */
export class Tank {
	#fuel: WebAssembly.Global | undefined;
	#filled = 0;
	/** Spent and not yet taken out of the guest's global: asking for it or setting it is a call into V8, 40 ns. */
	#owed = 0;

	/** `units` for one reading; undefined: as much as fits. */
	constructor(readonly units: number = FULL) {}

	/** What is left, negative when it ran out; undefined when the guest is not metered. */
	get left(): number | undefined {
		return this.#fuel && Number(this.#fuel.value) - this.#owed;
	}

	/** So many readings a full tank is for, each with all its units. */
	get most(): number {
		if (this.#fuel === undefined) return Number.POSITIVE_INFINITY;
		return Math.max(1, Math.floor(FULL / this.units));
	}

	attach(fuel: WebAssembly.ExportValue | undefined): void {
		if (fuel instanceof WebAssembly.Global) this.#fuel = fuel;
		this.fill(AROUND);
	}

	/** Enough for so many readings, or a part of one. */
	fill(readings: number): void {
		if (this.#fuel === undefined) return;
		this.#filled = Math.min(Math.floor(this.units * readings), FULL);
		this.#fuel.value = this.#filled;
		this.#owed = 0;
	}

	/** The same as {@link spend}, but looked at when the guest is done: pay(). */
	owe(bytes: number): void {
		if (this.#fuel === undefined) return;
		this.#owed += Math.ceil(bytes / BYTES);
		if (this.#owed > this.#filled) throw empty();
	}

	/** Units used since the last fill, with what is owed. */
	pay(): number {
		if (this.#fuel === undefined) return 0;
		const left = this.left as number;
		if (left < 0) throw empty();
		return this.#filled - left;
	}

	/** What a system call costs that moves so many bytes, or takes as long. */
	spend(bytes: number): void {
		if (this.#fuel === undefined) return;
		const left = this.#fuel.value - Math.ceil(bytes / BYTES);
		this.#fuel.value = Math.max(left, -1);
		if (left < 0) throw empty();
	}
}

function empty(): Error {
	return new Error("out of fuel in a system call");
}
