import type { Key } from "./schema.js";
import { formatUnit, parseUnit, UNITS } from "./units.js";

/** What is wrong with a value written with a unit: "must be …"; undefined when nothing is. */
export function unitFault(
	value: string | number,
	key: Key,
): string | undefined {
	if (key.unit === undefined) return undefined;
	const { unit, least = 0, most = Number.MAX_SAFE_INTEGER } = key;
	const parsed = parseUnit(unit, value);
	if (parsed === undefined) return `must be ${UNITS[unit].form}`;
	if (parsed >= least && parsed <= most) return undefined;
	return `must be between ${formatUnit(unit, least)} and ${formatUnit(unit, most)}`;
}
