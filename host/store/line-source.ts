import type { Readable } from "node:stream";
import { Batch, type Intake, type Source } from "../contract.js";
import { WasieveError } from "../errors.js";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Readings in one call of take() at most. */
const BATCH = 1024;
/** Bytes of a line that is too long which are kept for the quarantine. */
const KEPT = 64 * 1024;

/** One stream of lines. */
export interface Input {
	/** Stands for the topic. */
	name: string;
	/** Said in messages. */
	path: string;
	open(): Promise<NodeJS.ReadableStream>;
}

/**
 * Cuts chunks of a stream into lines. A line ends with LF or CR LF, the last one of an input also without; empty
 * lines are no readings.
 *
 *   chunk:  rest of a line LF  line LF  line LF  begin of a li
 *           └─ after #pieces ┘ └─ a batch ───┘  └─ to #pieces
 */
export class LineSource implements Source {
	readonly #batch = new Batch(BATCH);
	readonly #inputs: readonly Input[];
	readonly #maxReading: number;
	#intake!: Intake;
	#current = 0;
	#stream: NodeJS.ReadableStream | undefined;
	#topic: Buffer = Buffer.alloc(0);
	#chunk: Buffer = Buffer.alloc(0);
	#at = 0;
	/** Beginning of a line whose end has not come. */
	#pieces: Buffer[] = [];
	#held = 0;
	#paused = false;
	#busy = false;
	#finished = false;
	#stopped = false;

	constructor(inputs: readonly Input[], maxReading: number) {
		this.#inputs = inputs;
		this.#maxReading = maxReading;
	}

	async start(intake: Intake): Promise<void> {
		this.#intake = intake;
		for (const { path, open } of this.#inputs.slice(1)) {
			release(await opened(path, open)); // said now, not hours later
		}
		await this.#begin();
	}

	pause(): void {
		this.#paused = true;
		this.#stream?.pause();
	}

	resume(): void {
		this.#paused = false;
		this.#handOver();
	}

