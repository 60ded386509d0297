import { PREVIEW1 } from "../module/imports.js";
import { GuestMemory } from "./guest-memory.js";
import { denied } from "./wasi-denied.js";
import { descriptors } from "./wasi-fd.js";
import { poll } from "./wasi-poll.js";
import { surroundings } from "./wasi-surroundings.js";

/** What a guest's system calls come down to. The inline engine, the worker and exec each have one. */
export interface WasiHost {
	/** Program name first. */
	readonly args: readonly string[];
	/** "K=V" */
	readonly env: readonly string[];
	/**
	 * Copies up to `length` (> 0) bytes of stdin to memory[at …), which `view` shows as well. Returns the bytes
	 * copied, 0 at the end of input, −1 for would-block.
	 */
	read(memory: Uint8Array, at: number, length: number, view: DataView): number;
	/** One contiguous piece of an fd_write, memory[at, end), not empty. Returns the bytes taken, which may be fewer. */
	write(fd: 1 | 2, memory: Uint8Array, at: number, end: number): number;
	/** Nanoseconds of a clock: 0 realtime (since 1970), 1 monotonic, 2 and 3 CPU time. */
	clock(id: number): bigint;
	random(target: Uint8Array): void;
	/**
	 * poll_oneoff: waits until stdin can be read (if `stdin`) or `ns` nanoseconds have passed
	 * (if given), whichever is first. Returns whether stdin can be read. 0n only asks.
	 */
	wait(stdin: boolean, ns: bigint | undefined): boolean;
	/**
	 * Told before work that grows with a number the guest chose, in bytes: a metered guest pays
	 * for it with fuel, so that system calls are no way around the meter.
	 */
	spend?(bytes: number): void;
}

/** Thrown through the guest by proc_exit. */
export class Exit {
	constructor(
		/** 0 to 2³² − 1; whoever ends a process with it keeps the low 8 bits. */
		readonly code: number,
	) {}
}

/** A system call: numbers and (for u64) bigints in, errno out. */
export type Call = (...args: never[]) => number;

/**
 * The import object of an instance: WASI preview 1 over stdin, stdout, stderr, time, random,
 * arguments and environment. Files and sockets are there, as Rust's and Go's runtimes import
 * them without needing them, and answer an errno.
 *
 * Neither level has a prototype: otherwise a module importing `constructor` or `__proto__`
 * would be linked to JavaScript's own functions.
 */
export function wasiImports(
	host: WasiHost,
	memory: () => WebAssembly.Memory | undefined,
): WebAssembly.Imports {
	const guest = new GuestMemory(memory);
	const calls: Record<string, Call> = Object.assign(
		Object.create(null),
		denied(),
		surroundings(host, guest),
		descriptors(host, guest),
		poll(host, guest),
	);
	return Object.assign(Object.create(null), { [PREVIEW1]: calls });
}
