import type { Keeper, OutputProperties, Sink } from "../contract.js";
import { WasieveError } from "../errors.js";
import type { Parked } from "./drafts.js";
import { Once } from "./once.js";
import type { MqttPublisher, Publisher } from "./publisher.js";

/** An output topic's way into a publisher. */
export function mqttSink(
	publisher: Publisher,
	options: { qos: 0 | 1 | 2; retain: boolean },
): Sink {
	return new MqttSink(publisher as MqttPublisher, options.qos, options.retain);
}

/**
 * start() resolves when the publisher is connected, however long that takes; what is wrong
 * meanwhile is told through health(). It rejects only when closed before.
 */
export class MqttSink implements Sink {
	/** Outputs committed and neither delivered nor failed. */
	pending = 0;
	/** Uncommitted outputs put aside for another sink's. */
	parked: Parked[] = [];
	#keeper: Keeper | undefined;
	#touched = false;
	readonly #started = new Once<void>();
	#drained: Once<void> | undefined;

	constructor(
		private readonly publisher: MqttPublisher,
		readonly qos: 0 | 1 | 2,
		readonly retain: boolean,
	) {}

	async start(keeper: Keeper): Promise<void> {
		this.#keeper = keeper;
		this.publisher.attach(this);
		await this.#started.promise;
	}

	get ready(): boolean {
		return this.publisher.ready;
	}

	write(
		n: number,
		bytes: Uint8Array,
		start: number,
		end: number,
		properties: OutputProperties,
	): void {
		this.publisher.put(this, n, bytes, start, end, properties);
	}

	commit(): void {
		this.publisher.commit(this);
	}

	rollback(): void {
		this.publisher.rollback(this);
	}

	drain(): Promise<void> {
		if (this.pending === 0) return Promise.resolve();
		this.#drained ??= new Once<void>();
		return this.#drained.promise;
	}

	async close(): Promise<void> {
		if (!this.#keeper) return;
		this.#keeper = undefined;
		const closed = new WasieveError("E_MQTT_CONNECT", "The sink was closed.");
		this.#started.reject(closed);
		this.#drained?.reject(closed);
		await this.publisher.detach(this);
	}

	/* ------------------------------------------------- what the publisher says */

	connected(): void {
		this.#started.resolve();
		this.#keeper?.health(undefined);
	}

	disconnected(error: WasieveError): void {
		this.#keeper?.health(error);
	}

	/** True for the first outcome since the last settle(). */
	delivered(n: number): boolean {
		this.pending--;
		this.#keeper?.delivered(n);
		return this.#touch();
	}

	failed(
		n: number,
		error: WasieveError,
		output: { topic: string; payload: Buffer },
	): boolean {
		this.pending--;
		this.#keeper?.undeliverable(n, error, output.topic, output.payload);
		return this.#touch();
	}

	#touch(): boolean {
		const first = !this.#touched;
		this.#touched = true;
		return first;
	}

	settle(): void {
		this.#touched = false;
		this.#keeper?.settle();
		if (this.pending > 0) return;
		this.#drained?.resolve();
		this.#drained = undefined;
	}

	welcome(): void {
		this.#keeper?.ready();
	}
}
