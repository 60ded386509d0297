import { WasieveError } from "../errors.js";
import type { MachineLabel, PerformanceLabel } from "./label.js";
import { usage } from "./report.js";

/** What a budget may limit: at most for costs, at least for speed. */
interface Limit {
	atLeast?: true;
	unit: string;
	of(label: PerformanceLabel, machine: MachineLabel | undefined): number | null;
}

/**
 * Keys of a budget file. Figures of the machine are taken at the end of their interval that
 * is in the filter's favour: a noisy run alone does not break a budget.
 */
export const BUDGET: Readonly<Record<string, Limit>> = {
	bytes: { unit: "bytes", of: ({ size }) => size.bytes },
	gzip: { unit: "bytes", of: ({ size }) => size.gzip },
	instructionsPerReading: {
		unit: "instructions",
		of: (label) => label.instructionsPerReading,
	},
	peakMemory: { unit: "bytes", of: (label) => label.peakMemory },
	compileMs: { unit: "ms", of: (_, here) => here?.compileMs.low ?? null },
	instantiateUs: {
		unit: "µs",
		of: (_, here) => here?.instantiateUs.low ?? null,
	},
	readingsPerSecond: {
		atLeast: true,
		unit: "readings/s",
		of: (_, here) => here?.readingsPerSecond.high ?? null,
	},
};

export type Budget = Readonly<Record<string, number>>;

/** Errors: E_USAGE with the file's name and what is wrong in it. */
export function parseBudget(text: string, file: string): Budget {
	const wrong = (what: string) => usage("bench", `${file}: ${what}`);
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch (cause) {
		throw wrong(`it is not JSON (${(cause as Error).message})`);
	}
	if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
		throw wrong('a budget is an object, such as {"bytes": 8192}');
	for (const [key, value] of Object.entries(parsed)) {
		if (!Object.hasOwn(BUDGET, key))
			throw wrong(
				`'${key}' is no budget; there are ${Object.keys(BUDGET).join(", ")}`,
			);
		if (typeof value !== "number" || !(value >= 0))
			throw wrong(`'${key}' is not a number of 0 or more`);
	}
	return parsed as Budget;
}

/** One E_BUDGET for each budget that the label exceeds. */
export function exceeded(
	label: PerformanceLabel,
	machine: MachineLabel | undefined,
	budget: Budget,
): WasieveError[] {
	return Object.entries(budget).flatMap(([key, limit]) => {
		const { atLeast, unit, of } = BUDGET[key] as Limit;
		const value = of(label, machine);
		const kept = value !== null && (atLeast ? value >= limit : value <= limit);
		if (kept) return [];
		const is = value === null ? "could not be measured" : `is ${show(value)}`;
		const rule = `${show(limit)} ${unit} at ${atLeast ? "least" : "most"}`;
		return [
			new WasieveError("E_BUDGET", `${key} ${is}, the budget is ${rule}`),
		];
	});
}

/** Two digits behind the point, or three that matter where that would be 0. */
function show(value: number): string {
	const digits =
		value < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
	return value.toLocaleString("en-US", digits);
}
