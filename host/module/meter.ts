import { join, type Piece, s32, u32 } from "./binary.js";
import { BULK, OP } from "./instructions.js";
import type { Body } from "./layout.js";
import { PAGE } from "./limits.js";
import type { Insert } from "./lines.js";
import type { Price } from "./price.js";
import type { Loop, Weighed } from "./weigh.js";

/**
 * Units a function with loops pays at its entry for the first iterations, and again whenever
 * they are used up. In between a loop counts down in a local, which lives in a register: the
 * global is touched once in so many units instead of at each iteration.
 */
export const PREPAID = 64;

/** Index of the fuel global and of the two locals that a metered function gets. */
interface Places {
	fuel: number;
	/** Units paid and not used yet. */
	paid: number;
	scratch: number;
	/** In pages and elements. */
	memoryCap: number;
	tableCap: number;
}

const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const CONST = 0x41;
const LESS = 0x48;
const AT_MOST = 0x4d;
const MUL = 0x6c;
const ADD = 0x6a;
const SUB = 0x6b;
const SHL = 0x74;
const SHR = 0x76;
const VOID = 0x40;
const I32 = 0x7f;

/** (if (i32.lt_s (top of stack) (0)) (then …)) */
const ifNegative = (then: readonly number[]): number[] => [
	...[CONST, 0, LESS, 0x04, VOID],
	...then,
	OP.end,
];

const TRAP = [0x00];

/** fuel −= what `amount` leaves on the stack; traps when the tank is empty, with a negative fuel. */
function burn({ fuel, scratch }: Places, amount: readonly number[]): number[] {
	return [
		...[GLOBAL_GET, ...u32(fuel)],
		...amount,
		...[SUB, TEE, ...u32(scratch), GLOBAL_SET, ...u32(fuel)],
		...[GET, ...u32(scratch)],
		...ifNegative(TRAP),
	];
}

const constant = (value: number): number[] => [CONST, ...s32(value)];

/** At the entry of a function: its own price, and the first iterations of its loops in advance. */
function enter(places: Places, units: number, loops: boolean): number[] {
	const ahead = loops ? [...constant(PREPAID), SET, ...u32(places.paid)] : [];
	return [...burn(places, constant(units + (loops ? PREPAID : 0))), ...ahead];
}

/** Before a pass of a loop: paid −= units; if that is below 0, pay for more. */
function iterate(places: Places, units: number): number[] {
	const more = Math.ceil(units / PREPAID) * PREPAID;
	const paid = u32(places.paid);
	return [
		...[GET, ...paid, ...constant(units), SUB, TEE, ...paid],
		...ifNegative([
			...burn(places, constant(more)),
			...[GET, ...paid, ...constant(more), ADD, SET, ...paid],
		]),
	];
}

/**
 * Before an instruction whose last operand says how much it does. An operand beyond the cap
 * costs nothing, as the instruction then fails before it does anything; and so no amount
 * leaves an i32.
 */
function payFor(places: Places, op: number): number[] {
	const scratch = u32(places.scratch);
	const { cap, units } = rate(places, op);
	return [
		...[TEE, ...scratch],
		...burn(places, [
			...[GET, ...scratch, ...units],
			...[GET, ...scratch, ...constant(cap), AT_MOST, MUL],
		]),
	];
}

/** The largest operand that can succeed, and the way from operand to units. */
function rate(
	{ memoryCap, tableCap }: Places,
	op: number,
): { cap: number; units: number[] } {
	// A page costs 16 faults of 4 KiB when it is first touched: 1,024 units.
	if (op === OP.memoryGrow) {
		return { cap: memoryCap, units: [...constant(10), SHL] };
	}
	// 16 bytes are a unit.
	if ((op & 0xff) <= BULK.memoryFill) {
		const cap = Math.min(memoryCap * PAGE, 0xffff_ffff);
		return { cap, units: [...constant(4), SHR] };
	}
	// An element of a table is 16 units.
	return { cap: tableCap, units: [...constant(4), SHL] };
}

/**
 *   br L      ─▶  charge, br L
 *   br_if L   ─▶  if  charge, br L + 1  end
 */
function chargeLoop({ pays, head, jumps }: Loop, charge: number[]): Insert[] {
	if (pays === "head") return [{ at: head, end: head, code: charge }];
	return jumps.map(({ at, end, conditional, depth }) =>
		conditional
			? {
					at,
					end,
					code: [OP.if, VOID, ...charge, OP.br, ...u32(depth + 1), OP.end],
				}
			: { at, end, code: [...charge, OP.br, ...u32(depth)] },
	);
}

/** What all functions of a module share: the index of the fuel global, and the caps in pages and elements. */
export type Budget = Pick<Places, "fuel" | "memoryCap" | "tableCap">;

/** What a function's body gets: two locals, and its charges. In order. */
export function chargesOf(
	body: Body,
	weighed: Weighed,
	price: Price,
	parameters: number,
	{ fuel, memoryCap, tableCap }: Budget,
): Insert[] {
	const { code, loops, lengthy, localGroups, groupsAt } = weighed;
	if (price.entry === 0 && lengthy.length === 0) return [];
	const paid = parameters + weighed.locals;
	const places = { fuel, paid, scratch: paid + 1, memoryCap, tableCap };
	const entry =
		price.entry > 0 ? enter(places, price.entry, loops.length > 0) : [];
	const charges = [
		...loops.flatMap((loop, k) =>
			chargeLoop(loop, iterate(places, price.loops[k] as number)),
		),
		...lengthy.map(({ at, op }) => ({ at, end: at, code: payFor(places, op) })),
	].sort((a, b) => a.at - b.at);
	return [
		{ at: body.at, end: groupsAt, code: u32(localGroups + 1) },
		{ at: code, end: code, code: [2, I32, ...entry] },
		...charges,
	];
}

/** A function's body with its charges in place, without its size. */
export function insertAll(
	bytes: Uint8Array,
	body: Body,
	inserts: readonly Insert[],
): Uint8Array {
	if (inserts.length === 0) return bytes.subarray(body.at, body.end);
	const pieces: Piece[] = [];
	let from = body.at;
	for (const { at, end, code } of inserts) {
		pieces.push(bytes.subarray(from, at), code);
		from = end;
	}
	pieces.push(bytes.subarray(from, body.end));
	return join(pieces);
}
