import type { Batch, Log } from "../contract.js";
import type { WasieveError } from "../errors.js";
import { readable } from "../store/quarantine.js";
import type { Stage } from "./stage.js";

/** Bytes of a payload that go into the log. */
const LOGGED = 4096;

/** The beginning of a payload that ends between two characters. */
function wholeText(payload: Buffer): Buffer {
	let end = LOGGED;
	while (end > LOGGED - 4 && ((payload[end] as number) & 0xc0) === 0x80) end--;
	return payload.subarray(0, end);
}

/** A line that stands: why, until when, and the readings that stopped it, which are fed again when it goes on. */
export class Standstill {
	/** Undefined while the line goes. */
	reason: WasieveError | undefined;
	#cooling: NodeJS.Timeout | undefined;
	#culprits: { stage: Stage; batch: Batch }[] = [];

	constructor(
		private readonly name: string,
		private readonly log: Log,
	) {}

	/** Until it is told to go on, whatever it stood for before. */
	begin(reason: WasieveError): void {
		this.forgetTimer();
		this.reason = reason;
		const { code, hint, message } = reason;
		const onReading =
			code === "E_PIPELINE_ONERROR" ? this.#lastCulprit() : undefined;
		const fields = { pipeline: this.name, code, ...onReading, hint };
		this.log.error(fields, `stopped: ${message}`);
	}

	/** It could not be ended. */
	stays({ code, hint, message }: WasieveError): void {
		const fields = { pipeline: this.name, code, hint };
		this.log.error(fields, `stays stopped: ${message}`);
	}

	/** Until `ms` have passed. */
	coolDown(ms: number, goOn: () => void): void {
		this.#cooling = setTimeout(goOn, ms);
	}

	end(): void {
		this.forgetTimer();
		this.reason = undefined;
		this.log.info({ pipeline: this.name }, "resumed");
	}

	forgetTimer(): void {
		clearTimeout(this.#cooling);
	}

	/** Reading i is why; it stays open in the ledger. */
	blame(stage: Stage, batch: Batch, i: number): void {
		this.#culprits.push({ stage, batch: batch.copy(i, i + 1) });
	}

	/** What the quarantine would keep of it, as much as a log takes. */
	#lastCulprit(): object | undefined {
		const batch = this.#culprits.at(-1)?.batch;
		if (batch === undefined) return undefined;
		const payload = batch.payload(0);
		const cut = payload.length > LOGGED;
		return {
			topic: batch.topic(0),
			...readable(cut ? wholeText(payload) : payload),
			...(cut && { payload_bytes: payload.length }),
		};
	}

	/** What stops the line once more is blamed anew; what a defect keeps from being fed waits for the next time. */
	feedAgain(): void {
		const again = this.#culprits;
		this.#culprits = [];
		try {
			for (let next = again[0]; next; next = again[0]) {
				next.stage.engine.feed(next.batch);
				again.shift();
			}
		} finally {
			this.#culprits.unshift(...again);
		}
	}
}
