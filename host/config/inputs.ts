import { filtersOverlap, sharedFilter } from "../mqtt/topics.js";
import type { Ends } from "./loop.js";
import { possibleTopics } from "./template.js";
import type { BrokerConfig } from "./types.js";

/** A topic filter at a broker, or a file, and the pipelines that read it. */
export interface Input {
	/** "" for a file. */
	readonly filter: string;
	readonly readers: Ends[];
}

/** A level of the topic filters at one broker: `a/+/#` stands under next("a"), next("+"), next("#"). */
interface Level {
	input: Input | undefined;
	readonly next: Map<string, Level>;
}

/**
 * What the pipelines of a gateway read, so that the inputs an output can reach are found without
 * comparing every output with every input: thousands of pipelines would be millions of comparisons.
 */
export class Inputs {
	readonly #files = new Map<string, Input>();
	readonly #brokers = new Map<string, Level>();

	constructor(pipelines: readonly Ends[]) {
		for (const pipeline of pipelines) {
			for (const input of this.#inputsOf(pipeline))
				input.readers.push(pipeline);
		}
	}

	/** The inputs that an output of the pipeline can be a reading of. */
	reachedBy({ from, to }: Ends): Input[] {
		if (to?.kind === "file") {
			const input = this.#files.get(to.path);
			return input ? [input] : [];
		}
		if (to?.kind !== "mqtt") return [];
		const topics = possibleTopics(
			to.topic,
			from?.kind === "mqtt" ? from.topic : "",
		);
		const top = this.#brokers.get(brokerAddress(to.broker));
		const near = top ? candidates(top, topics.split("/")) : [];
		return near.filter(({ filter }) => filtersOverlap(filter, topics));
	}

	#inputsOf({ from }: Ends): Input[] {
		if (from?.kind === "file") {
			return from.paths.map((path) => known(this.#files, path, fileInput));
		}
		if (from?.kind !== "mqtt") return [];
		const filter = sharedFilter(from.topic);
		let level = known(this.#brokers, brokerAddress(from.broker), newLevel);
		for (const name of filter.split("/")) {
			level = known(level.next, name, newLevel);
		}
		level.input ??= { filter, readers: [] };
		return [level.input];
	}
}

/** Inputs whose filters agree with the fixed levels that the topics begin with, and perhaps with more. */
function candidates(top: Level, topics: readonly string[]): Input[] {
	const found: Input[] = [];
	let reached = [top];
	for (const name of topics) {
		// A wildcard or placeholder may stand for one level or several.
		if (/[+#{]/.test(name)) {
			for (const level of reached) addAll(level, found);
			return found;
		}
		for (const { next } of reached) add(next.get("#"), found);
		reached = reached.flatMap(({ next }) =>
			[next.get(name), next.get("+")].filter((level) => level !== undefined),
		);
	}
	for (const level of reached) {
		add(level, found);
		add(level.next.get("#"), found); // "a/#" matches "a"
	}
	return found;
}

function add(level: Level | undefined, found: Input[]): void {
	if (level?.input) found.push(level.input);
}

function addAll(level: Level, found: Input[]): void {
	add(level, found);
	for (const each of level.next.values()) addAll(each, found);
}

function newLevel(): Level {
	return { input: undefined, next: new Map() };
}

function fileInput(): Input {
	return { filter: "", readers: [] };
}

function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	const value = map.get(key) ?? make();
	map.set(key, value);
	return value;
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
