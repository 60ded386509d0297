import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { asWasieveError, WasieveError } from "../errors.js";
import { type Ear, isData } from "./ear.js";
import { exited, fault } from "./fault.js";
import type { Guest, GuestListener } from "./guest.js";
import { LF } from "./lines.js";
import type { Runtime } from "./runtimes/runtime.js";
import { Stderr } from "./stderr.js";
import { tooMuch } from "./tracked-output.js";
import { outputOf } from "./unit.js";

export interface ProcessOptions {
	runtime: Pick<
		Runtime,
		"name" | "trap" | "install" | "refusals" | "container"
	>;
	/** The program and its arguments; `name` is one that no other instance has. */
	command(name: string): readonly string[];
	/** Environment of the runtime, not of the guest. */
	surroundings: Readonly<Record<string, string>>;
	ear: Ear;
	/** Bytes of stdout for a reading. */
	output: number;
	/** Lines of stderr let through a second; 50 when left out. */
	lines?: number;
	/** Said to a guest when it begins and when its input ends; nothing in plain mode. */
	first: Uint8Array;
	last: Uint8Array;
}

/** How a killed runtime's signals are told from a crash of its own. */
const CRASHES: readonly string[] = [
	"SIGABRT",
	"SIGSEGV",
	"SIGILL",
	"SIGBUS",
	"SIGFPE",
	"SIGTRAP",
];
/** Exit codes of traps: wasmtime's, Docker's, and that of wazero and iwasm. */
const TRAPS: readonly number[] = [134, 137, 1];
/** ms that a container may take to be gone. */
const REMOVAL = 10_000;
/** ms that what a dead runtime has said may take to arrive; somebody else may hold its pipes. */
const LINGER = 1000;

/** A guest in a runtime of its own, behind pipes. One unit at a time is with it. */
export class GuestProcess implements Guest {
	readonly heldUp = false;
	readonly #o: ProcessOptions;
	readonly #listener: GuestListener;
	#child: ChildProcess | undefined;
	#stderr = new Stderr(() => {});
	/** Why it trapped, in the runtime's own words. */
	#cause = "";
	#lastChunk: Buffer = NOTHING;
	#unit = false;
	#ending = false;
	/** Bytes of stdout since the last unit. */
	#written = 0;
	/** As many it may write until then. */
	#allowed: number;
	#life = 0;
	readonly #endings = new Set<Promise<void>>();
	#name = "";
	#program = "";

	constructor(options: ProcessOptions, listener: GuestListener) {
		this.#o = options;
		this.#allowed = options.output;
		this.#listener = listener;
	}

	get clear(): boolean {
		return !this.#unit;
	}

	begin(): void {
		const life = ++this.#life;
		const { surroundings, ear, first } = this.#o;
		this.#name = `wasieve-${randomBytes(6).toString("hex")}`;
		const command = this.#o.command(this.#name);
		this.#unit = false;
		this.#ending = false;
		this.#written = 0;
		this.#allowed = this.#o.output;
		this.#cause = "";
		this.#lastChunk = NOTHING;
		this.#stderr = new Stderr((line) => this.#log(line), this.#o.lines);
		ear.begin();
		const [program = "", ...args] = command;
		this.#program = program;
		const child = spawn(program, args, { env: { ...surroundings } });
		this.#child = child;
		const mine = () => life === this.#life;
		// A runtime that is gone says so by its end; writing to it then is no news.
		child.stdin.on("error", () => {});
		child.stdout.on("data", (chunk: Buffer) => mine() && this.#hear(chunk));
		child.stderr.on("data", (chunk: Buffer) => {
			if (mine()) this.#stderr.write(chunk, 0, chunk.length);
		});
		child.on("error", (error) => mine() && this.#die(this.#missing(error)));
		child.on("exit", () => {
			const late = setTimeout(() => leave(child.stdout), LINGER);
			child.on("close", () => clearTimeout(late));
			setTimeout(() => leave(child.stderr), LINGER).unref();
		});
		child.on("close", (code, signal) => mine() && this.#over(code, signal));
		child.stdin.write(first);
	}

	send(lines: Uint8Array, _time: number, readings: number): void {
		this.#unit = true;
		this.#allowed = outputOf(readings, this.#o.output);
		this.say(lines);
	}

	/** What needs no answer. */
	say(bytes: Uint8Array): void {
		this.#o.ear.sent(bytes.length);
		this.#child?.stdin?.write(bytes);
	}

	sendEnd(): void {
		this.#ending = true;
		this.#child?.stdin?.end(this.#o.last);
	}

	/** Pipes are heard whenever the event loop turns. */
	hear(): void {}

	async kill(): Promise<void> {
		this.#life++;
		const child = this.#child;
		this.#child = undefined;
		if (child?.pid !== undefined) this.#end(endProcess(child));
		await Promise.all(this.#endings);
	}

	/** What has to happen before nothing is left of an instance. Others may have begun meanwhile. */
	#end(gone: Promise<void>): void {
		const name = this.#name;
		const ending = gone.then(() => this.#endContainer(name));
		this.#endings.add(ending);
		void ending.then(() => this.#endings.delete(ending));
	}

	/** A container outlives its client, and a signal to the client may never reach it. */
	async #endContainer(name: string): Promise<void> {
		const { runtime, surroundings } = this.#o;
		const program = this.#program;
		for (const args of runtime.container?.end(name) ?? []) {
			const limits = { timeout: REMOVAL, killSignal: "SIGKILL" as const };
			await new Promise<void>((resolve) => {
				const options = { ...limits, env: { ...surroundings } };
				execFile(program, args, options, () => resolve());
			});
		}
	}

	#hear(chunk: Buffer): void {
		this.#lastChunk = chunk;
		this.#written += chunk.length;
		if (this.#written > this.#allowed) {
			this.#break(tooMuch(this.#o.output));
			return;
		}
		try {
			this.#o.ear.hear(chunk, this.#heard);
		} catch (thrown) {
			this.#break(this.#refusal(this.#lastWords()) ?? asWasieveError(thrown));
		}
	}

	readonly #heard = {
		output: (bytes: Uint8Array) => this.#listener.output(bytes),
		settled: () => this.#settled(),
	};

	#settled(): void {
		this.#written = 0;
		this.#allowed = this.#o.output;
		if (this.#unit) {
			this.#unit = false;
			this.#listener.done();
		} else if (!this.#ending) this.#listener.asks();
	}

	#log(line: string): void {
		if (this.#cause === "") {
			const { trap, refusals = [] } = this.#o.runtime;
			const refused = refusals.some(({ says }) => says.test(line));
			this.#cause = refused ? line : (trap.exec(line)?.[0] ?? "");
		}
		this.#listener.log(line);
	}

	/** Ends it ourselves. */
	#break(error: WasieveError): void {
		void this.kill();
		this.#listener.died(error, undefined);
	}

