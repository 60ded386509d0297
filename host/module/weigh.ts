import { malformed, Reader } from "./binary.js";
import {
	BULK,
	isKnownType,
	OP,
	skipBulk,
	skipImmediates,
	Unmeterable,
} from "./instructions.js";
import type { Body, FunctionType } from "./layout.js";

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
	/** Where a charge goes: behind a loop's block type, or at the beginning of the body. */
	at: number;
}

/** An instruction whose cost is its last operand, the number of bytes, elements or pages. */
export interface Lengthy {
	at: number;
	op: number;
}

export interface Weighed {
	/** Without loops. */
	body: Stretch;
	loops: Stretch[];
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
export interface Callable {
	types: readonly (FunctionType | undefined)[];
	/** Type index of each function, imported ones first. */
	functions: readonly number[];
}

interface Frame {
	/** The stretch that instructions inside belong to. */
	stretch: Stretch;
	/** Whether a branch to this frame goes backwards. */
	loop: boolean;
	/** Loops only: something jumps to its head. */
	repeats: boolean;
}

/** Steps for calling through a table beyond those of a known call: the most a free function may cost. */
export const FREE_STEPS = 1024;

export function weigh(bytes: Uint8Array, body: Body, of: Callable): Weighed {
	return new Scales(bytes, body, of).weigh();
}

class Scales {
	readonly #r: Reader;
	readonly #of: Callable;
	readonly #frames: Frame[] = [];
	readonly #result: Weighed;

	constructor(bytes: Uint8Array, { at, end }: Body, of: Callable) {
		this.#r = new Reader(bytes, at, end);
		this.#of = of;
		const { groups, groupsAt, locals } = readLocals(this.#r);
		const code = this.#r.at;
		this.#result = {
			// Entering a function clears its locals.
			body: { steps: FRAME + (locals >>> 2), calls: [], at: code },
			loops: [],
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
		this.#frames.push({ stretch: body, loop: false, repeats: false });
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
		else if (op === OP.br || op === OP.brIf) this.#branch(r.u32(), at);
		else if (op === OP.brTable) {
			for (let n = r.count() + 1; n > 0; n--) this.#branch(r.u32(), at);
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
			this.#result.lengthy.push({ at, op });
		}
	}

	#open(op: number, at: number): void {
		const values = this.#blockType(at);
		const outer = this.#frame.stretch;
		outer.steps += values;
		if (op !== OP.loop) {
			this.#frames.push({ stretch: outer, loop: false, repeats: false });
			return;
		}
		const stretch = { steps: 1 + values, calls: [], at: this.#r.at };
		this.#frames.push({ stretch, loop: true, repeats: false });
	}

	/** A loop that nothing jumps back to is a block: its steps go to the stretch around it. */
	#close(): void {
		const { stretch, loop, repeats } = this.#frames.pop() as Frame;
		if (!loop) return;
		if (repeats) {
			this.#result.loops.push(stretch);
			return;
		}
		const outer = this.#frame.stretch;
		outer.steps += stretch.steps;
		for (const callee of stretch.calls) outer.calls.push(callee);
	}

	/** 0x40, a value type, or the index of a function type as a positive s33. Returns how many values cross. */
	#blockType(at: number): number {
		const r = this.#r;
		const first = r.peek();
		if (first === 0x40 || isKnownType(first)) {
			r.byte();
			return 1;
		}
		if (first >= 0x40 && first < 0x80) {
			throw new Unmeterable(`it uses typed references at byte ${at}`);
		}
		return this.#values(r.u32(), at);
	}

	#branch(depth: number, at: number): void {
		const frame = this.#frames[this.#frames.length - 1 - depth];
		if (frame === undefined) throw malformed("branch out of its function", at);
		if (frame.loop) frame.repeats = true;
	}

	#call(at: number): void {
		const callee = this.#r.u32();
		const type = this.#of.functions[callee];
		if (type === undefined)
			throw malformed(`call of unknown function ${callee}`, at);
		const { stretch } = this.#frame;
		stretch.calls.push(callee);
		stretch.steps += FRAME + this.#values(type, at);
	}

	#callIndirect(at: number): void {
		const type = this.#r.u32();
		this.#r.u32();
		this.#result.indirect = true;
		this.#frame.stretch.steps += FRAME + FREE_STEPS + this.#values(type, at);
	}

	#values(type: number, at: number): number {
		const known = this.#of.types[type];
		if (known === undefined) throw malformed(`${type} is no function type`, at);
		return known.parameters + known.results;
	}

	#bulk(at: number): void {
		const sub = this.#r.u32();
		skipBulk(this.#r, sub, at);
		if (sub <= 7 || sub === BULK.tableSize) return;
		this.#frame.stretch.steps += RUNTIME_CALL;
		const drops = sub === BULK.dataDrop || sub === BULK.elemDrop;
		if (!drops) this.#result.lengthy.push({ at, op: 0x100 | sub });
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
