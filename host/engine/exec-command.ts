import type { Readable } from "node:stream";
import { asWasieveError, type WasieveError } from "../errors.js";
import { isData } from "./ear.js";
import { type Ending, ended, failed, tooLong } from "./exec.js";
import { fault } from "./fault.js";
import type { GuestListener } from "./guest.js";
import { GuestProcess } from "./guest-process.js";
import { LF, linesIn } from "./lines.js";
import { type Pack, placeModule } from "./place.js";
import { checkEngine, type Workshop } from "./preflight.js";
import { type Prepared, prepareTelling } from "./prepared.js";
import type { Runtime } from "./runtimes/runtime.js";
import { ClosedPipe, tooMuch, writeAll } from "./stdio-host.js";
import { AROUND } from "./tank.js";
import { Watchdog } from "./watchdog.js";

/** One run of a module in another runtime, on the process's stdin, stdout and stderr. */
export interface CommandExecution {
	runtime: Runtime;
	workshop: Workshop;
	module: Uint8Array;
	/** Without the program's name. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	/** Bytes of linear memory. */
	memory: number;
	/** ms without asking for input, and until it first asks. */
	time: number;
	start: number;
	/** Bytes written for a line that it reads. */
	output: number;
	/** Where the module's file may lie meanwhile. */
	folder: string;
	/** For containers: who makes its image. */
	image?: Pack;
	/** Ends it; the reason is the exit code. */
	stop: AbortSignal;
}

/** Tells how a run ends that is stopped. */
export function whenStopped(
	stop: AbortSignal,
	end: (ending: Ending) => void,
): void {
	const listener = () => end(ended(stop.reason));
	if (stop.aborted) listener();
	else stop.addEventListener("abort", listener, { once: true });
}

/**
 * Runs a module in another runtime, as execute() does in this one: it streams, and it is ended when it
 * reaches a limit. It is rewritten to tell when it asks for input (host/module/telltale.ts); what it wrote
 * leaves then. Throws E_MODULE_*, E_ENGINE_*.
 */
export async function executeBy(
	run: CommandExecution,
	stdin: Readable,
): Promise<Ending> {
	const prepared = prepareTelling(run, { memory: run.memory });
	const found = await checkEngine(run.runtime, run.workshop);
	const place = await placeModule(prepared, run, found);
	const { args, env, memory, runtime } = run;
	const command = (name: string) => [
		found.program,
		...runtime.arguments({ module: place.name, args, env, memory, name }),
	];
	const input = stdin[Symbol.asyncIterator]();
	const conversation = new Conversation(run, prepared, command, input);
	try {
		return await conversation.ended;
	} finally {
		await conversation.close();
		await place.clear();
	}
}

/** One chunk of input is with the guest at a time; what it makes of it leaves before the next is read. */
class Conversation implements GuestListener {
	readonly ended: Promise<Ending>;
	readonly #run: CommandExecution;
	readonly #guest: GuestProcess;
	readonly #input: AsyncIterator<Buffer>;
	readonly #said: Said;
	readonly #dog: Watchdog;
	#end!: (ending: Ending) => void;
	#closed = false;

	constructor(
		run: CommandExecution,
		{ ear, first, last }: Prepared,
		command: (name: string) => readonly string[],
		input: AsyncIterator<Buffer>,
	) {
		const { runtime, workshop } = run;
		const { surroundings } = workshop;
		const unlimited = Number.POSITIVE_INFINITY;
		this.#run = run;
		this.#guest = new GuestProcess(
			{
				...{ runtime, surroundings, ear, first, last, command },
				...{ output: unlimited, lines: unlimited },
			},
			this,
		);
		this.#input = input;
		this.#said = new Said(run.output);
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
		const late = (limit: number) => this.#end(failed(tooLong(limit)));
		this.#dog = new Watchdog(() => false, late);
		whenStopped(run.stop, this.#end);
		this.#guest.begin();
		this.#dog.watch(run.start);
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#dog.stop();
		await this.#guest.kill();
	}

	output(bytes: Uint8Array): void {
		this.#attempt(() => this.#said.add(bytes));
	}

	log(line: string): void {
		this.#attempt(() => writeAll(2, Buffer.from(`${line}\n`)));
	}

	asks(): void {
		this.#dog.rest();
		this.#attempt(() => this.#said.leave());
		this.#next().catch((thrown) => this.#end(failed(unreadable(thrown))));
	}

	done(): void {
		this.asks();
	}

	woke(): void {}

	died(error: WasieveError, exit: number | undefined): void {
		const { runtime } = this.#run;
		const trapped = isTrap(runtime, error, exit);
		this.#attempt(() => this.#said.leave(trapped ? runtime.trap : undefined));
		this.#end(trapped ? failed(error) : ended(exit));
	}

	async #next(): Promise<void> {
		const { time, start } = this.#run;
		const { value, done } = await this.#input.next();
		// It was waited for in vain: a clock would keep the process.
		if (this.#closed) return;
		this.#dog.watch(done ? start : time);
		if (done) {
			this.#guest.sendEnd();
			return;
		}
		const lines = linesIn(value);
		this.#said.allow(lines, value.length);
		this.#guest.send(value, 0, Math.max(1, lines));
	}

	#attempt(act: () => void): void {
		try {
			act();
		} catch (thrown) {
			if (thrown instanceof ClosedPipe)
				this.#end({ ...ended(0), closedPipe: true });
			else this.#end(failed(asWasieveError(thrown)));
		}
	}
}

/** What the guest wrote since it last asked for input. */
class Said {
	#bytes: Buffer[] = [];
	#budget: number;

	constructor(readonly output: number) {
		this.#budget = output * AROUND;
	}

	/** Input has come: output for it. Copying it is always within limits. */
	allow(lines: number, bytes: number): void {
		this.#budget = this.output * Math.max(1, lines) + bytes;
	}

	add(bytes: Uint8Array): void {
		this.#budget -= bytes.length;
		if (this.#budget < 0) throw tooMuch(this.output);
		this.#bytes.push(Buffer.from(bytes));
	}

	/** To stdout, but for a last line that is the engine's own and tells of a trap. */
	leave(trap?: RegExp): void {
		const bytes = Buffer.concat(this.#bytes);
		this.#bytes = [];
		writeAll(1, trap ? withoutWords(bytes, trap) : bytes);
	}
}

function withoutWords(bytes: Buffer, trap: RegExp): Buffer {
	const end = bytes.at(-1) === LF ? bytes.length - 1 : bytes.length;
	const at = end > 0 ? bytes.lastIndexOf(LF, end - 1) + 1 : 0;
	const words = bytes.toString("utf8", at, end);
	return !isData(bytes, at) && trap.test(words) ? bytes.subarray(0, at) : bytes;
}

/** A guest may exit with 1 of its own will, which is how some runtimes end when it traps. */
function isTrap(
	{ trap }: Runtime,
	{ code, message }: WasieveError,
	exit: number | undefined,
): boolean {
	if (exit === undefined || code.startsWith("E_ENGINE")) return true;
	return code === "E_GUEST_TRAP" && (exit !== 1 || trap.test(message));
}

function unreadable(thrown: unknown): WasieveError {
	return fault(
		"E_FILE_READ",
		`stdin cannot be read: ${asWasieveError(thrown).message}`,
		"",
		thrown,
	);
}
