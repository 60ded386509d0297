import type { WasieveError } from "../errors.js";
import { countInstructions } from "../module/count.js";
import { fault, faultOf } from "./fault.js";
import { linesIn } from "./lines.js";
import { loadOnce } from "./load-once.js";
import { AROUND, Tank } from "./tank.js";
import { VirtualNature } from "./time.js";
import { Exit, type WasiHost, wasiImports } from "./wasi.js";

/** What a module is measured with. */
export interface GaugeOptions {
	/** Bytes of memory it may have. */
	memory: number;
	/** Fuel units for each line of input; a module that cannot be metered runs without. */
	fuel: number;
	/** Program name first. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
}

/** One run from start to the end of input. */
export interface GaugedRun {
	/** What it wrote to stdout. */
	output: Uint8Array;
	/** Bytes of linear memory at the end. It never shrinks, so this is the peak. */
	memory: number;
	/** ms of the instantiation, and of all behind it. */
	instantiateMs: number;
	runMs: number;
}

/** A module compiled for measuring; each call makes a new instance. */
export interface Gauge {
	/** ms for checking, rewriting and compiling it. */
	readonly compileMs: number;
	/** Made with the SDK: it says what becomes of each reading if the input begins with a hello. */
	readonly tracked: boolean;
	/** Fails with E_GUEST_EXIT if the module returns before it has read all of `input`. */
	run(input: Uint8Array): GaugedRun;
	/** Instructions executed over all of `input`; undefined when the module cannot be rewritten. */
	count(input: Uint8Array): number | undefined;
}

/** 2000-01-01, as `wasieve exec` has it: the same in every run. */
const BEGINNING = 946_684_800_000;
/** Bytes a read returns at most, whatever the guest asks for. */
const CHUNK = 65_536;

/** Checks and compiles `bytes`. Errors: E_MODULE_*; of its calls: E_GUEST_TRAP, _FUEL, _EXIT. */
export function openGauge(bytes: Uint8Array, options: GaugeOptions): Gauge {
	const begun = performance.now();
	const { wasm, fuel } = loadOnce(bytes, options.memory);
	const compileMs = performance.now() - begun;
	const limits = { memory: options.memory, size: bytes.length };
	const counted = countInstructions(bytes, limits);
	const counting =
		counted && new WebAssembly.Module(counted.bytes as BufferSource);
	return {
		compileMs,
		tracked: WebAssembly.Module.exports(wasm).some(
			({ name }) => name === "pump",
		),
		run: (input) => runOnce(wasm, input, options, fuel),
		count(input) {
			if (counted === undefined || counting === undefined) return undefined;
			const { exports } = runOnce(counting, input, options, undefined);
			const { value } = exports[counted.counter] as WebAssembly.Global;
			return Number(value);
		},
	};
}

function runOnce(
	wasm: WebAssembly.Module,
	input: Uint8Array,
	options: GaugeOptions,
	fuel: string | undefined,
): GaugedRun & { exports: WebAssembly.Exports } {
	const host = new GaugeHost(input, options, fuel !== undefined);
	let memory: WebAssembly.Memory | undefined;
	const imports = wasiImports(host, () => memory);
	const begun = performance.now();
	const { exports } = new WebAssembly.Instance(wasm, imports);
	const entered = performance.now();
	if (exports.memory instanceof WebAssembly.Memory) memory = exports.memory;
	host.tank.attach(fuel === undefined ? undefined : exports[fuel]);
	enter(wasm, exports, host.tank);
	const runMs = performance.now() - entered;
	if (host.unread > 0) throw leftUnread(host.unread, input.length);
	return {
		exports,
		runMs,
		instantiateMs: entered - begun,
		memory: memory?.buffer.byteLength ?? 0,
		output: host.output,
	};
}

function enter(
	wasm: WebAssembly.Module,
	exports: WebAssembly.Exports,
	tank: Tank,
): void {
	try {
		(exports._start as () => void)();
	} catch (thrown) {
		if (thrown instanceof Exit && thrown.code === 0) return;
		throw advised(faultOf(thrown, tank.left, "", wasm));
	}
}

function leftUnread(unread: number, all: number): WasieveError {
	return fault(
		"E_GUEST_EXIT",
		`the filter returned with ${unread} of ${all} bytes of its input unread`,
		"a filter reads until the end of its input: does it call run()?",
	);
}

/** The hints of a gateway speak of its quarantine. */
function advised({ code, message, cause }: WasieveError): WasieveError {
	const hint =
		code === "E_GUEST_FUEL"
			? "it loops without end, or needs a higher --fuel"
			: "try the same input with `wasieve exec`";
	return fault(code, message, hint, cause);
}

/** WASI over bytes in memory: no system call is in the figures. */
class GaugeHost implements WasiHost {
	readonly args: readonly string[];
	readonly env: readonly string[];
	readonly tank: Tank;
	readonly #input: Uint8Array;
	readonly #nature = new VirtualNature(BEGINNING);
	readonly #metered: boolean;
	#at = 0;
	#ended = false;
	/** Doubles when full, so that a run copies each byte a constant number of times. */
	#written = new Uint8Array(CHUNK);
	#size = 0;

	constructor(input: Uint8Array, options: GaugeOptions, metered: boolean) {
		this.args = options.args;
		this.env = options.env;
		this.tank = new Tank(options.fuel);
		this.#input = input;
		this.#metered = metered;
	}

	get unread(): number {
		return this.#input.length - this.#at;
	}

	get output(): Uint8Array {
		return this.#written.slice(0, this.#size);
	}

	read(memory: Uint8Array, at: number, length: number): number {
		const end = Math.min(
			this.#at + Math.min(length, CHUNK),
			this.#input.length,
		);
		const piece = this.#input.subarray(this.#at, end);
		memory.set(piece, at);
		this.#at = end;
		if (this.#metered) this.#refuel(piece);
		return piece.length;
	}

	/** As `wasieve exec` grants it: for each line, and once for finishing. */
	#refuel(piece: Uint8Array): void {
		if (piece.length > 0) this.tank.fill(Math.max(1, linesIn(piece)));
		else if (!this.#ended) this.tank.fill(AROUND);
		this.#ended = piece.length === 0;
	}

	write(fd: 1 | 2, memory: Uint8Array, at: number, end: number): number {
		const bytes = memory.subarray(at, end);
		if (fd === 1) this.#keep(bytes);
		return bytes.length;
	}

	#keep(bytes: Uint8Array): void {
		const needed = this.#size + bytes.length;
		if (needed > this.#written.length) {
			const larger = new Uint8Array(Math.max(needed, this.#written.length * 2));
			larger.set(this.#written.subarray(0, this.#size));
			this.#written = larger;
		}
		this.#written.set(bytes, this.#size);
		this.#size = needed;
	}

	clock(id: number): bigint {
		return this.#nature.clock(id);
	}

	random(target: Uint8Array): void {
		this.#nature.random(target);
	}

	wait(stdin: boolean, ns: bigint | undefined): boolean {
		if (stdin) return true;
		this.#nature.sleep(ns ?? 0n);
		return false;
	}

	spend(bytes: number): void {
		this.tank.spend(bytes);
	}
}
