import { Batch, type Outcomes } from "../contract.js";
import type { WasieveError } from "../errors.js";
import { fault, faultOf } from "./fault.js";
import type { FilterModule } from "./filter-module.js";
import type { Rewindable } from "./rewind.js";
import { Stderr } from "./stderr.js";
import { AROUND, Tank } from "./tank.js";
import { VirtualNature } from "./time.js";
import { TrackedInput } from "./tracked-input.js";
import { broken, type Hello, TrackedOutput } from "./tracked-output.js";
import { type WasiHost, wasiImports } from "./wasi.js";

export interface InstanceOptions {
	module: FilterModule;
	args: readonly string[];
	env: readonly string[];
	limits: { fuel: number; output: number };
}

/** Told of all input read: Rewind. */
export interface Recorder {
	/** The guest has read memory[at, at + length). */
	note(memory: DataView, at: number, length: number): void;
}

/**
 * One instance of an SDK module, pumped by calls. After any throw it is not used again. It serves the module's
 * system calls itself: an object and closures for that would be more places in memory for each reading to touch.
 */
export class GuestInstance implements Rewindable, WasiHost {
	readonly input = new TrackedInput();
	readonly output: TrackedOutput;
	readonly tank: Tank;
	/** From now on. */
	recorder: Recorder | undefined;
	readonly #pump: () => void;
	/** Reads to be given again, instead of input. */
	#replay: Buffer[] | undefined;

	readonly memory: WebAssembly.Memory;
	readonly globals: readonly WebAssembly.Global[];
	readonly stderr: Stderr;
	readonly args: readonly string[];
	readonly env: readonly string[];
	readonly #wasm: WebAssembly.Module;
	readonly #start: () => void;
	readonly #nature = new VirtualNature(0);

	constructor(options: InstanceOptions, outcomes: Outcomes) {
		const { module, limits, args, env } = options;
		// Once: what is asked for may be gone the next time.
		const { wasm } = module;
		this.#wasm = wasm;
		this.args = args;
		this.env = env;
		this.tank = new Tank(limits.fuel);
		this.output = new TrackedOutput(outcomes, limits.output);
		this.stderr = new Stderr((line) => outcomes.log(line));
		let memory: WebAssembly.Memory | undefined;
		const { exports } = new WebAssembly.Instance(
			wasm,
			wasiImports(this, () => memory),
		);
		memory = this.memory = exports.memory as WebAssembly.Memory;
		this.#start = exports._start as () => void;
		this.#pump = exports.pump as () => void;
		this.tank.attach(exports[module.fuel ?? ""]);
		this.globals = module.state.map(
			(name) => exports[name] as WebAssembly.Global,
		);
	}

	/* --------------------------------------------------------- system calls */

	read(memory: Uint8Array, at: number, length: number, view: DataView): number {
		if (this.#replay !== undefined) return this.#reread(memory, at, length);
		const taken = this.input.read(memory, at, length, view);
		if (taken > 0) this.recorder?.note(view, at, taken);
		return taken;
	}

	write(fd: 1 | 2, memory: Uint8Array, at: number, end: number): number {
		if (fd === 1) {
			const lines = this.output.write(memory, at, end);
			this.tank.owe(end - at + lines * LINE);
		} else {
			if (this.#replay === undefined) this.stderr.write(memory, at, end);
			this.tank.spend((end - at) * ERR_BYTE);
		}
		return end - at;
	}

	spend(bytes: number): void {
		this.tank.spend(bytes);
	}

	// An SDK module imports none of these; one that does gets what is the same in every replay.

	clock(id: number): bigint {
		return this.#nature.clock(id);
	}

	random(target: Uint8Array): void {
		this.#nature.random(target);
	}

	wait(stdin: boolean, ns: bigint | undefined): boolean {
		if (ns !== undefined) this.#nature.sleep(ns);
		return stdin;
	}

	/* ---------------------------------------------------------------- calls */

	get hello(): Hello {
		if (this.output.hello === undefined) {
			// The hello is still there: it ended without reading at all.
			throw this.input.unread > 0 ? silent() : broken(NO_ANSWER);
		}
		return this.output.hello;
	}

	set hello(hello: Hello) {
		this.output.hello = hello;
		if (hello.topic) this.input.announceTopics();
	}

	/**
	 * Says hello and lets the filter's top level run until it waits for readings. `known` is the
	 * answer of an earlier instance that this one takes the place of: nothing is said twice.
	 */
	start(known?: Hello): void {
		this.output.mute(known !== undefined);
		this.input.say("h1 pump");
		this.output.load(NO_READINGS, 0, 0);
		this.tank.fill(AROUND);
		this.#start();
		this.output.finish();
		this.tank.pay();
		this.output.mute(false);
		// Through the setter: it announces topics.
		this.hello = known ?? this.hello;
	}

	/** Lets the filter work on readings [from, to), all of them, on so many tanks of fuel. Returns the units it used. */
	pump(batch: Batch, from: number, to: number, tanks: number): number {
		this.input.load(batch, from, to);
		this.output.load(batch, from, to);
		this.tank.fill(tanks);
		this.#pump();
		this.output.finish();
		if (this.input.unread > 0) {
			throw broken("it did not read what it was told");
		}
		if (this.output.base !== to) {
			throw broken(
				`${to - this.output.base} of ${to - from} readings were not reported as consumed`,
			);
		}
		return this.tank.pay();
	}

	/** What an error means that one of these calls threw. */
	faultOf(thrown: unknown): WasieveError {
		const { tank, stderr } = this;
		return faultOf(thrown, tank.left, stderr.lastWords, this.#wasm);
	}

	/** Gives the input of an earlier pump again; what comes out is out already. */
	replay(reads: Buffer[]): void {
		this.#replay = reads;
		this.output.mute(true);
		// It did what it does within its limits before.
		this.tank.fill(Number.POSITIVE_INFINITY);
		this.#pump();
		if (reads.length > 0) {
			throw fault(
				"E_GUEST_PROTOCOL",
				"the filter read less than the first time",
				"the same input must give the same reads",
			);
		}
		this.output.mute(false);
		this.#replay = undefined;
	}

	#reread(memory: Uint8Array, at: number, length: number): number {
		const bytes = this.#replay?.shift();
		if (bytes === undefined) return -1;
		memory.set(bytes.subarray(0, length), at);
		return Math.min(bytes.length, length);
	}
}

const NO_ANSWER = "it did not answer the hello";

function silent(): WasieveError {
	return fault(
		"E_GUEST_START",
		"it ended without asking for input",
		"does it call run()? `wasieve build` of this version looks",
	);
}

/** What a line written costs besides its bytes, as bytes copied: 200 ns. */
const LINE = 1024;
/** What a byte on stderr costs, as bytes copied: it is looked at. */
const ERR_BYTE = 8;

const NO_READINGS = new Batch(1);
