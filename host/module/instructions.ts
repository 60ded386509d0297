import { malformed, type Reader } from "./binary.js";

/**
 * What the meter knows of one instruction: how to walk over its immediates and what it may
 * cost. An instruction that is not in this file makes a module unfit to run inline; it is
 * never guessed at.
 */
export const OP = {
	block: 0x02,
	loop: 0x03,
	if: 0x04,
	else: 0x05,
	end: 0x0b,
	br: 0x0c,
	brIf: 0x0d,
	brTable: 0x0e,
	call: 0x10,
	callIndirect: 0x11,
	returnCall: 0x12,
	returnCallIndirect: 0x13,
	tableSet: 0x26,
	memoryGrow: 0x40,
	refFunc: 0xd2,
	bulk: 0xfc,
	vector: 0xfd,
} as const;

/** Instructions after 0xFC that work on as many bytes or elements as their last operand says. */
export const BULK = {
	memoryInit: 8,
	dataDrop: 9,
	memoryCopy: 10,
	memoryFill: 11,
	tableInit: 12,
	elemDrop: 13,
	tableCopy: 14,
	tableGrow: 15,
	tableSize: 16,
	tableFill: 17,
} as const;

/** Reasons not to meter, by first byte, for the message. */
const FOREIGN: Record<number, string> = {
	6: "exceptions",
	7: "exceptions",
	8: "exceptions",
	9: "exceptions",
	10: "exceptions",
	20: "typed function references",
	21: "typed function references",
	24: "exceptions",
	25: "exceptions",
	31: "exceptions",
	211: "garbage collection",
	212: "typed function references",
	213: "typed function references",
	214: "typed function references",
	251: "garbage collection",
	254: "threads",
};

/** Thrown while metering; the module may still be fine for a worker. */
export class Unmeterable extends Error {}

export function unknown(op: number, sub: number, at: number): Unmeterable {
	const hex = (n: number) => `0x${n.toString(16).padStart(2, "0")}`;
	const name =
		op === OP.vector && sub >= 0x100
			? "relaxed SIMD (its results depend on the CPU)"
			: (FOREIGN[op] ?? "an instruction unknown to the meter");
	const code = sub < 0 ? hex(op) : `${hex(op)} ${sub}`;
	return new Unmeterable(`it uses ${name}: ${code} at byte ${at}`);
}

/**
 * Walks over the immediates of an instruction whose opcode was read. Control, calls and 0xFC
 * are the caller's: see {@link isPlain}.
 */
export function skipImmediates(r: Reader, op: number, at: number): void {
	if (op >= 0x45 && op <= 0xc4) return;
	if (op <= 0x01 || op === 0x0f || op === 0x1a || op === 0x1b) return;
	if (op >= 0x20 && op <= 0x26) r.u32();
	else if (op >= 0x28 && op <= 0x3e) skipMemarg(r, at);
	else if (op === 0x3f || op === 0x40) skipZero(r, at);
	else if (op === 0x41) r.leb(5);
	else if (op === 0x42) r.leb(10);
	else if (op === 0x43) r.skip(4);
	else if (op === 0x44) r.skip(8);
	else if (op === 0x1c) for (let n = r.count(); n > 0; n--) skipType(r, at);
	else if (op === 0xd0) skipType(r, at);
	else if (op === 0xd1) return;
	else if (op === 0xd2) r.u32();
	else if (op === 0xfd) skipVector(r, at);
	else throw unknown(op, -1, at);
}

/** Immediates of what follows 0xFC. */
export function skipBulk(r: Reader, sub: number, at: number): void {
	if (sub <= 7) return;
	if (sub > BULK.tableFill) throw unknown(OP.bulk, sub, at);
	if (sub === BULK.memoryInit) {
		r.u32();
		skipZero(r, at);
	} else if (sub === BULK.memoryCopy) {
		skipZero(r, at);
		skipZero(r, at);
	} else if (sub === BULK.memoryFill) skipZero(r, at);
	else {
		r.u32();
		if (sub === BULK.tableInit || sub === BULK.tableCopy) r.u32();
	}
}

/** The index of the one memory. */
function skipZero(r: Reader, at: number): void {
	if (r.byte() !== 0)
		throw new Unmeterable(`it names a memory but 0 at byte ${at}`);
}

/** Bit 6 of the alignment says that a memory index follows (multi-memory). */
function skipMemarg(r: Reader, at: number): void {
	if (r.u32() >= 0x40) {
		throw new Unmeterable(`it names a memory but 0 at byte ${at}`);
	}
	r.u32();
}

/** Number and vector types, funcref, externref; typed references are GC's. */
export function isKnownType(type: number): boolean {
	return (type >= 0x7b && type <= 0x7f) || type === 0x70 || type === 0x6f;
}

function skipType(r: Reader, at: number): void {
	const type = r.byte();
	if (!isKnownType(type)) {
		throw new Unmeterable(`it uses typed references at byte ${at}`);
	}
}

function skipVector(r: Reader, at: number): void {
	const sub = r.u32();
	if (sub > 0xff) throw unknown(OP.vector, sub, at);
	if (sub <= 11 || sub === 92 || sub === 93) skipMemarg(r, at);
	else if (sub === 12 || sub === 13) r.skip(16);
	else if (sub >= 21 && sub <= 34) r.skip(1);
	else if (sub >= 84 && sub <= 91) {
		skipMemarg(r, at);
		r.skip(1);
	}
}

/** A constant expression up to and with its `end`. */
export function skipConstant(r: Reader): void {
	for (;;) {
		const at = r.at;
		const op = r.byte();
		if (op === OP.end) return;
		if (op === 0xfb)
			throw new Unmeterable(`it uses garbage collection at byte ${at}`);
		skipImmediates(r, op, at);
		if (r.done) throw malformed("constant expression without end", at);
	}
}

/** i32, i64, f32, f64. */
export function isNumber(type: number): boolean {
	return type >= 0x7c && type <= 0x7f;
}
