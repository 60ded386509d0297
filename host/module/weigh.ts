import { malformed, Reader, tooMany } from "./binary.js";
import {
	BULK,
	isKnownType,
	OP,
	skipBulk,
	skipImmediates,
	Unmeterable,
} from "./instructions.js";
import type { Body, FunctionType } from "./layout.js";
import { BLOCKS, CHARGES, PARTS } from "./limits.js";

/**
 * What a module's code may cost, found by reading it once.
 *
 * Code is cut into stretches: a loop's body without the loops inside it, or a function's body
 * without its loops. Wasm jumps backwards only to a loop's head, so a stretch runs at most
 * once per arrival at its head, and its number of instructions bounds what one arrival costs.
 */
export interface Stretch {
	/** Instructions, plus extra for those that cost more than most. */
	steps: number;
	/** Functions called by index; what they cost is known later. */
	calls: number[];
	/** Loops directly inside. */
	inner: Loop[];
}

export interface Loop extends Stretch {
	/**
	 * back: each jump to the head pays, and the first pass is paid for by the stretch around it.
	 * Most loops of a parser run no or one time, so this is cheaper by half than the head.
	 * head: every arrival pays at the head. For jumps that no charge can be put before: those that
	 * carry values, and br_table.
	 */
	pays: "back" | "head";
	/** Behind the block type. */
	head: number;
	jumps: Jump[];
}

/** A br or br_if to a loop's head, bytes[at, end). */
export interface Jump {
	at: number;
	end: number;
	conditional: boolean;
	/** Frames between. */
	depth: number;
}

/** An instruction whose cost is its last operand, the number of bytes, elements or pages. */
export interface Lengthy {
	at: number;
	op: number;
}

export interface Weighed {
	body: Stretch;
	/** Those that something jumps back to, inner ones first. */
	loops: Loop[];
	/** All functions called by index. */
	calls: number[];
	lengthy: Lengthy[];
	/** Calls whose target is not known before they run. */
	indirect: boolean;
	/** Where the code begins, behind the locals. */
	code: number;
	/** Declarations of locals, and where the first one is, behind their count. */
	localGroups: number;
	groupsAt: number;
	locals: number;
	/** First use of an instruction that changes what a checkpoint does not copy. */
	stateful: string | undefined;
	simd: boolean;
}

/** Steps of instructions that call into the engine's runtime. */
const RUNTIME_CALL = 128;
/** A call's own cost besides its values: the frame. */
const FRAME = 4;
/** Growing makes the engine replace the buffer: about a microsecond. */
const GROWTH = 8192;

/**
 * V8's optimizing compiler takes time with the square of the loops in each other, and no process ends before
 * it has: 4,000 cost 2 s, 10,000 (a module of 50 KB) 7 s. People nest five, compilers a dozen.
 */
const LOOPS_MAX = 256;

export interface Callable {
	types: readonly (FunctionType | undefined)[];
	/** Type index of each function, imported ones first. */
	functions: readonly number[];
}

interface Frame {
	/** The stretch that instructions inside belong to. */
	stretch: Stretch;
	/** Set when a branch to this frame goes backwards. */
	loop: Loop | undefined;
}

/** Steps for calling through a table beyond those of a known call: the most a free function may cost. */
export const FREE_STEPS = 1024;

/** What a module has of what its size does not limit well enough, in the functions weighed so far. */
export interface Seen {
	/** Those without jumps as well. */
	loops: number;
	/** Jumps back to a loop and lengthy instructions. */
	charges: number;
}

export function weigh(
	bytes: Uint8Array,
	body: Body,
	of: Callable,
	seen: Seen = { loops: 0, charges: 0 },
): Weighed {
	return new Scales(bytes, body, of, seen).weigh();
}

class Scales {
	readonly #r: Reader;
	readonly #of: Callable;
	readonly #frames: Frame[] = [];
	readonly #result: Weighed;
	/** Loops open. */
	#loops = 0;
	readonly #seen: Seen;

	constructor(bytes: Uint8Array, { at, end }: Body, of: Callable, seen: Seen) {
		this.#seen = seen;
		this.#r = new Reader(bytes, at, end);
		this.#of = of;
		const { groups, groupsAt, locals } = readLocals(this.#r);
		const code = this.#r.at;
		this.#result = {
			// Entering a function clears its locals.
			body: { steps: FRAME + (locals >>> 2), calls: [], inner: [] },
			loops: [],
			calls: [],
			lengthy: [],
			indirect: false,
			code,
			localGroups: groups,
			groupsAt,
			locals,
			stateful: undefined,
			simd: false,
		};
	}

	weigh(): Weighed {
		const { body } = this.#result;
		this.#frames.push({ stretch: body, loop: undefined });
		while (this.#frames.length > 0) this.#instruction();
		if (!this.#r.done)
			throw malformed("code behind the end of a function", this.#r.at);
		return this.#result;
	}

	get #frame(): Frame {
		return this.#frames[this.#frames.length - 1] as Frame;
	}

	#instruction(): void {
		const r = this.#r;
		const at = r.at;
		const op = r.byte();
		const { stretch } = this.#frame;
		stretch.steps++;
		if (op === OP.end) this.#close();
		else if (op === OP.block || op === OP.if || op === OP.loop)
			this.#open(op, at);
		else if (op === OP.br || op === OP.brIf) this.#branch(op, at);
		else if (op === OP.brTable) {
			for (let n = r.count() + 1; n > 0; n--) {
				const { loop } = this.#target(r.u32(), at);
				if (loop) loop.pays = "head";
			}
		} else if (op === OP.call || op === OP.returnCall) this.#call(at);
		else if (op === OP.callIndirect || op === OP.returnCallIndirect) {
			this.#callIndirect(at);
		} else if (op === OP.bulk) this.#bulk(at);
		else if (op !== OP.else) this.#plain(op, at);
	}

	#plain(op: number, at: number): void {
		skipImmediates(this.#r, op, at);
		if (op === OP.vector) this.#result.simd = true;
		if (op === OP.refFunc || op === 0x25)
			this.#frame.stretch.steps += RUNTIME_CALL;
		if (op === OP.tableSet) {
			this.#frame.stretch.steps += RUNTIME_CALL;
			this.#remember("table.set", at);
		}
		if (op === OP.memoryGrow) {
			this.#frame.stretch.steps += GROWTH;
			this.#lengthy(at, op);
		}
	}

	#lengthy(at: number, op: number): void {
		this.#charge(at);
		this.#result.lengthy.push({ at, op });
	}

