import type {
	Batch,
	Intake,
	Keeper,
	OutputProperties,
	Sink,
} from "#host/contract.js";
import type { WasieveError } from "#host/errors.js";
import type { BrokerOptions } from "#host/mqtt/options.js";

/** Things to be waited for one by one. */
export class Queue<T> {
	readonly items: T[] = [];
	readonly #waiting: ((item: T) => void)[] = [];

	push(item: T): void {
		const waiting = this.#waiting.shift();
		if (waiting) waiting(item);
		else this.items.push(item);
	}

	next(): Promise<T> {
		const item = this.items.shift();
		if (item !== undefined) return Promise.resolve(item);
		return new Promise((resolve) => this.#waiting.push(resolve));
	}
}

/** A condition to wait for; checked whenever touch() is called. */
class Watch {
	#waiting: { holds: () => boolean; resolve: () => void }[] = [];

	until(holds: () => boolean): Promise<void> {
		if (holds()) return Promise.resolve();
		return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
	}

	touch(): void {
		const [met, left] = [
			this.#waiting.filter((w) => w.holds()),
			this.#waiting.filter((w) => !w.holds()),
		];
		this.#waiting = left;
		for (const w of met) w.resolve();
	}
}

/** One reading as a source has handed it over. */
export interface Taken {
	number: number;
	topic: string;
	payload: string;
	user: string;
	expires: number;
	flags: number;
}

/** A line that only writes down what it is told. */
export class RecordingIntake extends Watch implements Intake {
	readonly taken: Taken[] = [];
	readonly refused: { topic: string; payload: Buffer; error: WasieveError }[] =
		[];
	readonly states: (WasieveError | undefined)[] = [];
	/** What take() does besides. */
	during: (batch: Batch) => void = () => {};
	number = 0;

	take(batch: Batch): number {
		const first = this.number;
		for (let i = 0; i < batch.count; i++) {
			batch.number[i] = this.number;
			this.taken.push({
				number: this.number++,
				topic: batch.topic(i),
				payload: batch.payload(i).toString(),
				user: batch.bytes.toString("latin1", batch.userAt[i], batch.userEnd[i]),
				expires: batch.expires[i] as number,
				flags: batch.flags[i] as number,
			});
		}
		this.during(batch);
		this.touch();
		return first;
	}

	refuse(topic: string, payload: Buffer, error: WasieveError): number {
		this.refused.push({ topic, payload: Buffer.from(payload), error });
		this.touch();
		return this.number++;
	}

	passed = 0;

	missed(count: number): void {
		this.passed += count;
		this.touch();
	}

	end(): void {}

	health(error: WasieveError | undefined): void {
		this.states.push(error);
		this.touch();
	}

	get payloads(): string[] {
		return this.taken.map((reading) => reading.payload);
	}
}

/** A keeper that only writes down what it is told. */
export class RecordingKeeper extends Watch implements Keeper {
	readonly safe: number[] = [];
	readonly lost: {
		n: number;
		error: WasieveError;
		topic: string;
		payload: string;
	}[] = [];
	readonly states: (WasieveError | undefined)[] = [];
	settled = 0;
	welcomed = 0;

	delivered(n: number): void {
		this.safe.push(n);
	}

	undeliverable(
		n: number,
		error: WasieveError,
		topic: string,
		payload: Buffer,
	): void {
		this.lost.push({ n, error, topic, payload: payload.toString() });
	}

	settle(): void {
		this.settled++;
		this.touch();
	}

	ready(): void {
		this.welcomed++;
		this.touch();
	}

	health(error: WasieveError | undefined): void {
		this.states.push(error);
		this.touch();
	}
}

/** Writes a text to a sink. */
export function say(
	sink: Sink,
	n: number,
	topic: string,
	text: string,
	more: { user?: Buffer; expires?: number } = {},
): void {
	const bytes = Buffer.from(text);
	const user = more.user ?? Buffer.alloc(0);
	const name = Buffer.from(topic);
	const properties: OutputProperties = {
		topic: name,
		topicLength: name.length,
		user,
		userAt: 0,
		userEnd: user.length,
		expires: more.expires ?? Number.POSITIVE_INFINITY,
	};
	sink.write(n, bytes, 0, bytes.length, properties);
}

let clients = 0;

/** Options that differ from the quick and harmless ones only where a test says so. */
export function brokerAt(
	url: string,
	more: Partial<BrokerOptions> = {},
): BrokerOptions {
	return {
		url,
		clientId: `test-${process.pid}-${clients++}`,
		protocol: 4,
		keepalive: 30,
		clean: true,
		reconnect: { min: 5, max: 40 },
		connectTimeout: 5000,
		...more,
	};
}
