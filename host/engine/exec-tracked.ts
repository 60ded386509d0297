import type {
	Batch,
	Clock,
	Engine,
	Intake,
	Outcomes,
	Source,
} from "../contract.js";
import { asWasieveError, type WasieveError } from "../errors.js";
import { commandEngine } from "./command.js";
import { BEGINNING, type Ending, ended, failed } from "./exec.js";
import { type CommandExecution, whenStopped } from "./exec-command.js";
import { type InlineOptions, inlineEngine } from "./inline.js";
import { ClosedPipe, writeAll } from "./stdio-host.js";
import { Exit } from "./wasi.js";

/**
 * Runs a filter made with the SDK where no end of stdin reaches it (the Wasm shim): in tracked mode, as
 * a gateway does, and ended in band. Time stands at the beginning of virtual time. Throws E_MODULE_*, E_ENGINE_*.
 */
export async function executeTracked(
	run: CommandExecution,
	source: Source,
): Promise<Ending> {
	const { time, start, output, memory } = run;
	const engine = commandEngine({
		...run,
		name: "filter",
		limits: { time, start, output, memory },
		unitBy: "batch",
		restart: { max: 1, backoff: { min: 1, max: 1 } },
		clock: () => BEGINNING,
	});
	const script = new Script(engine, source);
	whenStopped(run.stop, script.stop);
	return play(script);
}

/** What there is to set that plain mode has no words for. */
export interface Surroundings {
	/** The gateway's time, ms since 1970; asked before each reading and at the end. */
	clock: Clock;
	/** Told of each reading before it is worked on. */
	before(payload: Buffer): void;
}

/**
 * The same on this thread, by calls: each reading has a topic (its source says which) and a time. For
 * modules that run inline.
 */
export async function executeInline(
	options: Omit<InlineOptions, "restart" | "clock">,
	source: Source,
	{ clock, before }: Surroundings,
): Promise<Ending> {
	const restart = { max: 1, backoff: { min: 1, max: 1 } };
	const engine = inlineEngine({ ...options, clock, restart });
	return play(new Script(engine, source, before));
}

async function play(script: Script): Promise<Ending> {
	const { engine, source } = script;
	const begun = engine.start(script).then(() => source.start(script));
	try {
		return await Promise.race([begun.then(() => script.ended), script.ended]);
	} finally {
		await Promise.allSettled([source.close(), engine.close(), begun]);
	}
}

/** Lines go from stdin to the engine, outputs to stdout; the first failure that is no rejection is the end. */
class Script implements Intake, Outcomes {
	readonly congested = false;
	readonly ended: Promise<Ending>;
	#end!: (ending: Ending) => void;
	#over = false;
	#taken = 0;
	#said: Buffer[] = [];

	constructor(
		readonly engine: Engine,
		readonly source: Source,
		/** Has readings worked on one by one, of an engine that does so at once. */
		readonly before?: (payload: Buffer) => void,
	) {
		this.ended = new Promise((resolve) => {
			this.#end = (ending) => {
				this.#over = true;
				resolve(ending);
			};
		});
	}

	readonly stop = (ending: Ending): void => this.#end(ending);

	/* Intake. */

	take(batch: Batch): number {
		const first = this.#taken;
		this.#taken += batch.count;
		for (let i = 0; i < batch.count; i++) batch.number[i] = first + i;
		if (this.before) this.#takeEach(batch, this.before);
		else this.engine.feed(batch);
		if (!this.engine.ready) this.source.pause();
		return first;
	}

	/** What comes behind the end has no output. */
	#takeEach(batch: Batch, before: (payload: Buffer) => void): void {
		for (let i = 0; i < batch.count && !this.#over; i++) {
			before(batch.payload(i));
			this.engine.feed(batch.copy(i, i + 1));
		}
	}

	refuse(_topic: string, _payload: Buffer, { message }: WasieveError): number {
		this.#reject(this.#taken, message);
		return this.#taken++;
	}

	missed(): void {}

	end(): void {
		void this.engine.end().then(() => this.#end(ended(0)));
	}

	health(error: WasieveError | undefined): void {
		if (error) this.#end(failed(error));
	}

	/* Outcomes. */

	begin(): void {
		this.#said = [];
	}

	commit(): void {
		const lines = Buffer.concat(this.#said);
		this.#said = [];
		this.#attempt(() => writeAll(1, lines));
	}

	rollback(): void {
		this.#said = [];
	}

	output(
		_: Batch,
		_i: number,
		bytes: Uint8Array,
		at: number,
		end: number,
	): void {
		this.#said.push(Buffer.from(bytes.subarray(at, end)), LINE_END);
	}

	drop(): void {}

	fail(batch: Batch, i: number, error: WasieveError): void {
		if (error.code !== "E_GUEST_REJECT") this.#fail(error);
		else this.#reject(batch.number[i] as number, error.message);
	}

	consumed(): void {}

	log(text: string): void {
		this.#attempt(() => writeAll(2, Buffer.from(`${text}\n`)));
	}

	restarted(error: WasieveError): void {
		// Other engines try the readings of a batch again, one by one.
		if (this.before || error.code === "E_GUEST_EXIT") this.#fail(error);
	}

	ready(): void {
		this.source.resume();
	}

	stopped(error: WasieveError): void {
		this.#fail((error.cause as WasieveError | undefined) ?? error);
	}

	#reject(number: number, message: string): void {
		this.log(`reading ${number + 1} rejected: ${message}`);
	}

	/** Ended by the guest itself: that is its exit code. */
	#fail(error: WasieveError): void {
		const { cause } = error;
		const own = cause instanceof Exit;
		this.#end(own ? ended(cause.code) : failed(error));
	}

	#attempt(act: () => void): void {
		try {
			act();
		} catch (thrown) {
			if (!(thrown instanceof ClosedPipe))
				this.#end(failed(asWasieveError(thrown)));
			else this.#end({ ...ended(0), closedPipe: true });
		}
	}
}

const LINE_END = Buffer.from("\n");