	#charge(at: number): void {
		if (++this.#seen.charges > CHARGES)
			throw tooMany(CHARGES + 1, CHARGES, at, "jumps and bulk operations");
	}

	#open(op: number, at: number): void {
		const values = this.#blockType(at);
		const outer = this.#frame.stretch;
		outer.steps += values.in + values.out;
		if (this.#frames.length > BLOCKS)
			throw tooMany(BLOCKS + 1, BLOCKS, at, "blocks in each other");
		if (op !== OP.loop) {
			this.#frames.push({ stretch: outer, loop: undefined });
			return;
		}
		if (++this.#loops > LOOPS_MAX) {
			throw malformed(`more than ${LOOPS_MAX} loops in each other`, at);
		}
		if (++this.#seen.loops > PARTS)
			throw tooMany(PARTS + 1, PARTS, at, "loops");
		const loop: Loop = {
			steps: 1 + values.in + values.out,
			calls: [],
			inner: [],
			pays: values.in > 0 ? "head" : "back",
			head: this.#r.at,
			jumps: [],
		};
		outer.inner.push(loop);
		this.#frames.push({ stretch: loop, loop });
	}

	#close(): void {
		const { loop } = this.#frames.pop() as Frame;
		if (loop === undefined) return;
		this.#loops--;
		if (loop.jumps.length > 0 || loop.pays === "head") {
			this.#result.loops.push(loop);
		}
	}

	/** 0x40, a value type, or the index of a function type as a positive s33. Returns how many values cross. */
	#blockType(at: number): { in: number; out: number } {
		const r = this.#r;
		const first = r.peek();
		if (first === 0x40 || isKnownType(first)) {
			r.byte();
			return { in: 0, out: 1 };
		}
		if (first >= 0x40 && first < 0x80) {
			throw new Unmeterable(`it uses typed references at byte ${at}`);
		}
		const { parameters, results } = this.#type(r.u32(), at);
		return { in: parameters, out: results };
	}

	#branch(op: number, at: number): void {
		const depth = this.#r.u32();
		const { loop } = this.#target(depth, at);
		const end = this.#r.at;
		if (loop === undefined) return;
		this.#charge(at);
		loop.jumps.push({ at, end, conditional: op === OP.brIf, depth });
	}

	#target(depth: number, at: number): Frame {
		const frame = this.#frames[this.#frames.length - 1 - depth];
		if (frame === undefined) throw malformed("branch out of its function", at);
		return frame;
	}

	#call(at: number): void {
		const callee = this.#r.u32();
		const type = this.#of.functions[callee];
		if (type === undefined)
			throw malformed(`call of unknown function ${callee}`, at);
		const { stretch } = this.#frame;
		stretch.calls.push(callee);
		this.#result.calls.push(callee);
		stretch.steps += FRAME + this.#values(type, at);
	}

	#callIndirect(at: number): void {
		const type = this.#r.u32();
		this.#r.u32();
		this.#result.indirect = true;
		this.#frame.stretch.steps += FRAME + FREE_STEPS + this.#values(type, at);
	}

	#values(type: number, at: number): number {
		const { parameters, results } = this.#type(type, at);
		return parameters + results;
	}

	#type(type: number, at: number): FunctionType {
		const known = this.#of.types[type];
		if (known === undefined) throw malformed(`${type} is no function type`, at);
		return known;
	}

	#bulk(at: number): void {
		const sub = this.#r.u32();
		skipBulk(this.#r, sub, at);
		if (sub <= 7 || sub === BULK.tableSize) return;
		this.#frame.stretch.steps += RUNTIME_CALL;
		const drops = sub === BULK.dataDrop || sub === BULK.elemDrop;
		if (!drops) this.#lengthy(at, 0x100 | sub);
		if (drops || sub === BULK.tableInit || sub >= BULK.tableCopy) {
			this.#remember(STATEFUL[sub] ?? "", at);
		}
	}

	#remember(name: string, at: number): void {
		this.#result.stateful ??= `${name} at byte ${at}`;
	}
}

const STATEFUL: Record<number, string> = {
	[BULK.dataDrop]: "data.drop",
	[BULK.tableInit]: "table.init",
	[BULK.elemDrop]: "elem.drop",
	[BULK.tableCopy]: "table.copy",
	[BULK.tableGrow]: "table.grow",
	[BULK.tableFill]: "table.fill",
};

function readLocals(r: Reader): {
	groups: number;
	groupsAt: number;
	locals: number;
} {
	const groups = r.count();
	const groupsAt = r.at;
	let locals = 0;
	for (let k = 0; k < groups; k++) {
		const at = r.at;
		locals += r.u32();
		if (!isKnownType(r.byte()))
			throw new Unmeterable(`it uses typed references at byte ${at}`);
	}
	return { groups, groupsAt, locals };
}
