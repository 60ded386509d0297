import type { Batch, Intake } from "../contract.js";
import type { Inlet } from "./inlet.js";
import { Oversized } from "./oversized.js";
import type { Receipts } from "./receipts.js";

/** Bytes of a refused payload that are kept, unless told otherwise. */
const KEEP = 64 * 1024;

/** Readings larger than allowed: told to the line with their beginning, and acknowledged as others are. */
export class Refusals {
	/** The one whose bytes are skipped as they come. */
	#passing: Oversized | undefined;
	readonly #keep: number;

	/** @param maxReading bytes of the largest payload that is allowed */
	constructor(
		private readonly maxReading: number,
		keep: number | undefined,
		private readonly intake: Intake,
		private readonly receipts: Receipts,
	) {
		this.#keep = keep ?? KEEP;
	}

	/** Reading i, which has come whole and is not in the ledger yet. */
	whole(inlet: Inlet, batch: Batch, i: number): Oversized {
		return Oversized.of(inlet, batch, i, this.#keep);
	}

	/** The packet at `inlet.at`, of which only the beginning is kept. */
	passBy(inlet: Inlet, v5: boolean): void {
		this.#passing = Oversized.ahead(inlet, v5, this.#keep);
		inlet.abandon();
	}

	/** More has come: perhaps the end of what passes by. */
	come(inlet: Inlet): void {
		const refused = this.#passing;
		if (refused === undefined || inlet.skip > 0) return;
		this.#passing = undefined;
		const { id, qos } = refused;
		if (qos === 2 && this.receipts.knows(id)) this.receipts.again(id);
		else this.tell(refused, qos, id);
	}

	/** @param qos 0 where nobody waits for an acknowledgement */
	tell(refused: Oversized, qos: number, id: number): void {
		const error = refused.error(this.maxReading);
		const number = this.intake.refuse(refused.topic, refused.payload, error);
		if (qos > 0) this.receipts.expect(id, qos, number);
	}

	/** The connection is lost, and the rest of what passed by with it. */
	lost(): void {
		this.#passing = undefined;
	}
}