	#over(code: number | null, signal: string | null): void {
		this.#stderr.finish();
		const life = this.#life;
		this.#o.ear.end(this.#heard);
		if (life !== this.#life) return;
		if (signal !== null) this.#end(Promise.resolve());
		this.#die(this.#reason(code, signal), code ?? undefined);
	}

	#die(error: WasieveError, exit?: number): void {
		this.#life++;
		this.#child = undefined;
		this.#listener.died(error, exit);
	}

	#reason(code: number | null, signal: string | null): WasieveError {
		const { name, container } = this.#o.runtime;
		const words = this.#cause || this.#lastWords() || this.#stderr.lastWords;
		const refusal = this.#refusal(words);
		if (code !== 0 && refusal) return refusal;
		if (container?.failures.includes(code as number)) {
			return fault("E_ENGINE_START", `${name}: ${words}`, container.stuck);
		}
		if (signal !== null && !CRASHES.includes(signal)) {
			return fault(
				"E_ENGINE_LOST",
				`the engine ${name} was ended by ${signal}`,
				"somebody killed it, perhaps the kernel for want of memory",
			);
		}
		if (signal === null && !TRAPS.includes(code as number)) {
			return exited(code as number, words);
		}
		const how = words || (signal ?? `exit code ${code}`);
		return fault(
			"E_GUEST_TRAP",
			`the filter trapped in ${name}: ${how}`,
			"try the reading with `wasieve exec MODULE`: it is in the quarantine, or with onError: stop in the log",
		);
	}

	#refusal(words: string): WasieveError | undefined {
		const { name, refusals } = this.#o.runtime;
		const refusal = refusals?.find(({ says }) => says.test(words));
		if (refusal === undefined) return undefined;
		const { message, hint } = refusal;
		return fault("E_ENGINE_START", `${name}: ${message} (${words})`, hint);
	}

	/** iwasm writes why it ended to stdout: a last line there that cannot be data. */
	#lastWords(): string {
		const bytes = this.#lastChunk;
		let end = bytes.length;
		while (end > 0 && bytes[end - 1] === LF) end--;
		const at = end > 0 ? bytes.lastIndexOf(LF, end - 1) + 1 : 0;
		if (at === end || isData(bytes, at)) return "";
		return bytes.toString("utf8", at, Math.min(end, at + 200));
	}

	#missing(error: Error): WasieveError {
		const { name, install } = this.#o.runtime;
		return new WasieveError(
			"E_ENGINE_MISSING",
			`the engine ${name} cannot be started: ${error.message}`,
			{ hint: install, cause: error },
		);
	}
}

const NOTHING = Buffer.alloc(0);

/** Reads no further. What is in the pipe by now is read: this thread may have been busy all the time. */
function leave(pipe: Readable): void {
	setImmediate(() => pipe.destroy());
}

async function endProcess(child: ChildProcess): Promise<void> {
	child.stdin?.destroy();
	child.stdout?.destroy();
	child.stderr?.destroy();
	if (child.exitCode !== null || child.signalCode !== null) return;
	const gone = new Promise<void>((resolve) =>
		child.once("exit", () => resolve()),
	);
	child.kill("SIGKILL");
	await gone;
}
