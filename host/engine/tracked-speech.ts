import { Batch, type Outcomes } from "../contract.js";
import { isData, type TrackedEar } from "./ear.js";
import type { Speech } from "./guest.js";
import { LF, RS } from "./lines.js";
import { TrackedInput } from "./tracked-input.js";
import { TrackedOutput } from "./tracked-output.js";
import type { Unit } from "./unit.js";

const NO_READINGS = new Batch(1);
/** Room for the records before a unit's readings; topics need more, and get it. */
const RECORDS = 256;

/** What a guest is told first, and last: some runtimes never deliver the end of stdin. */
export const HELLO = Buffer.from("\x1eh1\n");
export const END = Buffer.from("\x1eE\n");

/** Tracked mode (docs/protocol.md) over a pipe: each output knows its reading. */
export class TrackedSpeech implements Speech {
	readonly #input = new TrackedInput();
	#output: TrackedOutput | undefined;
	#kept: Uint8Array[] = [];
	#time = 0;

	/** `ear` listens to the same guest. */
	constructor(readonly ear: TrackedEar) {}

	get tickEvery(): number {
		return this.#output?.hello?.every ?? 0;
	}

	get longest(): number {
		return this.#output?.hello?.max ?? Number.POSITIVE_INFINITY;
	}

	begin(): void {
		this.#output = undefined;
		this.#kept = [];
	}

	encode(unit: Unit): Uint8Array {
		const hello = this.#output?.hello;
		if (hello?.topic) this.#input.announceTopics();
		if (hello?.time) this.#input.say(this.#timeRecord(unit.time));
		this.#input.load(unit.batch, unit.from, unit.to);
		this.ear.expect(unit.to - unit.from);
		return this.#readAll(unit.size + RECORDS);
	}

	tick(time: number): Uint8Array {
		return Buffer.from(`\x1e${this.#timeRecord(time)}\n`);
	}

	add(bytes: Uint8Array): void {
		this.#kept.push(bytes);
	}

	report(outcomes: Outcomes, unit: Unit | undefined, all: boolean): void {
		const bytes = Buffer.concat(this.#kept);
		this.#output ??= new TrackedOutput(outcomes, Number.POSITIVE_INFINITY);
		const output = this.#output;
		if (unit === undefined) output.load(NO_READINGS, 0, 0);
		else output.load(unit.batch, unit.from, unit.to);
		const end = all || unit ? bytes.length : endOfData(bytes);
		output.write(bytes, 0, end);
		if (all) output.finish();
		this.#kept = end < bytes.length ? [bytes.subarray(end)] : [];
	}

	/** The module's clock never goes back. */
	#timeRecord(time: number): string {
		this.#time = Math.max(this.#time, Math.floor(time));
		return `t${this.#time}`;
	}

	#readAll(size: number): Uint8Array {
		let lines = Buffer.allocUnsafe(size);
		let length = 0;
		for (;;) {
			const taken = this.#input.read(lines, length, lines.length - length);
			if (taken > 0) length += taken;
			// Topic records have used up the room; a read into none returns 0.
			else if (taken === 0) lines = Buffer.concat([lines], lines.length * 2);
			else return lines.subarray(0, length);
		}
	}
}

/**
 * Behind the last line that is surely data. What comes behind it waits for what follows: it may be
 * a record about it, or the last words of an engine that writes them to stdout.
 */
function endOfData(bytes: Buffer): number {
	let end = bytes.length;
	while (end > 0) {
		const at = end > 1 ? bytes.lastIndexOf(LF, end - 2) + 1 : 0;
		const isHello = bytes[at] === RS && bytes[at + 1] === 0x68;
		if (isHello || (bytes[at] !== RS && isData(bytes, at))) return end;
		end = at;
	}
	return 0;
}
