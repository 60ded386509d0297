import type { Params } from "../module/params.js";
import {
	childrenOf,
	KIND,
	type Node,
	SDK,
	type Source,
	STRING,
} from "./syntax.js";

/** What a filter's source asks for, as far as it says so in string literals. */
export interface Asked {
	/** Parameters with their defaults, null for what is no literal; undefined when a name is not one. */
	params: Params | undefined;
	/** Paths into readings, in the order of the source. */
	fields: readonly AskedField[];
	/** No path leads into an inner object or array: what follows such paths may be left out of the module. */
	flat: boolean;
	/** It names run(): without it no reading is ever taken. */
	runs: boolean;
	/** Statements at the top of a file that call run(): only the first would get readings, or only the last. */
	runsInRow: number;
}

export interface AskedField {
	readonly path: string;
	/** The compiler's name of the file. */
	readonly file: string;
	/** Offset in it, UTF-16. */
	readonly at: number;
}

interface Identifier extends Node {
	readonly text: string;
}

interface Call extends Node {
	readonly expression: Node & { property?: Identifier; expression?: Node };
	readonly args: readonly Node[];
}

interface FunctionType extends Node {
	readonly parameters: readonly {
		name: Identifier;
		type: { name?: { identifier: Identifier } };
	}[];
}

/** Which argument of each is a path; of other objects' methods with these names we only know less. */
const PATH_ARGUMENT: Readonly<Record<string, number>> = {
	f64: 0,
	i64: 0,
	bool: 0,
	str: 0,
	raw: 0,
	has: 0,
	copy: 2,
	alert: 2,
};
/** Where the reading stands that a method is not called on. */
const READING_ARGUMENT: Readonly<Record<string, number>> = {
	copy: 1,
	alert: 0,
};
/** Functions of the SDK that must go by their own name to be understood. */
const WATCHED = ["alert", "param"];

export function readAsked(sources: readonly Source[]): Asked {
	const search = new Search();
	for (const source of sources) search.visit(source, []);
	const runsInRow = Math.max(0, ...sources.map(countRuns));
	return { ...search.found(), runsInRow };
}

/** Not those within an `if`: one of them is chosen. */
function countRuns({ statements }: Source): number {
	return statements.filter((each) => {
		const { expression: call } = each as Node & { expression?: Node };
		if (each.kind !== KIND.expression || call?.kind !== KIND.call) return false;
		return ((call as Call).expression as Identifier).text === "run";
	}).length;
}

class Search {
	readonly #params: Params = Object.create(null);
	readonly #fields: AskedField[] = [];
	#flat = true;
	#allParams = true;
	#runs = false;

	found(): Omit<Asked, "runsInRow"> {
		return {
			params: this.#allParams ? this.#params : undefined,
			fields: this.#fields,
			flat: this.#flat,
			runs: this.#runs,
		};
	}

	/** `readings`: names that mean a Reading here. */
	visit(node: Node, readings: readonly string[]): void {
		const { kind } = node;
		if (kind === KIND.import) this.#import(node);
		if (kind === KIND.call) this.#call(node as Call, readings);
		else if (kind === KIND.identifier) this.#mention(node as Identifier);
		else if (kind === KIND.importDeclaration || kind === KIND.exportMember)
			this.#pass(node);
		else if (
			kind === KIND.functionDeclaration ||
			kind === KIND.methodDeclaration
		)
			this.#inside(node, [...readings, ...typedReading(node)]);
		else this.#inside(node, readings);
	}

