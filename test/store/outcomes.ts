import type {
	Batch,
	Intake,
	Keeper,
	OutputProperties,
} from "#host/contract.js";
import type { WasieveError } from "#host/errors.js";

/** An Intake that remembers everything it was told; readings are numbered as a line would. */
export class Remembering implements Intake {
	readonly readings: { topic: string; payload: string }[] = [];
	readonly refused: {
		topic: string;
		size: number;
		code: string;
		message: string;
	}[] = [];
	readonly health_: (string | undefined)[] = [];
	readonly batches: number[] = [];
	readonly ended: Promise<void>;
	/** Called with every batch. */
	onTake: (batch: Batch) => void = () => {};
	#next = 0;
	#end!: () => void;
	ends = 0;

	constructor() {
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
	}

	take(batch: Batch): number {
		for (let i = 0; i < batch.count; i++) {
			this.readings.push({
				topic: batch.topic(i),
				payload: batch.payload(i).toString(),
			});
		}
		this.batches.push(batch.count);
		const first = this.#next;
		this.#next += batch.count;
		this.onTake(batch);
		return first;
	}

	refuse(topic: string, payload: Buffer, error: WasieveError): number {
		const { code, message } = error;
		this.refused.push({ topic, size: payload.length, code, message });
		return this.#next++;
	}

	missed(): void {}

	end(): void {
		this.ends++;
		this.#end();
	}

	health(error: WasieveError | undefined): void {
		this.health_.push(error?.message);
	}

	get payloads(): string[] {
		return this.readings.map(({ payload }) => payload);
	}
}

/** A Keeper that remembers, and resolves when a number of outputs has had an outcome. */
export class Keeping implements Keeper {
	readonly numbers: number[] = [];
	readonly lost: { n: number; code: string; payload: string }[] = [];
	readonly troubles: (string | undefined)[] = [];
	settled = 0;
	readies = 0;
	#waiting: { count: number; done: () => void }[] = [];

	delivered(n: number): void {
		this.numbers.push(n);
		this.#wake();
	}

	undeliverable(
		n: number,
		error: WasieveError,
		_topic: string,
		payload: Buffer,
	): void {
		this.lost.push({ n, code: error.code, payload: payload.toString() });
		this.#wake();
	}

	settle(): void {
		this.settled++;
	}

	ready(): void {
		this.readies++;
	}

	health(error: WasieveError | undefined): void {
		this.troubles.push(error?.message);
		this.#wake();
	}

	/** When `count` outcomes or changes of health have been told in all. */
	told(count: number): Promise<void> {
		return new Promise((done) => {
			this.#waiting.push({ count, done });
			this.#wake();
		});
	}

	#wake(): void {
		const told = this.numbers.length + this.lost.length + this.troubles.length;
		for (const { count, done } of this.#waiting) if (told >= count) done();
	}
}

export const NO_PROPERTIES: OutputProperties = {
	topic: Buffer.alloc(0),
	topicLength: 0,
	user: Buffer.alloc(0),
	userAt: 0,
	userEnd: 0,
	expires: Number.POSITIVE_INFINITY,
};
