import { Batch, NO_CAUSE, type Outcomes } from "../contract.js";
import type { Speech } from "./guest.js";
import { PlainOutput } from "./plain-output.js";
import { encodeUnit, type Unit } from "./unit.js";

const NOTHING = new Batch(1);

/** Plain mode: readings a line each, outputs a line each, all of a unit caused by its first reading. */
export class PlainSpeech implements Speech {
	readonly tickEvery = 0;
	readonly longest = Number.POSITIVE_INFINITY;
	readonly #output = new PlainOutput();

	begin(): void {
		this.#output.clear();
	}

	encode(unit: Unit): Uint8Array {
		return encodeUnit(unit);
	}

	tick(): Uint8Array {
		return new Uint8Array(0);
	}

	add(bytes: Uint8Array): void {
		this.#output.add(bytes);
	}

	report(outcomes: Outcomes, unit: Unit | undefined, all: boolean): void {
		const { batch, from } = unit ?? { batch: NOTHING, from: NO_CAUSE };
		this.#output.lines(all, (bytes, at, end) =>
			outcomes.output(batch, from, bytes, at, end, ""),
		);
	}
}
