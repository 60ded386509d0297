import type { Batch, Outcomes } from "#host/contract.js";
import type { WasieveError } from "#host/errors.js";

/** A reading that was consumed, and how it ended. */
export interface Consumed {
	payload: string;
	number: number;
}

/** Keeps what an engine says and holds it to the contract while it is said. */
export class Record implements Outcomes {
	/** Everything that counts, in order, a line each. */
	readonly said: string[] = [];
	readonly outputs: string[] = [];
	readonly consumedNumbers: number[] = [];
	readonly failures: { payload: string; code: string }[] = [];
	readonly logs: string[] = [];
	readonly #born = performance.now();
	readonly restarts: WasieveError[] = [];
	readyCount = 0;
	/** Set to have the engine keep what it is fed. */
	congested = false;
	stop: WasieveError | undefined;
	/** A breach of the contract; the test fails on it. */
	readonly breaches: string[] = [];
	#open: (() => void)[] | undefined;
	#waiting: (() => void)[] = [];

	begin(): void {
		if (this.#open !== undefined) this.breaches.push("begin() in begin()");
		this.#open = [];
	}

	commit(): void {
		if (this.#open === undefined) this.breaches.push("commit() of nothing");
		for (const happen of this.#open ?? []) happen();
		this.#open = undefined;
		this.#wake();
	}

	rollback(): void {
		if (this.#open === undefined) this.breaches.push("rollback() of nothing");
		this.#open = undefined;
	}

	output(
		batch: Batch,
		i: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		suffix: string,
	): void {
		const text = Buffer.from(bytes.subarray(start, end)).toString();
		const cause = i < 0 ? "-" : batch.number[i];
		if (i >= batch.count) this.breaches.push(`output of reading ${i}`);
		this.#say(() => {
			this.outputs.push(text);
			this.said.push(`${cause}: ${text}${suffix && ` > ${suffix}`}`);
		});
	}

	drop(batch: Batch, i: number, reason: string): void {
		this.#say(() => this.said.push(`${batch.number[i]} dropped: ${reason}`));
	}

	fail(batch: Batch, i: number, error: WasieveError): void {
		const payload = batch.payload(i).toString();
		this.#say(() => {
			this.failures.push({ payload, code: error.code });
			this.said.push(`${batch.number[i]} failed: ${error.code}`);
		});
	}

	consumed(batch: Batch, from: number, to: number): void {
		if (this.#open !== undefined)
			this.breaches.push("consumed() before commit()");
		if (from >= to || to > batch.count) {
			this.breaches.push(`consumed ${from} to ${to} of ${batch.count}`);
		}
		for (let i = from; i < to; i++) {
			this.consumedNumbers.push(batch.number[i] as number);
			this.said.push(`${batch.number[i]} consumed`);
		}
		this.#wake();
	}

	log(text: string): void {
		this.logs.push(text);
		this.#wake();
	}

	restarted(error: WasieveError): void {
		this.restarts.push(error);
		this.#wake();
	}

	ready(): void {
		this.readyCount++;
		this.#wake();
	}

	stopped(error: WasieveError): void {
		this.stop = error;
		this.#wake();
	}

	/** Resolves when `happened` is true; it is asked after each thing said. */
	until(happened: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = () => {
				if (happened()) resolve();
				else this.#waiting.push(look);
			};
			look();
		});
	}

	/** Lines that a flood of stderr may have become by now: 50 a second, and how many were left out. */
	get mostLogs(): number {
		const seconds = (performance.now() - this.#born) / 1000;
		return 51 * Math.ceil(seconds + 1);
	}

	consumedAll(count: number): Promise<void> {
		return this.until(() => this.consumedNumbers.length >= count);
	}

	#say(happen: () => void): void {
		if (this.#open === undefined) {
			this.breaches.push("something said outside of begin() and commit()");
			happen();
		} else this.#open.push(happen);
	}

	#wake(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const look of waiting) look();
	}
}
