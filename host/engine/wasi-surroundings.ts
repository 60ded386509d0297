import { FAULT, INVAL, OK } from "./errno.js";
import type { GuestMemory } from "./guest-memory.js";
import { type Call, Exit, type WasiHost } from "./wasi.js";

/** Arguments, environment, clocks, random numbers, exit. */
export function surroundings(
	host: WasiHost,
	guest: GuestMemory,
): Record<string, Call> {
	const args = encode(host.args);
	const env = encode(host.env);
	return {
		args_sizes_get: (count: number, size: number) =>
			sizes(guest, args, count >>> 0, size >>> 0),
		args_get: (pointers: number, bytes: number) =>
			list(guest, args, pointers >>> 0, bytes >>> 0),
		environ_sizes_get: (count: number, size: number) =>
			sizes(guest, env, count >>> 0, size >>> 0),
		environ_get: (pointers: number, bytes: number) =>
			list(guest, env, pointers >>> 0, bytes >>> 0),
		clock_res_get: (id: number, result: number) =>
			tell(guest, id >>> 0, result >>> 0, () => RESOLUTION),
		clock_time_get: (id: number, _precision: bigint, result: number) =>
			tell(guest, id >>> 0, result >>> 0, () => host.clock(id)),
		random_get: (at: number, size: number) =>
			random(host, guest, at >>> 0, size >>> 0),
		sched_yield: () => OK,
		proc_exit: (code: number) => {
			throw new Exit(code >>> 0);
		},
	};
}

/** 1 µs, the step of virtual time (time.ts). */
const RESOLUTION = 1000n;
/** realtime, monotonic, CPU time of the process and of the thread. */
const CLOCKS = 4;

function encode(texts: readonly string[]): Buffer[] {
	return texts.map((text) => Buffer.from(`${text}\0`));
}

function total(texts: readonly Buffer[]): number {
	return texts.reduce((sum, text) => sum + text.length, 0);
}

/**
 *   count ─▶ | u32 number of texts |      size ─▶ | u32 bytes of all, each with its NUL |
 */
function sizes(
	guest: GuestMemory,
	texts: readonly Buffer[],
	count: number,
	size: number,
): number {
	if (!guest.holds(count, 4) || !guest.holds(size, 4)) return FAULT;
	guest.setU32(count, texts.length);
	guest.setU32(size, total(texts));
	return OK;
}

/**
 *   pointers ─▶ | u32 | u32 | …          bytes ─▶ | K=V NUL | K=V NUL | …
 *                  └─────┼────────────────────────┘         │
 *                        └──────────────────────────────────┘
 */
function list(
	guest: GuestMemory,
	texts: readonly Buffer[],
	pointers: number,
	bytes: number,
): number {
	if (!guest.holds(pointers, texts.length * 4)) return FAULT;
	if (!guest.holds(bytes, total(texts))) return FAULT;
	for (const text of texts) {
		guest.setU32(pointers, bytes);
		guest.bytes.set(text, bytes);
		pointers += 4;
		bytes += text.length;
	}
	return OK;
}

/**
 *   result ─▶ | u64 nanoseconds |
 */
function tell(
	guest: GuestMemory,
	id: number,
	result: number,
	what: () => bigint,
): number {
	if (id >= CLOCKS) return INVAL;
	if (!guest.holds(result, 8)) return FAULT;
	guest.setU64(result, what());
	return OK;
}

function random(
	host: WasiHost,
	guest: GuestMemory,
	at: number,
	size: number,
): number {
	if (!guest.holds(at, size)) return FAULT;
	// Making a random byte takes as long as copying 16.
	host.spend?.(size * 16);
	host.random(guest.bytes.subarray(at, at + size));
	return OK;
}
