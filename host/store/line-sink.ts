import type { Keeper, OutputProperties, Sink } from "../contract.js";
import { WasieveError } from "../errors.js";

const NEWLINE = 0x0a;
/** Bytes waiting to be written beyond which the line should pause its source. */
const ENOUGH = 1024 * 1024;
/** Bytes in one write, at least one line. */
const WRITE = 1024 * 1024;

/** What lines are written to. An Appender is one. */
export interface Target {
	open(): Promise<void>;
	/** Resolves when the lines are safe there. */
	append(lines: Buffer): Promise<void>;
	close(): Promise<void>;
}

/** Outputs written and not yet delivered: of reading numbers[i], a line that ends at ends[i]. */
interface Lines {
	bytes: Buffer;
	used: number;
	numbers: number[];
	ends: number[];
}

/**
 * Writes outputs as lines, one write at a time; what is committed meanwhile goes into the next.
 *
 *   write ─▶ lines ─ commit ─▶ committed ─ append ─▶ delivered
 *              └──── rollback ─▶ forgotten
 */
export class LineSink implements Sink {
	#keeper!: Keeper;
	#lines = emptyLines();
	/** How much of #lines is committed. */
	#committed = 0;
	#flying: Lines | undefined;
	#working: Promise<void> | undefined;
	#full = false;
	/** Why nothing can be delivered any more. */
	#broken: WasieveError | undefined;
	#closed = false;
	#wake: (() => void) | undefined;

	/** `retry`: pause before a failed append is tried again, ms; undefined when the target is lost then. */
	constructor(
		readonly name: string,
		readonly target: Target,
		readonly retry: number | undefined,
	) {}

	async start(keeper: Keeper): Promise<void> {
		this.#keeper = keeper;
		try {
			await this.target.open();
		} catch (cause) {
			throw unwritable(this.name, cause);
		}
	}

	get ready(): boolean {
		return !this.#full;
	}

	write(
		n: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		_properties: OutputProperties,
	): void {
		const lines = this.#lines;
		reserve(lines, end - start + 1);
		lines.bytes.set(bytes.subarray(start, end), lines.used);
		lines.used += end - start;
		lines.bytes[lines.used++] = NEWLINE;
		lines.numbers.push(n);
		lines.ends.push(lines.used);
		if (lines.used > ENOUGH) this.#full = true;
	}

	commit(): void {
		this.#committed = this.#lines.numbers.length;
		if (this.#committed > 0) this.#working ??= this.#work();
	}

	rollback(): void {
		const { numbers, ends } = this.#lines;
		numbers.length = this.#committed;
		ends.length = this.#committed;
		this.#lines.used = ends.at(-1) ?? 0;
	}

	async drain(): Promise<void> {
		await this.#working;
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#wake?.();
		await this.#working;
		await this.target.close();
	}

	async #work(): Promise<void> {
		// Everything that is committed in this turn shares the first write.
		await Promise.resolve();
		while (this.#committed > 0) {
			this.#flying = this.#takeCommitted();
			const written = await this.#append(this.#flying);
			if (!written && this.#broken === undefined) break; // closed meanwhile
			this.#report(this.#flying);
		}
		this.#working = undefined;
	}

	/** The committed lines, as many as one write takes; the others stay. */
	#takeCommitted(): Lines {
		const { bytes, numbers, ends } = this.#lines;
		let count = 1;
		while (count < this.#committed && (ends[count] as number) <= WRITE) count++;
		const used = ends[count - 1] as number;
		const taken: Lines = {
			bytes: Buffer.from(bytes.subarray(0, used)),
			used,
			numbers: numbers.splice(0, count),
			ends: ends.splice(0, count),
		};
		bytes.copyWithin(0, used, this.#lines.used);
		this.#lines.used -= used;
		this.#committed -= count;
		for (let i = 0; i < ends.length; i++) ends[i] = (ends[i] as number) - used;
		return taken;
	}

	/** Whether the lines are safe; false when they never will be. */
	async #append(lines: Lines): Promise<boolean> {
		let failed = false;
		while (this.#broken === undefined) {
			try {
				await this.target.append(lines.bytes);
				if (failed) this.#keeper.health(undefined);
				return true;
			} catch (cause) {
				failed = true;
				const error = unwritable(this.name, cause);
				this.#keeper.health(error);
				if (this.retry === undefined) this.#broken = error;
				else if (!(await this.#rest(this.retry))) return false;
			}
		}
		return false;
	}

	/** Waits, with the line told to pause; false when the sink was closed. */
	async #rest(ms: number): Promise<boolean> {
		this.#full = true;
		if (this.#closed) return false;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		return !this.#closed;
	}

	#report(lines: Lines): void {
		let start = 0;
		for (const [i, n] of lines.numbers.entries()) {
			const end = lines.ends[i] as number;
			if (this.#broken === undefined) this.#keeper.delivered(n);
			else {
				const payload = lines.bytes.subarray(start, end - 1);
				this.#keeper.undeliverable(n, this.#broken, this.name, payload);
			}
			start = end;
		}
		this.#keeper.settle();
		if (!this.#full || this.#lines.used > ENOUGH / 2) return;
		this.#full = false;
		this.#keeper.ready();
	}
}

/** A stream as a target. It belongs to the process: closing the sink leaves it open. */
export function streamTarget(stream: NodeJS.WritableStream): Target {
	let fault: Error | undefined;
	const onError = (error: Error) => {
		fault = error;
	};
	return {
		async open() {
			stream.on("error", onError);
		},
		append: (lines) =>
			new Promise((resolve, reject) => {
				if (fault) reject(fault);
				else
					stream.write(lines, (error) => (error ? reject(error) : resolve()));
			}),
		async close() {
			// A late EPIPE must still find somebody who hears it.
			if (fault === undefined) stream.off("error", onError);
		},
	};
}

function emptyLines(): Lines {
	return { bytes: Buffer.alloc(16 * 1024), used: 0, numbers: [], ends: [] };
}

function reserve(lines: Lines, size: number): void {
	const needed = lines.used + size;
	if (needed <= lines.bytes.length) return;
	const grown = Buffer.allocUnsafe(Math.max(needed, lines.bytes.length * 2));
	lines.bytes.copy(grown, 0, 0, lines.used);
	lines.bytes = grown;
}

function unwritable(name: string, cause: unknown): WasieveError {
	const { code = "unknown error" } = cause as NodeJS.ErrnoException;
	return new WasieveError(
		"E_FILE_WRITE",
		`${name} cannot be written (${code})`,
		{
			hint: "free disk space, mend permissions, or keep the reading end of the pipe open",
			cause,
		},
	);
}
