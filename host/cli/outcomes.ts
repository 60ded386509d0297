import type { Gauge } from "../engine/gauge.js";

/** What became of readings, besides those that caused an output. */
export interface Outcomes {
	/** Faulty in the filter's eyes: a field is missing, say. */
	rejected: number;
	/** Neither rejected nor with an output. */
	dropped: number;
}

/** `why`: what the first rejected reading was rejected for. */
export type Counted = Outcomes & { why: string | undefined };

const RS = "\x1e";
const HELLO = Buffer.from(`${RS}h1\n`);

/**
 * Runs the module once more over `input` in tracked mode (docs/protocol.md), where it says what becomes of each
 * reading; undefined for a module that was not made with the SDK.
 */
export function outcomesOf(
	gauge: Gauge,
	input: Uint8Array,
): Counted | undefined {
	if (!gauge.tracked) return undefined;
	const { output } = gauge.run(Buffer.concat([HELLO, input]));
	const records = Buffer.from(output).toString().split("\n");
	return count(
		records.filter((each) => each[0] === RS).map((each) => each.slice(1)),
	);
}

/** Takes control records without their RS. Numbers of readings begin anew behind each `consumed` record. */
function count(records: readonly string[]): Counted {
	const found: Counted = { rejected: 0, dropped: 0, why: undefined };
	const spoke = new Set<string>();
	const rejected = new Set<string>();
	for (const record of records) {
		const [, kind, n = "", text] = /^(.)(\S*) ?(.*)$/s.exec(record) ?? [];
		if (kind === "@") spoke.add(n);
		if (kind === "r") {
			found.why ??= text;
			rejected.add(n);
		}
		if (kind !== "c") continue;
		spoke.delete("-");
		found.rejected += rejected.size;
		found.dropped += Number(n) - new Set([...spoke, ...rejected]).size;
		spoke.clear();
		rejected.clear();
	}
	return found;
}
