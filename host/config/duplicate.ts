import {
	type Document,
	isPair,
	isScalar,
	isSeq,
	type Node,
	type Pair,
	visit,
	type YAMLMap,
} from "yaml";
import type { Path } from "./problem.js";

/** A map that has a key twice or more. */
export interface Duplicate {
	readonly map: YAMLMap;
	/** Of the key, from the top. */
	readonly path: Path;
	/** All pairs with the key, in the order of the file: two or more. */
	readonly pairs: readonly Pair[];
}

/** Every key that stands twice in its map, in the order of the file; keys count as what they become in data: 1 is "1". */
export function findDuplicates(document: Document): Duplicate[] {
	const found: Duplicate[] = [];
	visit(document, {
		Map: (_, map, ancestors) => {
			for (const [key, pairs] of pairsByKey(map)) {
				if (pairs.length === 1) continue;
				const path = [...pathOf([...ancestors, map]), key];
				found.push({ map, path, pairs });
			}
		},
	});
	return found;
}

/** Leaves one pair of each: the first or the last in the file. */
export function keepOne(
	duplicates: readonly Duplicate[],
	which: "first" | "last",
): void {
	for (const { map, pairs } of duplicates) {
		const kept = pairs.at(which === "first" ? 0 : -1) as Pair;
		const all = new Set(pairs);
		const at = map.items.findIndex((item) => all.has(item));
		map.items = map.items.filter((item) => !all.has(item));
		map.items.splice(at, 0, kept);
	}
}

function pairsByKey(map: YAMLMap): Map<string, Pair[]> {
	const all = new Map<string, Pair[]>();
	for (const pair of map.items) {
		if (!isScalar(pair.key)) continue;
		const key = String(pair.key.value);
		const pairs = all.get(key);
		if (pairs === undefined) all.set(key, [pair]);
		else pairs.push(pair);
	}
	return all;
}

/** `nodes` from the document down, each inside of the one before. */
function pathOf(nodes: readonly (Document | Node | Pair)[]): Path {
	const path: (string | number)[] = [];
	for (const [k, node] of nodes.entries()) {
		if (isPair(node) && isScalar(node.key)) path.push(String(node.key.value));
		else if (isSeq(node)) path.push(node.items.indexOf(nodes[k + 1]));
	}
	return path;
}
