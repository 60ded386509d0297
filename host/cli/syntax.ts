// What we look at in the compiler's syntax trees. Its enums exist only in its types, so the numbers stand here.

/** What asc's nodes have in common; other properties hold more nodes, or lists of them. */
export interface Node {
	readonly kind: number;
	readonly range: Range;
}

export interface Range {
	readonly start: number;
	readonly end: number;
	readonly source: {
		readonly text: string;
		readonly normalizedPath: string;
		/** From 1. */
		lineAt(offset: number): number;
		/** Of the offset that lineAt() was asked for, from 1. */
		columnAt(): number;
	};
}

/** A file as the compiler has parsed it. */
export interface Source extends Node {
	/** Without its `.ts`; packages begin with `~lib/`. */
	readonly internalPath: string;
	readonly statements: readonly Node[];
}

/** asc's NodeKind */
export const KIND = {
	functionType: 2,
	identifier: 7,
	call: 10,
	function: 15,
	literal: 17,
	propertyAccess: 22,
	do: 34,
	expression: 39,
	for: 40,
	forOf: 41,
	if: 42,
	import: 43,
	return: 44,
	switch: 45,
	throw: 46,
	variable: 48,
	while: 50,
	functionDeclaration: 56,
	importDeclaration: 57,
	methodDeclaration: 59,
	exportMember: 64,
} as const;

/** asc's LiteralKind */
export const STRING = 2;

/** Where the SDK's files are found by a filter. */
export const SDK = "wasieve/assembly";

export function childrenOf(node: Node): Node[] {
	return Object.entries(node)
		.filter(([key]) => key !== "range")
		.flatMap(([, value]) => value)
		.filter(isNode);
}

function isNode(value: unknown): value is Node {
	const { kind, range } = (value ?? {}) as Partial<Node>;
	return typeof kind === "number" && typeof range === "object";
}

/** Those of the author's, and of packages that he uses: without the SDK and the language's library. */
export function ownSources(
	sources: readonly Source[],
	library: readonly string[],
): Source[] {
	return sources.filter(({ internalPath }) => {
		const [, name] = /^~lib\/(.*)$/.exec(internalPath) ?? [];
		// A filter may be called number.ts, as a file of the library is.
		if (name === undefined) return true;
		return !name.startsWith(`${SDK}/`) && !library.includes(name);
	});
}
