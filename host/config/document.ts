import {
	type Document,
	isAlias,
	isCollection,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	type Pair,
	parseDocument,
	type Scalar,
	visit,
	type YAMLError,
	type YAMLMap,
} from "yaml";
import { type Duplicate, findDuplicates, keepOne } from "./duplicate.js";
import {
	keyText,
	type Path,
	type Position,
	type Report,
	type Spot,
} from "./problem.js";

/** Levels of maps and lists in each other. */
const DEEPEST = 100;

/** A YAML text as data that still knows where it stood. */
export interface Source {
	/** Undefined when the text is not YAML; the problems say why. */
	readonly data: unknown;
	/** A scalar as it was written, where what it was read as would lose something: 85.0, 1e3. */
	written(path: Path): string | undefined;
}

/** Finds the places of a YAML text; made before the report that it serves. */
export class Places {
	readonly #lines = new LineCounter();
	readonly #document: Document.Parsed;
	/** The pairs of each map asked about, by key: a search for each of thousands of pipelines would be a square. */
	#pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
	#duplicates: readonly Duplicate[] = [];

	constructor(readonly text: string) {
		this.#document = parseDocument(text, {
			lineCounter: this.#lines,
			// Pretty errors quote the source, and with it passwords.
			prettyErrors: false,
			logLevel: "silent",
			// The parser's own check compares each with each, and keeps the data to itself.
			uniqueKeys: false,
			version: "1.2",
		});
	}

	/** Where a path stands; when it does not exist, where its nearest parent does. */
	readonly locate = (path: Path, spot: Spot): Position => {
		let key: Node | null = null;
		let value: Node | null = this.#document.contents;
		for (const step of path) {
			const next = this.#step(value, step);
			if (next === undefined) return this.#at(key ?? value);
			key = next.key;
			value = next.value;
		}
		return this.#at(spot === "key" ? (key ?? value) : (value ?? key));
	};

	/** Turns the text into data. Of pairs with equal keys, which are a mistake, the first one is taken. */
	read(report: Report): Source {
		if (this.#tooDeep(report))
			return { data: undefined, written: () => undefined };
		for (const error of this.#document.errors) this.#complain(report, error);
		const unknown = this.#unknownAliases(report);
		this.#duplicates = findDuplicates(this.#document);
		for (const each of this.#duplicates) this.#complainTwice(report, each);
		keepOne(this.#duplicates, "first");
		const broken = this.#document.errors.length > 0 || unknown;
		return this.#source(broken ? undefined : this.#data(report));
	}

	/** After `read`: the same with the last of equal keys, of which places are found from now on; undefined where no two are equal. */
	readLast(report: Report): Source | undefined {
		if (this.#duplicates.length === 0) return undefined;
		keepOne(this.#duplicates, "last");
		this.#pairs = new WeakMap();
		const data = this.#data(report);
		return data === undefined ? undefined : this.#source(data);
	}

	#source(data: unknown): Source {
		return { data, written: (path) => this.#written(path) };
	}

	#data(report: Report): unknown {
		try {
			return this.#document.toJS({ maxAliasCount: 100 }) ?? {};
		} catch {
			// The anchor went with one of two equal keys, which has been said.
			if (this.#duplicates.length > 0) return undefined;
			const what = "its aliases multiply to more than is reasonable";
			report.add("E_CONFIG_YAML", [], what, "write the values out");
			return undefined;
		}
	}

	/** The parser gives up when its stack is full, some hundred levels further; the errors that follow are about nothing. */
	#tooDeep(report: Report): boolean {
		let at = this.#document.errors.find(
			({ code }) => code === "RESOURCE_EXHAUSTION",
		)?.pos[0];
		if (at === undefined)
			visit(this.#document, {
				Collection: (_, node, path) => {
					if (path.filter(isCollection).length < DEEPEST) return undefined;
					at = node.range?.[0];
					return visit.BREAK;
				},
			});
		if (at === undefined) return false;
		const { line, col } = this.#lines.linePos(at);
		const what = `nested deeper than ${DEEPEST} levels`;
		const hint = "no key of a gateway file lies deeper than ten levels";
		const place = { line, column: col };
		report.addAt(place, "E_CONFIG_YAML", "", what, hint);
		return true;
	}

	#complain(report: Report, error: YAMLError): void {
		const { line, col } = this.#lines.linePos(error.pos[0]);
		const hint = "mend the YAML there; check indentation, colons and quotes";
		const at = { line, column: col };
		report.addAt(at, "E_CONFIG_YAML", "", yamlText(error), hint);
	}

	#complainTwice(report: Report, { path, pairs }: Duplicate): void {
		const places = pairs.map(({ key }) => this.#at(key as Node));
		const hint = "remove one of the two, or rename it; both were looked at";
		for (const [k, at] of places.slice(1).entries()) {
			const what = `the key is there twice: it already stands in line ${places[k]?.line}`;
			report.addAt(at, "E_CONFIG_YAML", keyText(path), what, hint);
		}
	}

	#unknownAliases(report: Report): boolean {
		if (!this.text.includes("*")) return false;
		let found = false;
		visit(this.#document, {
			Alias: (_, alias) => {
				if (alias.resolve(this.#document) !== undefined) return;
				found = true;
				const what = "not valid YAML: an alias without an anchor before it";
				const hint = "put a value that begins with * in quotes";
				report.addAt(this.#at(alias), "E_CONFIG_YAML", "", what, hint);
			},
		});
		return found;
	}

	#written(path: Path): string | undefined {
		let value: Node | null = this.#document.contents;
		for (const step of path) value = this.#step(value, step)?.value ?? null;
		const node = this.#real(value);
		return isScalar(node) && node.type === "PLAIN" ? node.source : undefined;
	}

	#step(
		from: Node | null,
		step: string | number,
	): { key: Node | null; value: Node | null } | undefined {
		const node = this.#real(from);
		if (isSeq(node) && typeof step === "number") {
			const item = (node.items[step] ?? null) as Node | null;
			return item === null ? undefined : { key: item, value: item };
		}
		if (!isMap(node)) return undefined;
		const pair = this.#pairsOf(node).get(String(step));
		return pair && { key: pair.key as Node, value: pair.value as Node | null };
	}

	#pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
		const known = this.#pairs.get(map);
		if (known !== undefined) return known;
		const named = map.items
			.filter((pair) => isScalar(pair.key))
			.map((pair) => [String((pair.key as Scalar).value), pair] as const);
		const pairs = new Map(named);
		this.#pairs.set(map, pairs);
		return pairs;
	}

	#real(node: Node | null): Node | null {
		return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
	}

	#at(node: Node | null): Position {
		const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
		return { line: Math.max(line, 1), column: Math.max(col, 1) };
	}
}

/** The parser's own sentence, without what it quotes from the source. */
function yamlText(error: YAMLError): string {
	const quotes = /^(UNEXPECTED_TOKEN|BAD_|TAG_|IMPOSSIBLE)/.test(error.code);
	const text = quotes
		? (error.message.split(/[:"\\]/)[0] as string)
		: error.message;
	return `not valid YAML: ${text.trim()}`;
}
