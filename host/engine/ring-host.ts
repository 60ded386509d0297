import { type Orders, Said, UNIT_HEADER } from "./channel.js";
import { fault } from "./fault.js";
import type { Outlet } from "./outlet.js";
import { Ring } from "./ring.js";
import { Stderr } from "./stderr.js";
import { AROUND, Tank } from "./tank.js";
import { type Nature, RealNature, VirtualNature } from "./time.js";
import { outputOf } from "./unit.js";
import type { WasiHost } from "./wasi.js";

/** What a call to the rings costs, as bytes copied. */
const CALL = 1000;

/**
 * WASI over the two rings of a guest's thread. A blocking fd_read is a blocking one: the thread
 * sleeps until the engine has more. One fd_read never reaches beyond the end of a unit, so the
 * next one says that the unit is done with.
 */
export class RingHost implements WasiHost {
	readonly args: readonly string[];
	readonly env: readonly string[];
	readonly #input: Ring;
	readonly #stderr: Stderr;
	readonly #nature: Nature;
	readonly #header = Buffer.alloc(UNIT_HEADER);
	readonly tank: Tank;
	#budget: number;
	/** Bytes of the unit that are still to be read. */
	#left = 0;
	/** The guest has a unit, or its last bytes, on its hands. */
	#busy = false;
	#ended = false;

	constructor(
		readonly orders: Orders,
		readonly outlet: Outlet,
	) {
		this.args = orders.args;
		this.env = orders.env;
		this.#input = new Ring(orders.input, false);
		this.#nature = orders.realTime ? new RealNature() : new VirtualNature(0);
		this.#stderr = new Stderr((line) =>
			outlet.say(Said.LOG, Buffer.from(line)),
		);
		this.tank = new Tank(orders.fuel?.units);
		this.#budget = orders.output;
	}

	get lastWords(): string {
		return this.#stderr.lastWords;
	}

	read(memory: Uint8Array, at: number, length: number): number {
		this.tank.spend(CALL);
		if (this.#left === 0 && !this.#next()) return 0;
		if (this.#input.available === 0) this.#waitForMore();
		const got = Math.min(length, this.#left, this.#input.available);
		this.#input.take(memory, at, got);
		this.#input.release();
		this.#left -= got;
		return got;
	}

	write(fd: 1 | 2, memory: Uint8Array, at: number, end: number): number {
		this.tank.spend(CALL + end - at);
		if (fd === 2) {
			this.#stderr.write(memory, at, end);
			return end - at;
		}
		this.#budget -= end - at;
		if (this.#budget < 0) throw tooMuch(this.orders.output);
		this.outlet.say(Said.OUTPUT, memory, at, end);
		return end - at;
	}

	clock(id: number): bigint {
		return this.#nature.clock(id);
	}

	random(target: Uint8Array): void {
		this.#nature.random(target);
	}

	/**
	 * Virtual time stands still between units: a pause on a clock and stdin ends when a unit
	 * comes, by the clock if that unit is from after the pause.
	 */
	wait(stdin: boolean, ns: bigint | undefined): boolean {
		if (stdin && (this.#left > 0 || this.#ended)) return true;
		if (ns === 0n) return stdin && this.#input.available > 0;
		if (!stdin) {
			this.#nature.sleep(ns as bigint);
			return false;
		}
		return this.orders.realTime ? this.#waitReal(ns) : this.#waitVirtual(ns);
	}

	/** The guest is gone: says the rest of its last line. */
	flush(): void {
		this.#stderr.finish();
	}

	spend(bytes: number): void {
		this.tank.spend(bytes);
	}

	#waitReal(ns: bigint | undefined): boolean {
		this.#ask();
		const ms = ns === undefined ? Number.POSITIVE_INFINITY : Number(ns) / 1e6;
		if (this.#input.wait(UNIT_HEADER, ms)) return true;
		this.outlet.say(Said.WOKE);
		this.outlet.ringBell();
		return false;
	}

	#waitVirtual(ns: bigint | undefined): boolean {
		const from = this.#nature.clock(1);
		this.#next();
		return ns === undefined || this.#ended || this.#nature.clock(1) < from + ns;
	}

	/** Waits for the next unit; false when the input has ended. */
	#next(): boolean {
		if (this.#ended) return false;
		this.#ask();
		this.#input.wait(UNIT_HEADER);
		this.#input.take(this.#header, 0, UNIT_HEADER);
		this.#input.release();
		this.#left = this.#header.readUInt32LE(0);
		const readings = this.#header.readUInt32LE(4);
		this.#ended = readings === 0;
		if (this.#nature instanceof VirtualNature) {
			this.#nature.startAt(this.#header.readDoubleLE(8));
		}
		this.#busy = true;
		this.#budget = outputOf(Math.max(1, readings), this.orders.output);
		this.tank.fill(this.#ended ? AROUND : readings);
		return !this.#ended;
	}

	/** Says that all that was given is done with. */
	#ask(): void {
		this.outlet.say(this.#busy ? Said.DONE : Said.ASKS);
		this.outlet.ringBell();
		this.#busy = false;
	}

	/** A unit larger than the ring comes piece by piece. */
	#waitForMore(): void {
		this.outlet.ringBell();
		this.#input.wait(1);
	}
}

function tooMuch(limit: number) {
	return fault(
		"E_GUEST_OUTPUT",
		`the filter wrote more than ${limit} bytes for one reading`,
		"raise limits.output if this is right",
	);
}
