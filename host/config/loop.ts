import { type Input, Inputs } from "./inputs.js";
import type { Path, Report } from "./problem.js";
import type { FromConfig, ToConfig } from "./types.js";

/** As much of a pipeline as was right. */
export interface Ends {
	readonly name: string;
	readonly path: Path;
	readonly from: FromConfig | undefined;
	readonly to: ToConfig | undefined;
}

/** Which inputs the output of each pipeline can reach. */
type Reach = ReadonlyMap<Ends, readonly Input[]>;

/**
 * Reports pipelines whose outputs come back as their own readings, directly or by way of others:
 * at a few thousand messages a second such a ring fills a broker before anybody looks.
 */
export function checkLoops(pipelines: readonly Ends[], report: Report): void {
	const inputs = new Inputs(pipelines);
	const reach = new Map(
		pipelines.map((each) => [each, inputs.reachedBy(each)] as const),
	);
	const order = new Map(pipelines.map((each, k) => [each, k] as const));
	const told = new Set<Ends>();
	for (const start of fedInCircles(reach)) {
		if (told.has(start)) continue;
		const ring = wayBack(start, reach, order);
		if (ring === undefined) continue;
		for (const each of ring) told.add(each);
		complain(ring, report);
	}
}

/**
 * The pipelines that are in a ring or behind one, which mostly is none: those that nobody feeds are
 * taken away, then those that only these fed, and so on.
 */
function fedInCircles(reach: Reach): Ends[] {
	const feeders = new Map<Input, number>();
	for (const input of [...reach.values()].flat()) add(feeders, input, 1);
	const fed = new Map<Ends, number>();
	for (const { readers } of feeders.keys()) {
		for (const reader of readers) add(fed, reader, 1);
	}
	const free = [...reach.keys()].filter((each) => !fed.has(each));
	for (const pipeline of free) {
		for (const input of reach.get(pipeline) ?? []) {
			if (add(feeders, input, -1) > 0) continue;
			for (const reader of input.readers) {
				if (add(fed, reader, -1) === 0) free.push(reader);
			}
		}
	}
	return [...reach.keys()].filter((each) => (fed.get(each) ?? 0) > 0);
}

function add<K>(counts: Map<K, number>, key: K, more: number): number {
	const count = (counts.get(key) ?? 0) + more;
	counts.set(key, count);
	return count;
}

/** The shortest way from a pipeline's output back to its input, as the pipelines on it. */
function wayBack(
	start: Ends,
	reach: Reach,
	order: ReadonlyMap<Ends, number>,
): Ends[] | undefined {
	const ways: Ends[][] = [[start]];
	const seen = new Set<Ends>();
	for (const way of ways) {
		const fed = (reach.get(way.at(-1) as Ends) ?? [])
			.flatMap(({ readers }) => readers)
			.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
		for (const next of fed) {
			if (next === start) return way;
			if (seen.has(next)) continue;
			seen.add(next);
			ways.push([...way, next]);
		}
	}
	return undefined;
}

function complain(ring: readonly Ends[], report: Report): void {
	const [first] = ring as [Ends];
	const { to } = first;
	const key = to?.kind === "file" ? "file" : "topic";
	const output =
		to?.kind === "file" ? to.path : to?.kind === "mqtt" && to.topic;
	const what =
		ring.length === 1
			? `a loop: the output ${JSON.stringify(output)} can be a reading of the same pipeline (from.${key} ${JSON.stringify(input(first))})`
			: `a loop: outputs come back as readings by way of ${[...ring.map(({ name }) => name), first.name].join(" → ")}`;
	const hint =
		key === "file"
			? "write to a file that no pipeline in the ring reads"
			: "begin output topics with a level that no from.topic in the ring matches";
	report.add("E_CONFIG_LOOP", [...first.path, "to", key], what, hint);
}

function input({ from }: Ends): string | readonly string[] | undefined {
	return from?.kind === "mqtt"
		? from.topic
		: from?.kind === "file"
			? from.paths
			: undefined;
}