	acknowledge(): void {}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#stream?.pause();
	}

	async close(): Promise<void> {
		this.#stopped = true;
		release(this.#stream);
	}

	/* -------------------------------------------------------------- inputs */

	async #begin(): Promise<void> {
		const { name, path, open } = this.#inputs[this.#current] as Input;
		this.#topic = Buffer.from(name);
		this.#finished = false;
		const stream = await opened(path, open);
		if (this.#stopped) {
			release(stream);
			return;
		}
		this.#stream = stream;
		stream.on("data", (chunk: Buffer) => this.#feed(chunk));
		stream.on("end", () => this.#finish());
		stream.on("error", (cause) => {
			this.#intake.health(unreadable(path, cause));
			this.#finish();
		});
		if (this.#paused) stream.pause();
	}

	#feed(chunk: Buffer): void {
		this.#chunk = chunk;
		this.#at = 0;
		this.#stream?.pause(); // one chunk at a time
		this.#handOver();
	}

	#finish(): void {
		this.#finished = true;
		this.#handOver();
	}

	/** Goes on as far as the line lets it; called again by whoever brings something new. */
	#handOver(): void {
		if (this.#busy) return; // the line calls resume() from within take()
		this.#busy = true;
		while (!this.#paused && !this.#stopped && this.#at < this.#chunk.length) {
			this.#step();
		}
		this.#busy = false;
		if (this.#paused || this.#stopped) return;
		if (!this.#finished) this.#stream?.resume();
		else this.#next();
	}

	#next(): void {
		if (this.#held > 0) this.#completeHeld(this.#chunk.subarray(0, 0));
		if (this.#paused || this.#stopped) return; // comes again with resume()
		this.#current++;
		if (this.#current >= this.#inputs.length) {
			this.#stopped = true;
			this.#intake.end();
			return;
		}
		this.#begin().catch((error: WasieveError) => {
			this.#intake.health(error);
			this.#finish();
		});
	}

	/* --------------------------------------------------------------- lines */

	#step(): void {
		if (this.#held > 0) {
			this.#endHeld();
			return;
		}
		const last = this.#chunk.lastIndexOf(NEWLINE);
		if (last < this.#at) this.#hold();
		else this.#takeLines(last);
	}

	/** The rest of a line that began in an earlier chunk. */
	#endHeld(): void {
		const end = this.#chunk.indexOf(NEWLINE, this.#at);
		if (end < 0) {
			this.#hold();
			return;
		}
		const rest = this.#chunk.subarray(this.#at, end);
		this.#at = end + 1;
		this.#completeHeld(rest);
	}

	/** Keeps the rest of the chunk: all of it while it may become a reading, then only what the quarantine gets. */
	#hold(): void {
		const rest = this.#chunk.subarray(this.#at);
		this.#at = this.#chunk.length;
		const room = Math.max(this.#maxReading + 1, KEPT) - this.#held;
		if (room > 0) this.#pieces.push(rest.subarray(0, room));
		this.#held += rest.length;
	}

	#completeHeld(rest: Buffer): void {
		const length = this.#held + rest.length;
		const line = Buffer.concat([...this.#pieces, rest]);
		this.#pieces = [];
		this.#held = 0;
		if (length > this.#maxReading + 1) this.#refuse(line, length);
		else this.#takeFrom(line, 0, line.length);
	}

	/** Lines of the chunk up to the line end at `last`, as many as a batch takes. */
	#takeLines(last: number): void {
		this.#batch.bytes = this.#chunk;
		this.#batch.count = 0;
		while (this.#at <= last && this.#batch.count < BATCH) {
			const end = this.#chunk.indexOf(NEWLINE, this.#at);
			if (!this.#fits(this.#chunk, this.#at, end)) break;
			this.#add(this.#chunk, this.#at, end);
			this.#at = end + 1;
		}
		if (this.#batch.count > 0) this.#intake.take(this.#batch);
		else if (this.#at <= last) this.#refuseNext();
	}

	#refuseNext(): void {
		const end = this.#chunk.indexOf(NEWLINE, this.#at);
		const line = this.#chunk.subarray(this.#at, end);
		this.#at = end + 1;
		this.#refuse(line, line.length);
	}

	#takeFrom(bytes: Buffer, start: number, end: number): void {
		if (!this.#fits(bytes, start, end)) {
			this.#refuse(bytes, end - start);
			return;
		}
		this.#batch.bytes = bytes;
		this.#batch.count = 0;
		this.#add(bytes, start, end);
		if (this.#batch.count > 0) this.#intake.take(this.#batch);
	}

	#fits(bytes: Buffer, start: number, end: number): boolean {
		return withoutReturn(bytes, start, end) - start <= this.#maxReading;
	}

	#add(bytes: Buffer, start: number, lineEnd: number): void {
		const end = withoutReturn(bytes, start, lineEnd);
		if (end === start) return;
		const batch = this.#batch;
		const i = batch.count++;
		batch.payloadAt[i] = start;
		batch.payloadEnd[i] = end;
		batch.topicIn[i] = this.#topic;
		batch.topicAt[i] = 0;
		batch.topicEnd[i] = this.#topic.length;
	}

	#refuse(line: Buffer, length: number): void {
		const error = new WasieveError(
			"E_READING_SIZE",
			`the line is ${length} bytes long, the limit is ${this.#maxReading}`,
			{ hint: "raise limits.reading or write shorter lines" },
		);
		const kept = line.subarray(0, KEPT);
		this.#intake.refuse(this.#topic.toString(), kept, error);
	}
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
	return end > start && bytes[end - 1] === RETURN ? end - 1 : end;
}

async function opened(
	path: string,
	open: Input["open"],
): Promise<NodeJS.ReadableStream> {
	try {
		return await open();
	} catch (cause) {
		throw unreadable(path, cause);
	}
}

/** Streams of the process know destroy() too, though NodeJS.ReadableStream does not say so. */
function release(stream: NodeJS.ReadableStream | undefined): void {
	(stream as Readable | undefined)?.destroy();
}

function unreadable(path: string, cause: unknown): WasieveError {
	const { code = "unknown error" } = cause as NodeJS.ErrnoException;
	return new WasieveError("E_FILE_READ", `${path} cannot be read (${code})`, {
		hint: "name a file that exists and that the gateway may read",
		cause,
	});
}
