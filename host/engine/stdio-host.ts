import { readSync, writeSync } from "node:fs";
import { type Code, WasieveError } from "../errors.js";
import { type Execution, Watch } from "./execution.js";
import { fault } from "./fault.js";
import { LF } from "./lines.js";
import { AROUND, Tank } from "./tank.js";
import type { Nature } from "./time.js";
import type { WasiHost } from "./wasi.js";

/** Thrown through the guest when the reader of its stdout has gone (EPIPE). */
export class ClosedPipe {}

const LINE_END = Uint8Array.of(LF);

/** What a system call of the machine costs, 1 to 3 µs, as bytes copied. */
const CALL = 10_000;
/** Bytes of output kept back at most. */
const KEPT = 65_536;
/** First and longest pause before a descriptor that would block is tried again, ms. */
const PAUSE_MIN = 0.1;
const PAUSE_MAX = 20;

/**
 * WASI over the process's own descriptors, blocking: a line goes through before the next one is
 * read, whatever the buffering of Node's streams.
 */
export class StdioHost implements WasiHost {
	readonly args: readonly string[];
	readonly env: readonly string[];
	readonly #nature: Nature;
	readonly tank: Tank;
	/** Whether the guest has ever read. */
	asked = false;
	readonly #watch: Int32Array;
	readonly #output: number;
	/** Bytes that may still be written before more is read. */
	#budget: number;
	#ended = false;
	/** Read from stdin, and kept back until the guest asks again: more lines than a full tank is for. */
	#held: Uint8Array = new Uint8Array(0);
	/** Lines that the last read gave. */
	#lines = 0;
	/** The guest's last line on stderr has no end yet. */
	#unfinished = false;
	readonly #singly: boolean;
	/** Written by the guest and kept back until nothing is held: a system call a read, and not one a line. */
	readonly #kept: Buffer | undefined;
	#keptBytes = 0;
	/** Line ends handed over, and whether the last read was up to one. */
	#handed = 0;
	#whole = false;

	constructor(run: Execution, nature: Nature, watch?: Int32Array) {
		this.args = run.args;
		this.env = run.env;
		this.#nature = nature;
		this.tank = new Tank(run.fuel?.units);
		this.#output = run.output;
		this.#budget = run.output * AROUND;
		this.#watch = watch ?? new Int32Array(Watch.COUNT);
		this.#singly = run.singly;
		// A thread that is watched can be ended at any time, and what it keeps with it.
		if (run.singly && !watch) this.#kept = Buffer.allocUnsafe(KEPT);
	}

	/** The reading that the guest is at work on, from 1; undefined where that is not known. */
	get reading(): number | undefined {
		return this.#singly && this.#whole ? this.#handed : undefined;
	}

