import { filtersOverlap } from "../mqtt/topics.js";
import type { Path, Report } from "./problem.js";
import { possibleTopics } from "./template.js";
import type { BrokerConfig, FromConfig, ToConfig } from "./types.js";

/** As much of a pipeline as was right. */
export interface Ends {
	readonly name: string;
	readonly path: Path;
	readonly from: FromConfig | undefined;
	readonly to: ToConfig | undefined;
}

/**
 * Reports pipelines whose outputs come back as their own readings, directly or by way of others:
 * at a few thousand messages a second such a ring fills a broker before anybody looks.
 */
export function checkLoops(pipelines: readonly Ends[], report: Report): void {
	const told = new Set<Ends>();
	for (const start of pipelines) {
		if (told.has(start)) continue;
		const ring = wayBack(start, pipelines);
		if (ring === undefined) continue;
		for (const each of ring) told.add(each);
		complain(ring, report);
	}
}

/** The shortest way from a pipeline's output back to its input, as the pipelines on it. */
function wayBack(start: Ends, all: readonly Ends[]): Ends[] | undefined {
	const ways: Ends[][] = [[start]];
	const seen = new Set<Ends>();
	for (const way of ways) {
		const last = way.at(-1) as Ends;
		for (const next of all) {
			if (!feeds(last, next)) continue;
			if (next === start) return way;
			if (seen.has(next)) continue;
			seen.add(next);
			ways.push([...way, next]);
		}
	}
	return undefined;
}

/** Whether an output of one pipeline can be a reading of another. */
function feeds({ from: origin, to }: Ends, { from }: Ends): boolean {
	if (to?.kind === "file" && from?.kind === "file") {
		return from.paths.includes(to.path);
	}
	if (to?.kind !== "mqtt" || from?.kind !== "mqtt") return false;
	if (brokerAddress(to.broker) !== brokerAddress(from.broker)) return false;
	const filter = origin?.kind === "mqtt" ? origin.topic : "";
	return filtersOverlap(from.topic, possibleTopics(to.topic, filter));
}

/** Equal for brokers that are the same server; all names of loopback are one. */
export function brokerAddress(broker: BrokerConfig): string {
	const { host, port } =
		broker.kind === "embedded"
			? { host: broker.host, port: String(broker.port) }
			: hostAndPort(broker.url);
	const isLoopback = /^(localhost|127\..*|\[?::1\]?|0\.0\.0\.0)$/.test(host);
	return `${isLoopback ? "loopback" : host.toLowerCase()}:${port}`;
}

function hostAndPort(url: string): { host: string; port: string } {
	const [, host = "", port = ""] = /^\w+:\/\/(.*):(\d+)$/.exec(url) ?? [];
	return { host, port };
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
