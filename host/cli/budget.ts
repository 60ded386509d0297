import { WasieveError } from "../errors.js";
import type { MachineLabel, PerformanceLabel } from "./label.js";
import { disturbance } from "./others.js";
import { usage } from "./report.js";

/** What a budget may limit: at most for costs, at least for speed. */
interface Limit {
	atLeast?: true;
	/** Depends on what else the machine does. */
	timed?: true;
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
	compileMs: {
		timed: true,
		unit: "ms",
		of: (_, here) => here?.compileMs.low ?? null,
	},
	instantiateUs: {
		timed: true,
		unit: "µs",
		of: (_, here) => here?.instantiateUs.low ?? null,
	},
	readingsPerSecond: {
		atLeast: true,
		timed: true,
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
	const faults = faultsOf(parsed);
	if (faults.length > 0) throw wrong(faults.join("; "));
	return parsed as Budget;
}

/** One for each mistake, and behind them what there is when a name is none. */
function faultsOf(parsed: object): string[] {
	const faults = Object.entries(parsed).flatMap(([key, value]) => {
		if (!Object.hasOwn(BUDGET, key)) return [`'${key}' is no budget`];
		const fits = typeof value === "number" && value >= 0;
		return fits ? [] : [`'${key}' is not a number of 0 or more`];
	});
	const known = Object.keys(parsed).every((key) => Object.hasOwn(BUDGET, key));
	const names = Object.keys(BUDGET).join(", ");
	return known ? faults : [...faults, `budgets are ${names}`];
}

/** One E_BUDGET for each budget that the label exceeds. */
export function exceeded(
	label: PerformanceLabel,
	machine: MachineLabel | undefined,
	budget: Budget,
): WasieveError[] {
	const disturbed = machine && disturbance(machine.othersBusy);
	return Object.entries(budget).flatMap(([key, limit]) => {
		const { atLeast, timed, unit, of } = BUDGET[key] as Limit;
		const value = of(label, machine);
		const kept = value !== null && (atLeast ? value >= limit : value <= limit);
		if (kept) return [];
		const is = value === null ? "could not be measured" : `is ${show(value)}`;
		const rule = `${show(limit)} ${unit} at ${atLeast ? "least" : "most"}`;
		return [
			new WasieveError("E_BUDGET", `${key} ${is}, the budget is ${rule}`, {
				...(timed && disturbed
					? { hint: `${disturbed} meanwhile: measure again on a quiet machine` }
					: {}),
			}),
		];
	});
}

/** Two digits behind the point, or three that matter where that would be 0. */
function show(value: number): string {
	const digits =
		value < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
	return value.toLocaleString("en-US", digits);
}
