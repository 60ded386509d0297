import type { Named } from "./outside.js";
import type { Path, Report } from "./problem.js";
import type { Key } from "./schema.js";
import { parseUnit } from "./units.js";

/** What the resolvers take from the world; the command line hands it in. */
export interface Surroundings {
	readonly report: Report;
	/** Absolute path of a path in the file, which is relative to the file. */
	readonly path: (written: string) => string;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Part of default client ids. */
	readonly hostname: string;
	/** Has something that the file names, and that lies outside of it, looked at. */
	readonly meet: (named: Named, path: Path) => void;
	/** A scalar as it was written; undefined when it was quoted or does not exist. */
	readonly written: (path: Path) => string | undefined;
}

export type Values = Readonly<Record<string, unknown>>;

/**
 * A map of the file next to its part of the schema: what is not given has the schema's default,
 * so that the two cannot differ, and what is written with a unit is a number. checkShape() has been here
 * before: a value is of the schema's type, or undefined when it was wrong (and reported).
 */
export class Section {
	constructor(
		readonly key: Key,
		readonly data: Values,
		readonly path: Path,
		/** Written in one word (`broker: mqtt://…`): all keys are at the same place. */
		readonly short = false,
	) {}

	/** Whether the key is there, right or wrong. */
	has(name: string): boolean {
		return Object.hasOwn(this.data, name);
	}

	/** The path of a key, for reports. */
	at(name: string): Path {
		return this.short ? this.path : [...this.path, name];
	}

	/** The value or its default. */
	get<T>(name: string): T | undefined {
		const key = this.key.properties?.[name];
		const value = this.data[name] ?? key?.default;
		if (key?.unit === undefined || value === undefined) return value as T;
		return parseUnit(key.unit, value as string | number) as T;
	}

	/** The value or its default, for keys that have one. */
	need<T>(name: string): T {
		return this.get<T>(name) as T;
	}

	section(name: string): Section {
		const key = this.key.properties?.[name] as Key;
		return new Section(key, asValues(this.data[name]), [...this.path, name]);
	}

	/** Of the keys named, those that are there. */
	given(names: readonly string[]): string[] {
		return names.filter((name) => this.has(name));
	}
}

export function asValues(value: unknown): Values {
	const isMap = typeof value === "object" && value !== null;
	return isMap && !Array.isArray(value) ? (value as Values) : {};
}
