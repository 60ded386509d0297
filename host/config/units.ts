/**
 * How sizes, counts and durations are written: `16MiB`, `10M`, `250ms`. The only parser for
 * them, for the config and the command line alike.
 */
export type Unit = "bytes" | "count" | "duration";

interface Scale {
	/** Factor of each suffix; "" is a bare number. */
	readonly factors: Readonly<Record<string, number>>;
	/** How to write one, for messages. */
	readonly form: string;
}

export const UNITS: Readonly<Record<Unit, Scale>> = {
	bytes: {
		factors: {
			"": 1,
			B: 1,
			KB: 1e3,
			MB: 1e6,
			GB: 1e9,
			KiB: 2 ** 10,
			MiB: 2 ** 20,
			GiB: 2 ** 30,
		},
		form: "a size such as 16MiB (B, KB, MB, GB, KiB, MiB, GiB)",
	},
	count: {
		factors: { "": 1, k: 1e3, M: 1e6, G: 1e9 },
		form: "a count such as 10M (k, M, G)",
	},
	duration: {
		// A bare number would leave open whether it is s or ms; only 0 is the same in both.
		factors: { ms: 1, s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 },
		form: "a duration such as 250ms (ms, s, m, h, d)",
	},
};

/**
 * Bytes, a count, or milliseconds; undefined when `written` is not one. Fractions are fine
 * (`1.5MiB`) as long as what they come to is a whole number.
 */
export function parseUnit(
	unit: Unit,
	written: string | number,
): number | undefined {
	const text = String(written).trim();
	if (unit === "duration" && text === "0") return 0;
	const [, digits, suffix] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
	const { factors } = UNITS[unit];
	if (digits === undefined || suffix === undefined) return undefined;
	if (!Object.hasOwn(factors, suffix)) return undefined;
	const value = Number(digits) * (factors[suffix] as number);
	return Number.isSafeInteger(value) ? value : undefined;
}

/** The shortest exact way to write a value: 65536 bytes is `64KiB`. */
export function formatUnit(unit: Unit, value: number): string {
	if (value === 0) return "0";
	const fitting = Object.entries(UNITS[unit].factors)
		.filter(([, factor]) => value % factor === 0)
		.map(([suffix, factor]) => `${value / factor}${suffix}`);
	return fitting.reduce((a, b) => (b.length <= a.length ? b : a));
}

/** A regular expression for editors, which cannot ask {@link parseUnit}. */
export function unitPattern(unit: Unit): string {
	const suffixes = Object.keys(UNITS[unit].factors).filter(Boolean);
	const bare = Object.hasOwn(UNITS[unit].factors, "") ? "?" : "";
	const zero = bare ? "" : "^0$|";
	return `${zero}^\\d+(\\.\\d+)? ?(${suffixes.join("|")})${bare}$`;
}
