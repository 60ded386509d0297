import { type Code, WasieveError } from "../errors.js";

/** A place in the data: keys from the top, list entries by index. */
export type Path = readonly (string | number)[];

/** Where a problem is shown: at the key, or at its value. */
export type Spot = "key" | "value";

export interface Position {
	/** From 1. */
	readonly line: number;
	readonly column: number;
}

/** One mistake in a gateway file. */
export interface Problem extends Position {
	readonly code: Code;
	readonly file: string;
	/** As a person writes it: `pipelines.overheat.from.qos`; "" for the file as a whole. */
	readonly key: string;
	/** What is wrong, without a full stop. */
	readonly what: string;
	/** What to do. */
	readonly hint: string;
}

/** All mistakes of a gateway file: `code` is E_CONFIG, `cause` an AggregateError with one WasieveError each. */
export class ConfigError extends WasieveError {
	readonly problems: readonly Problem[];

	constructor(file: string, problems: readonly Problem[]) {
		const count =
			problems.length === 1 ? "1 error" : `${problems.length} errors`;
		const lines = problems.map(
			(each) => `\n  ${problemText(each)}\n    ${each.hint}`,
		);
		super("E_CONFIG", `${file} has ${count}:${lines.join("")}`, {
			hint: "every key is described in docs/config.md",
			cause: new AggregateError(problems.map(asError)),
		});
		this.problems = problems;
	}
}

/** `gateway.yaml:7:12 pipelines.overheat.from.qos: must be …`, as compilers write it. */
export function problemText(problem: Problem): string {
	const { file, line, column, key, what } = problem;
	return `${file}:${line}:${column} ${key === "" ? "" : `${key}: `}${what}`;
}

function asError(problem: Problem): WasieveError {
	const { code, hint } = problem;
	return new WasieveError(code, problemText(problem), { hint });
}

/** Collects problems; each place is complained about once. */
export class Report {
	/** What an operator should know, though the gateway works. */
	readonly warnings: Problem[] = [];
	readonly #problems: Problem[] = [];
	readonly #places = new Set<string>();

	constructor(
		readonly file: string,
		readonly locate: (path: Path, spot: Spot) => Position,
	) {}

	add(
		code: Code,
		path: Path,
		what: string,
		hint: string,
		spot: Spot = "value",
	): void {
		this.addAt(this.locate(path, spot), code, keyText(path), what, hint);
	}

	/** For a place that no key leads to. */
	addAt(
		position: Position,
		code: Code,
		key: string,
		what: string,
		hint: string,
		to = this.#problems,
	): void {
		const place = `${key}\n${what}`;
		if (this.#places.has(place)) return;
		this.#places.add(place);
		const { file } = this;
		to.push({ code, file, ...position, key, what, hint });
	}

	warn(code: Code, path: Path, what: string, hint: string): void {
		const position = this.locate(path, "value");
		this.addAt(position, code, keyText(path), what, hint, this.warnings);
	}

	/** Shorthand for the most frequent kind. */
	value(path: Path, what: string, hint: string): void {
		this.add("E_CONFIG_VALUE", path, what, hint);
	}

	/** Throws everything found so far, in the order of the file; nothing when there is nothing. */
	throwAny(): void {
		if (this.#problems.length === 0) return;
		const sorted = this.#problems.toSorted(
			(a, b) => a.line - b.line || a.column - b.column,
		);
		throw new ConfigError(this.file, sorted);
	}
}

/** As a person writes a path: `pipelines.overheat.filter[0]`. */
export function keyText(path: Path): string {
	return path.reduce<string>((text, step) => {
		if (typeof step === "number") return `${text}[${step}]`;
		return text === "" ? step : `${text}.${step}`;
	}, "");
}
