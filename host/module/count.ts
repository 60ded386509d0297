import { join, type Piece, Reader, u32 } from "./binary.js";
import {
	BULK,
	isKnownType,
	OP,
	skipBulk,
	skipImmediates,
	Unmeterable,
	unknown,
} from "./instructions.js";
import { type Body, readBodies, SECTION } from "./layout.js";
import type { ModuleLimits } from "./limits.js";
import { append, assemble, exportOf, freePrefix } from "./rewrite.js";
import { bodiesSection, isValid, survey } from "./survey.js";

/** A module that counts what it does. */
export interface CountedModule {
	bytes: Uint8Array;
	/** Export name of the mutable i64 global with the instructions executed so far. */
	counter: string;
}

/** A mutable i64, 0 at first. */
const COUNTER = [0x7e, 1, 0x42, 0, OP.end];
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const CONST = 0x42;
const ADD = 0x7c;
const UNREACHABLE = 0x00;
const RETURN = 0x0f;

/**
 * Puts an exact instruction counter into a module: the sibling of the meter, for measuring
 * instead of limiting. The meter charges bounds in units of 16, as few times as it can; this
 * counts every instruction that is executed, so it depends on the module and its input alone,
 * not on the CPU, the engine or the run.
 *
 * What is counted: every instruction but `block`, `loop`, `else` and `end`, which only mark
 * places. A bulk instruction is one, however long. What the host does is not counted.
 * A stretch that traps is counted to its end.
 *
 * Errors: E_MODULE_*; `undefined` when the module uses what the walker does not know.
 */
export function countInstructions(
	bytes: Uint8Array,
	limits: ModuleLimits,
): CountedModule | undefined {
	const found = survey(bytes, limits);
	if (found.unmeterable) return undefined;
	const index = found.globals.length;
	const counter = `${freePrefix(found)}count`;
	try {
		const r = bodiesSection(found);
		const bodies = r ? readBodies(r) : [];
		const counted = bodies.map((body) => countBody(bytes, body, index));
		const code: Piece[] = [u32(bodies.length)];
		for (const body of counted) code.push(u32(body.length), body);
		const parts = new Map<number, Piece[]>([
			[SECTION.global, append(found, SECTION.global, [COUNTER])],
			[
				SECTION.export,
				append(found, SECTION.export, [exportOf(counter, index)]),
			],
		]);
		if (r) parts.set(SECTION.code, code);
		const whole = assemble(found, parts);
		return isValid(whole) ? { bytes: whole, counter } : undefined;
	} catch (thrown) {
		if (thrown instanceof Unmeterable) return undefined;
		throw thrown;
	}
}

/** Signed LEB128 of a number that is not negative. */
function positive(value: number): number[] {
	const bytes: number[] = [];
	let rest = value;
	for (; rest > 0x3f; rest = Math.floor(rest / 128))
		bytes.push((rest % 128) | 0x80);
	return [...bytes, rest];
}

/**
 * Instructions between two places where the way may fork or join are executed all or not at
 * all. At the end of each such stretch its number is added: before the instruction that
 * leaves it, whose operands stay untouched below on the stack.
 *
 *   local.get 0, br_if 1   ─▶   local.get 0, counter += 2, br_if 1
 */
function countBody(bytes: Uint8Array, body: Body, global: number): Uint8Array {
	const r = new Reader(bytes, body.at, body.end);
	for (let groups = r.count(); groups > 0; groups--) {
		r.u32();
		r.byte();
	}
	const pieces: Piece[] = [];
	let from = body.at;
	let steps = 0;
	const settle = (at: number) => {
		if (steps === 0) return;
		const place = u32(global);
		pieces.push(bytes.subarray(from, at));
		pieces.push([GLOBAL_GET, ...place, CONST, ...positive(steps)]);
		pieces.push([ADD, GLOBAL_SET, ...place]);
		from = at;
		steps = 0;
	};
	while (!r.done) {
		const at = r.at;
		const op = r.byte();
		if (!isMark(op)) steps++;
		if (forks(op)) settle(at);
		walk(r, op, at);
	}
	pieces.push(bytes.subarray(from, body.end));
	return join(pieces);
}

function isMark(op: number): boolean {
	return op === OP.block || op === OP.loop || op === OP.else || op === OP.end;
}

/** Whether another way begins or ends here. A call comes back to where it was. */
function forks(op: number): boolean {
	if (op === OP.block) return false;
	if (isMark(op) || op === OP.if) return true;
	if (op === OP.br || op === OP.brIf || op === OP.brTable) return true;
	if (op === OP.returnCall || op === OP.returnCallIndirect) return true;
	return op === UNREACHABLE || op === RETURN;
}

/** Over the immediates of any instruction. */
export function walk(r: Reader, op: number, at: number): void {
	if (op === OP.block || op === OP.loop || op === OP.if) skipBlockType(r, at);
	else if (op === OP.brTable) for (let n = r.count() + 1; n > 0; n--) r.u32();
	else if (op === OP.callIndirect || op === OP.returnCallIndirect) {
		r.u32();
		r.u32();
	} else if (op === OP.br || op === OP.brIf) r.u32();
	else if (op === OP.call || op === OP.returnCall) r.u32();
	else if (op === OP.bulk) {
		const sub = r.u32();
		if (sub > BULK.tableFill) throw unknown(op, sub, at);
		skipBulk(r, sub, at);
	} else if (op !== OP.else && op !== OP.end) skipImmediates(r, op, at);
}

function skipBlockType(r: Reader, at: number): void {
	const first = r.peek();
	if (first === 0x40 || isKnownType(first)) r.byte();
	else if (first > 0x40 && first < 0x80)
		throw new Unmeterable(`it uses typed references at byte ${at}`);
	else r.u32();
}