	read(memory: Uint8Array, at: number, length: number): number {
		this.asked = true;
		const got =
			this.#held.length > 0
				? this.#readHeld(memory, at, length)
				: this.#readStdin(memory, at, length);
		this.#handed += this.#lines;
		this.#whole = this.#lines > 0 && memory[at + got - 1] === LF;
		if (got > 0) this.#turn(Math.max(1, this.#lines), got);
		// Once: a guest that reads on and on behind the end gets no more.
		else if (!this.#ended) this.#turn(AROUND, 0);
		this.#ended = got === 0;
		return got;
	}

	#readStdin(memory: Uint8Array, at: number, length: number): number {
		this.flush();
		this.spend(CALL);
		const got = this.#patiently(Watch.READING, () =>
			unlessBroken("E_FILE_READ", "stdin cannot be read", () =>
				readSync(0, memory, at, length, null),
			),
		);
		const taken = this.#cut(memory.subarray(at, at + got));
		this.#held = memory.slice(at + taken, at + got);
		return taken;
	}

	#readHeld(memory: Uint8Array, at: number, length: number): number {
		const taken = this.#cut(this.#held.subarray(0, length));
		memory.set(this.#held.subarray(0, taken), at);
		this.#held = this.#held.subarray(taken);
		return taken;
	}

	/** Counts the lines of `bytes` that one tank is for, or one, and says where they end. */
	#cut(bytes: Uint8Array): number {
		const most = this.#singly ? 1 : this.tank.most;
		let lf = -1;
		for (this.#lines = 0; this.#lines < most; this.#lines++) {
			lf = bytes.indexOf(LF, lf + 1);
			if (lf === -1) return bytes.length;
		}
		return lf + 1;
	}

	write(fd: 1 | 2, memory: Uint8Array, at: number, end: number): number {
		if (fd === 1 && this.#keep(memory, at, end)) return end - at;
		this.flush();
		this.spend(CALL + end - at);
		this.#charge(end - at);
		Atomics.add(this.#watch, Watch.WRITES, 1);
		if (fd === 2) this.#unfinished = memory[end - 1] !== LF;
		return this.#patiently(Watch.WRITING, () => writeOnce(fd, memory, at, end));
	}

	/** Whether there was room to keep it back. */
	#keep(memory: Uint8Array, at: number, end: number): boolean {
		const kept = this.#kept;
		if (kept === undefined || end - at > KEPT) return false;
		if (end - at > KEPT - this.#keptBytes) this.flush();
		this.spend(end - at);
		this.#charge(end - at);
		kept.set(memory.subarray(at, end), this.#keptBytes);
		this.#keptBytes += end - at;
		return true;
	}

	#charge(bytes: number): void {
		this.#budget -= bytes;
		if (this.#budget < 0) throw tooMuch(this.#output);
	}

	/** Lets out what was kept back. Throws ClosedPipe, E_FILE_WRITE. */
	flush(): void {
		const bytes = this.#keptBytes;
		this.#keptBytes = 0;
		if (bytes > 0) writeAll(1, (this.#kept as Buffer).subarray(0, bytes));
	}

	/** Ends the guest's last line on stderr, so that what is said about its end has one of its own. */
	finishLine(): void {
		if (!this.#unfinished) return;
		try {
			this.#patiently(Watch.WRITING, () => writeSync(2, LINE_END));
		} catch {
			// Then nobody reads what is said about its end either.
		}
	}

	clock(id: number): bigint {
		return this.#nature.clock(id);
	}

	random(target: Uint8Array): void {
		this.#nature.random(target);
	}

	/** stdin always counts as readable: the read that follows blocks until it is. */
	wait(stdin: boolean, ns: bigint | undefined): boolean {
		if (stdin) return true;
		this.#nature.sleep(ns as bigint);
		return false;
	}

	spend(bytes: number): void {
		this.tank.spend(bytes);
	}

	/** Input has come: fuel, time and output for it. Copying it is always within limits. */
	#turn(lines: number, bytes: number): void {
		this.tank.fill(lines);
		this.#budget = this.#output * lines + bytes;
		Atomics.add(this.#watch, Watch.TURNS, 1);
	}

	#patiently(what: number, act: () => number): number {
		Atomics.store(this.#watch, what, 1);
		try {
			return patiently(act);
		} finally {
			Atomics.store(this.#watch, what, 0);
		}
	}
}

/** Writes all of it to stdout or stderr. Throws ClosedPipe, E_FILE_WRITE. */
export function writeAll(fd: 1 | 2, bytes: Uint8Array): void {
	for (let done = 0; done < bytes.length; ) {
		done += patiently(() => writeOnce(fd, bytes, done, bytes.length));
	}
}

function writeOnce(
	fd: 1 | 2,
	bytes: Uint8Array,
	at: number,
	end: number,
): number {
	const name = fd === 1 ? "stdout" : "stderr";
	try {
		return unlessBroken("E_FILE_WRITE", `${name} cannot be written`, () =>
			writeSync(fd, bytes, at, end - at),
		);
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== "EPIPE") throw thrown;
		// A program goes on when only its stderr is not read any more.
		if (fd === 2) return end - at;
		throw new ClosedPipe();
	}
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Whoever shares a pipe or terminal with us may have made it non-blocking: wait, using no CPU. */
function patiently(act: () => number): number {
	for (let pause = PAUSE_MIN; ; pause = Math.min(pause * 2, PAUSE_MAX)) {
		try {
			return act();
		} catch (thrown) {
			const { code } = thrown as NodeJS.ErrnoException;
			// What Windows says at the end of a pipe.
			if (code === "EOF") return 0;
			if (code !== "EAGAIN" && code !== "EINTR") throw thrown;
		}
		Atomics.wait(never, 0, 0, pause);
	}
}

/** What is no fault of the guest's (a full disk, a folder for stdin) is not told as its trap. */
function unlessBroken(code: Code, what: string, act: () => number): number {
	try {
		return act();
	} catch (thrown) {
		const { code: errno = "" } = thrown as NodeJS.ErrnoException;
		if (PASSING.includes(errno)) throw thrown;
		throw new WasieveError(code, `${what} (${errno})`, { cause: thrown });
	}
}

/** Errors with a meaning of their own: try again, end of input, nobody reads. */
const PASSING = ["EAGAIN", "EINTR", "EOF", "EPIPE"];

export function tooMuch(limit: number): WasieveError {
	return fault(
		"E_GUEST_OUTPUT",
		`the module wrote more than ${limit} bytes for a line that it read`,
		"raise the limit if this is right",
	);
}
