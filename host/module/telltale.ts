import { join, type Piece, Reader, u32 } from "./binary.js";
import { walk } from "./count.js";
import { OP, Unmeterable } from "./instructions.js";
import { type Body, readBodies, SECTION } from "./layout.js";
import type { ModuleLimits } from "./limits.js";
import { append, assemble } from "./rewrite.js";
import { bodiesSection, isValid, type Survey, survey } from "./survey.js";

/** Bytes of the sign that precedes each mark; chosen at random, so that no output has them by chance. */
export const SIGN = 8;
/** Bytes of a mark: the sign, and how many bytes the guest has read from stdin (u32, little endian). */
export const MARK = SIGN + 4;

const I32 = 0x7f;
/** A mutable i32, 0 at first. */
const COUNTER = [I32, 1, 0x41, 0, OP.end];

/**
 * Makes a module that speaks plain mode tell on stdout when it asks for input: before every
 * fd_read of stdin it writes a mark. Behind a pipe nobody else can know that it has worked off
 * what it was given: it may have nothing to say.
 *
 * Calls of fd_read go to a function of ours, which borrows 24 bytes of memory for the mark and
 * gives them back before the guest goes on:
 *
 *   0  iovec: 8, MARK   8  sign   16  bytes read   20  bytes written
 *
 * Errors: E_MODULE_*. Undefined for a module that cannot be rewritten, with no memory to begin
 * with, or that does not import both fd_read and fd_write.
 */
export function tellTale(
	bytes: Uint8Array,
	limits: ModuleLimits,
	sign: Uint8Array,
): Uint8Array | undefined {
	const found = survey(bytes, limits);
	const imported = (name: string) =>
		found.imports.findIndex((each) => each.name === name);
	const read = imported("fd_read");
	const write = imported("fd_write");
	const memory = found.memory?.min ?? 0;
	const r = bodiesSection(found);
	if (read < 0 || write < 0 || memory === 0 || !r) return undefined;
	if (found.unmeterable) return undefined;
	try {
		const whole = assemble(
			found,
			partsOf(found, readBodies(r), read, write, sign),
		);
		return isValid(whole) ? whole : undefined;
	} catch (thrown) {
		if (thrown instanceof Unmeterable) return undefined;
		throw thrown;
	}
}

function partsOf(
	found: Survey,
	bodies: readonly Body[],
	read: number,
	write: number,
	sign: Uint8Array,
): Map<number, Piece[]> {
	const ours = found.functions.length;
	const counter = found.globals.length;
	const code: Piece[] = [u32(bodies.length + 1)];
	for (const body of bodies) {
		const redirected = redirect(found.bytes, body, read, ours);
		code.push(u32(redirected.length), redirected);
	}
	const asker = askerOf({ read, write, counter }, sign);
	code.push(u32(asker.length), asker);
	const type = u32(found.functions[read] as number);
	return new Map<number, Piece[]>([
		[SECTION.function, append(found, SECTION.function, [type])],
		[SECTION.global, append(found, SECTION.global, [COUNTER])],
		[SECTION.code, code],
	]);
}

/** A body whose calls of and references to function `from` go to function `to`. */
function redirect(
	bytes: Uint8Array,
	body: Body,
	from: number,
	to: number,
): Uint8Array {
	const r = new Reader(bytes, body.at, body.end);
	for (let groups = r.count(); groups > 0; groups--) {
		r.u32();
		r.byte();
	}
	const pieces: Piece[] = [];
	let kept = body.at;
	while (!r.done) {
		const at = r.at;
		const op = r.byte();
		if (op !== OP.call && op !== OP.returnCall && op !== OP.refFunc) {
			walk(r, op, at);
			continue;
		}
		if (r.u32() !== from) continue;
		pieces.push(bytes.subarray(kept, at), [op, ...u32(to)]);
		kept = r.at;
	}
	pieces.push(bytes.subarray(kept, body.end));
	return join(pieces);
}

const GET = 0x20;
const SET = 0x21;
const I64_LOAD = [0x29, 0, 0];
const I32_STORE = [0x36, 0, 0];
const I64_STORE = [0x37, 0, 0];

const address = (at: number): number[] => [0x41, ...u32(at)];

/**
 * (func (param fd iovs n out) (result errno) (local i64 i64 i64 i32)
 *   if fd == 0: keep bytes 0 … 24, write the mark, restore them
 *   fd_read(fd, iovs, n, out)
 *   if fd == 0 and it returned 0: counter += *out)
 */
function askerOf(
	{ read, write, counter }: { read: number; write: number; counter: number },
	sign: Uint8Array,
): number[] {
	const global = u32(counter);
	const ifStdin = (then: readonly number[]) => [
		...[GET, 0, 0x45, OP.if, 0x40],
		...then,
		OP.end,
	];
	const slots = [4, 5, 6];
	const keep = slots.flatMap((local, k) => [
		...[...address(8 * k), ...I64_LOAD],
		...[SET, local],
	]);
	const restore = slots.flatMap((local, k) => [
		...[...address(8 * k), GET, local],
		...I64_STORE,
	]);
	const put = (at: number, value: readonly number[]) => [
		...address(at),
		...value,
		...I32_STORE,
	];
	const mark = [
		...put(0, address(8)),
		...put(4, address(MARK)),
		...[...address(8), ...i64(sign), ...I64_STORE],
		...put(16, [0x23, ...global]),
		...[...address(1), ...address(0), ...address(1), ...address(20)],
		...[OP.call, ...u32(write), 0x1a],
	];
	const count = [
		...[GET, 7, 0x45, OP.if, 0x40],
		...[0x23, ...global, GET, 3, 0x28, 0, 0, 0x6a, 0x24, ...global],
		OP.end,
	];
	return [
		...[2, 3, 0x7e, 1, I32],
		...ifStdin([...keep, ...mark, ...restore]),
		...[GET, 0, GET, 1, GET, 2, GET, 3, OP.call, ...u32(read), SET, 7],
		...ifStdin(count),
		...[GET, 7, OP.end],
	];
}

/** i64.const of eight bytes, little endian. */
function i64(sign: Uint8Array): number[] {
	let rest = Buffer.from(sign).readBigInt64LE(0);
	const bytes = [0x42];
	while (rest < -0x40n || rest > 0x3fn) {
		bytes.push(Number(rest & 0x7fn) | 0x80);
		rest >>= 7n;
	}
	return [...bytes, Number(rest & 0x7fn)];
}
