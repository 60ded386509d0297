import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { rename } from "node:fs/promises";
import type { FailedReading, Log, Quarantine } from "../contract.js";
import { WasieveError } from "../errors.js";
import { Appender } from "./appender.js";

export interface QuarantineOptions {
	/** NDJSON file; made with mode 0600, its folders with 0700, when the first reading comes. */
	file: string;
	/** Most bytes on disk, FILE and FILE.1 together. */
	maxBytes: number;
	log: Log;
	/** Bytes that may wait for a slow disk; default 16 MiB. Beyond it readings are not kept. */
	maxWaiting?: number;
}

/** A quarantine, and what it says about itself. */
export interface FileQuarantine extends Quarantine {
	/** Why the last write failed (E_QUARANTINE_WRITE); undefined while all is well. */
	readonly error: WasieveError | undefined;
	/** Readings that were kept and had to make room for younger ones. */
	readonly discarded: number;
}

interface Waiting {
	line: Buffer;
	kept: (error: WasieveError | undefined) => void;
}

/** Written and synced at once, at most. */
const WRITE = 1024 * 1024;

/**
 * Keeps failed readings in a file, one JSON object a line:
 *
 *   {"time":"2026-01-31T12:00:00.000Z","pipeline":…,"topic":…,"code":…,"reason":…,"payload":…}
 *
 * `payload_base64` stands for `payload` where that is not UTF-8. A reading is kept when the disk has
 * it: only then may its broker forget it. When FILE reaches half of maxBytes it becomes FILE.1; what that
 * replaces is gone, counted in `discarded` and logged. So the youngest readings are kept, and
 * an operator always finds at least half of maxBytes of them.
 */
export function openQuarantine(options: QuarantineOptions): FileQuarantine {
	return new NdjsonQuarantine(options);
}

class NdjsonQuarantine implements FileQuarantine {
	error: WasieveError | undefined;
	discarded = 0;
	readonly #o: QuarantineOptions;
	readonly #appender: Appender;
	#queue: Waiting[] = [];
	#waiting = 0;
	#working: Promise<void> | undefined;

	constructor(options: QuarantineOptions) {
		this.#o = options;
		this.#appender = new Appender(options.file, true);
	}

	keep(failed: FailedReading, kept: Waiting["kept"]): void {
		const line = encode(failed);
		const refused = this.#refusal(line.length);
		if (refused !== undefined) {
			queueMicrotask(() => kept(refused));
			return;
		}
		this.#queue.push({ line, kept });
		this.#waiting += line.length;
		this.#working ??= this.#work();
	}

	async close(): Promise<void> {
		await this.#working;
		await this.#appender.close();
	}

	#refusal(size: number): WasieveError | undefined {
		const { file, maxBytes, maxWaiting = 16 * WRITE } = this.#o;
		if (size > maxBytes / 2) {
			return new WasieveError(
				"E_QUARANTINE_FULL",
				`the reading takes ${size} bytes, more than half of quarantine.maxBytes (${maxBytes})`,
				{ hint: "raise quarantine.maxBytes" },
			);
		}
		if (this.#queue.length === 0 || this.#waiting + size <= maxWaiting) {
			return undefined;
		}
		return new WasieveError(
			"E_QUARANTINE_WRITE",
			`the disk of ${file} is slower than readings fail`,
			{ hint: "mend the filter or the sender, or use a faster disk" },
		);
	}

	/** One write at a time; what comes meanwhile goes into the next. */
	async #work(): Promise<void> {
		// Everything that fails in this turn shares the first write.
		await Promise.resolve();
		while (this.#queue.length > 0) {
			const batch = this.#next();
			this.error = await this.#write(batch);
			for (const { kept } of batch) kept(this.error);
		}
		this.#working = undefined;
	}

	#next(): Waiting[] {
		const room = Math.min(WRITE, this.#o.maxBytes / 2);
		let size = 0;
		let count = 0;
		for (const { line } of this.#queue) {
			if (count > 0 && size + line.length > room) break;
			size += line.length;
			count++;
		}
		this.#waiting -= size;
		return this.#queue.splice(0, count);
	}

	async #write(batch: readonly Waiting[]): Promise<WasieveError | undefined> {
		const lines = Buffer.concat(batch.map(({ line }) => line));
		try {
			await this.#appender.open();
			if (this.#appender.size + lines.length > this.#o.maxBytes / 2) {
				await this.#rotate();
			}
			await this.#appender.append(lines);
			return undefined;
		} catch (cause) {
			return notWritten(this.#o.file, cause);
		}
	}

	/** FILE becomes FILE.1 and replaces the older one. */
	async #rotate(): Promise<void> {
		if (this.#appender.size === 0) return;
		const { file, log, maxBytes } = this.#o;
		const older = `${file}.1`;
		const gone = await countLines(older);
		await this.#appender.close();
		await rename(file, older);
		this.discarded += gone;
		if (gone === 0) return;
		log.warn(
			{
				code: "E_QUARANTINE_FULL",
				file,
				discarded: gone,
				hint: "look at what failed, or raise quarantine.maxBytes",
			},
			`the quarantine is full (${maxBytes} bytes): its ${gone} oldest readings are gone`,
		);
	}
}

function encode(failed: FailedReading): Buffer {
	const { time, pipeline, topic, code, reason, payload } = failed;
	const record = {
		time: new Date(time).toISOString(),
		pipeline,
		topic,
		code,
		reason,
		...readable(payload),
	};
	return Buffer.from(`${JSON.stringify(record)}\n`);
}

/** A payload as a field of a JSON object, whatever its bytes are. */
export function readable(payload: Buffer) {
	return isUtf8(payload)
		? { payload: payload.toString() }
		: { payload_base64: payload.toString("base64") };
}

function notWritten(file: string, cause: unknown): WasieveError {
	const { code = "unknown error" } = cause as NodeJS.ErrnoException;
	return new WasieveError(
		"E_QUARANTINE_WRITE",
		`the quarantine ${file} cannot be written (${code})`,
		{
			hint: "free disk space or mend the folder's permissions; later readings are tried again",
			cause,
		},
	);
}

/** Lines of a file; 0 when there is none. */
async function countLines(file: string): Promise<number> {
	let lines = 0;
	try {
		for await (const chunk of createReadStream(file)) {
			for (const byte of chunk as Buffer) if (byte === 0x0a) lines++;
		}
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
	}
	return lines;
}
