import { childrenOf, KIND, type Node, type Source } from "./syntax.js";

/** What TypeScript has and the compiler takes, but no filter: it would have to be imported. */
const ABSENT: Readonly<Record<string, string>> = {
	"Date.now": "a filter has no clock: now() is the gateway's time",
	"performance.now": "a filter has no clock: now() is the gateway's time",
	"Math.random": "a filter has no random numbers",
	console: "a filter has no console: log(text) writes a line on stderr",
};

/** A mention of such a thing in a source. */
export interface Absent {
	/** "Date.now" */
	readonly name: string;
	/** What there is instead. */
	readonly advice: string;
	/** The compiler's name of the file, and the offset in it, UTF-16. */
	readonly file: string;
	readonly at: number;
}

interface Access extends Node {
	readonly expression: Node & { text?: string };
	readonly property: { readonly text: string };
}

/** In the order of the source. */
export function absentIn(node: Source | Node): Absent[] {
	const own = node.kind === KIND.propertyAccess ? absent(node as Access) : [];
	return [...own, ...childrenOf(node).flatMap(absentIn)];
}

function absent({ expression, property, range }: Access): Absent[] {
	if (expression.kind !== KIND.identifier) return [];
	const { text: object = "" } = expression;
	const name = `${object}.${property.text}`;
	const key = [name, object].find((each) => Object.hasOwn(ABSENT, each));
	if (key === undefined) return [];
	const { start, source } = range;
	const advice = ABSENT[key] as string;
	return [{ name, advice, file: source.normalizedPath, at: start }];
}