	#inside(node: Node, readings: readonly string[]): void {
		for (const each of childrenOf(node)) this.visit(each, readings);
	}

	#call(call: Call, readings: readonly string[]): void {
		const { expression: callee, args } = call;
		const method = callee.kind === KIND.propertyAccess;
		const name = method
			? (callee.property as Identifier).text
			: (callee as Identifier).text;
		if (name === "param") this.#param(args);
		if (name === "run") this.#runs = true;
		if (method || name === "alert") this.#path(call, name, readings);
		const handler = name === "run" ? args.flatMap(firstParameter) : [];
		const known = [...readings, ...handler];
		// The name called is no mention; what a method is called on may hold more calls.
		if (method) this.visit(callee.expression as Node, known);
		else if (callee.kind !== KIND.identifier) this.visit(callee, known);
		for (const each of args) this.visit(each, known);
	}

	#param([name, fallback]: readonly Node[]): void {
		const known = textOf(name);
		if (known === undefined) this.#allParams = false;
		else this.#params[known] = valueIn(fallback);
	}

	#path(call: Call, name: string, readings: readonly string[]): void {
		if (!Object.hasOwn(PATH_ARGUMENT, name)) return;
		const { expression, args } = call;
		const argument = args[PATH_ARGUMENT[name] as number];
		const path = textOf(argument);
		const texts = args.map(textOf).filter((text) => text !== undefined);
		if (path === undefined || !texts.every(isPlain)) this.#flat = false;
		const { [name]: place } = READING_ARGUMENT;
		const reading = place === undefined ? expression.expression : args[place];
		if (path === undefined || !isOneOf(reading, readings)) return;
		const { start, source } = (argument as Node).range;
		this.#fields.push({ path, file: source.normalizedPath, at: start });
	}

	/** One of the SDK's functions under another name, or handed around: its calls are not seen. */
	#mention({ text }: Identifier): void {
		if (text === "run") this.#runs = true;
		if (WATCHED.includes(text)) this.#lost();
	}

	#pass(node: Node): void {
		const { name, foreignName, localName, exportedName } = node as Node &
			Record<string, Identifier | undefined>;
		const [theirs, ours] = [foreignName ?? localName, name ?? exportedName];
		if (theirs?.text !== ours?.text) this.#mention(theirs as Identifier);
	}

	/** `* as`, or what is not for authors. */
	#import(node: Node): void {
		const { path, namespaceName } = node as Node & {
			path: { value: string };
			namespaceName: Identifier | null;
		};
		if (path.value.includes(`${SDK}/`)) this.#lost();
		if (namespaceName && path.value === SDK) this.#lost();
	}

	#lost(): void {
		this.#flat = false;
		this.#allParams = false;
	}
}

/** A string literal's text. */
function textOf(node: Node | undefined): string | undefined {
	if (node?.kind !== KIND.literal) return undefined;
	const { literalKind, value } = node as Node & {
		literalKind: number;
		value: string;
	};
	return literalKind === STRING ? value : undefined;
}

/** A literal's value; null for anything else. */
function valueIn(node: Node | undefined): Params[string] {
	const text = textOf(node);
	if (node === undefined || text !== undefined) return text ?? null;
	const { start, end, source } = node.range;
	const written = source.text.slice(start, end).replaceAll("_", "");
	if (written === "true" || written === "false") return written === "true";
	const value = written === "" ? Number.NaN : Number(written);
	return Number.isFinite(value) ? value : null;
}

/** The name of one field: no path into something. */
function isPlain(path: string): boolean {
	return /^[^.[]+$/.test(path);
}

function isOneOf(node: Node | undefined, names: readonly string[]): boolean {
	return (
		node?.kind === KIND.identifier && names.includes((node as Identifier).text)
	);
}

/** The parameters of type Reading of a function or method. */
function typedReading(node: Node): string[] {
	const { signature } = node as Node & { signature: FunctionType };
	if (signature.kind !== KIND.functionType) return [];
	return signature.parameters
		.filter(({ type }) => type.name?.identifier.text === "Reading")
		.map(({ name }) => name.text);
}

/** Of a function that is given to run(). */
function firstParameter(node: Node): string[] {
	if (node.kind !== KIND.function) return [];
	const { declaration } = node as Node & {
		declaration: { signature: FunctionType };
	};
	return declaration.signature.parameters
		.slice(0, 1)
		.map(({ name }) => name.text);
}
