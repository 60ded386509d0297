import { childrenOf, KIND, type Node } from "./syntax.js";

type Language = typeof import("assemblyscript");

/** Statements that do something; declarations do not. */
const MARKED: readonly number[] = [
	KIND.do,
	KIND.expression,
	KIND.for,
	KIND.forOf,
	KIND.if,
	KIND.return,
	KIND.switch,
	KIND.throw,
	KIND.variable,
	KIND.while,
];

/**
 * For debugging: puts `wasieve_at("filter.ts:12:3")` in front of each statement of the author's, so that a
 * message from inside the library (an index out of range, say) can tell which of them was at work.
 */
export function markStatements(node: Node, language: Language): void {
	for (const child of childrenOf(node)) markStatements(child, language);
	const block = node as Node & { statements?: Node[] };
	block.statements &&= block.statements.flatMap((each) =>
		MARKED.includes(each.kind) ? [markOf(each, language), each] : [each],
	);
}

function markOf({ range }: Node, { Node: Make }: Language): Node {
	const { source, start } = range;
	const line = source.lineAt(start);
	const place = `${source.normalizedPath}:${line}:${source.columnAt()}`;
	const at = range as Parameters<typeof Make.createSimpleTypeName>[1];
	const name = Make.createIdentifierExpression("wasieve_at", at);
	const text = Make.createStringLiteralExpression(place, at);
	return Make.createExpressionStatement(
		Make.createCallExpression(name, null, [text], at),
	) as unknown as Node;
}
