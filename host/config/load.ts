import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Brokers } from "./broker.js";
import { Places, type Source } from "./document.js";
import { readGatewayFile } from "./file.js";
import type { Inspect } from "./filter.js";
import { resolveHttp } from "./http.js";
import { brokerAddress } from "./inputs.js";
import { checkLoops } from "./loop.js";
import { type Meet, meetAt } from "./outside.js";
import { type Resolved, resolvePipeline } from "./pipeline.js";
import { type Problem, Report } from "./problem.js";
import { type Key, SCHEMA } from "./schema.js";
import { asValues, Section, type Surroundings } from "./section.js";
import { checkShape } from "./shape.js";
import type { GatewayConfig, PipelineConfig } from "./types.js";

export interface LoadOptions {
	/** MQTT_BROKER replaces the gateway's broker; `${NAME}` in broker URLs, user names and passwords. */
	env: Readonly<Record<string, string | undefined>>;
	/** Throws when a module cannot be used; by default modules only have to be there. */
	inspect?: Inspect;
	/** Looks at engines, images, files and folders that the file names; by default nobody does. */
	meet?: Meet;
	/** Gets what `meet` remarks on, with its place, before loadConfig returns or throws. */
	warn?: (problem: Problem) => void;
	/** Part of default client ids; the machine's name by default. */
	hostname?: string;
}

/**
 * Reads a gateway file: YAML, checked, every default filled in, deeply frozen. Nothing is
 * connected, made or changed.
 * @throws {WasieveError} E_CONFIG_READ when there is no such file; otherwise a {@link ConfigError} (E_CONFIG)
 * with every mistake in the file, `problems[]`, each with line, column, key and what to do
 */
export function loadConfig(file: string, options: LoadOptions): GatewayConfig {
	return parseConfig(readGatewayFile(file), file, options);
}

/** As {@link loadConfig}, of a text. `file` gives relative paths their meaning and messages their name. */
export function parseConfig(
	text: string,
	file: string,
	options: LoadOptions,
): GatewayConfig {
	const places = new Places(text);
	const report = new Report(file, places.locate);
	const source = places.read(report);
	if (source.data === undefined) report.throwAny();
	const config = checkAll(source, file, report, options);
	// Whichever of two equal keys is to go, the mistakes of the other are told as well.
	const last = places.readLast(report);
	if (last !== undefined) checkAll(last, file, report, options);
	report.warnings.forEach(options.warn ?? (() => {}));
	report.throwAny();
	return deepFreeze(config);
}

function checkAll(
	{ data, written }: Source,
	file: string,
	report: Report,
	options: LoadOptions,
): GatewayConfig {
	checkShape(data, report);
	const { meet = () => undefined } = options;
	const around: Surroundings = {
		report,
		meet: (named, path) => meetAt(named, path, meet, report),
		env: options.env,
		hostname: options.hostname ?? hostname(),
		path: (path) => resolve(dirname(file), path),
		written,
	};
	return resolveGateway(data, file, around, options.inspect);
}

function resolveGateway(
	data: unknown,
	file: string,
	around: Surroundings,
	inspect: Inspect = () => undefined,
): GatewayConfig {
	const top = new Section(SCHEMA, asValues(data), []);
	const images = { dir: around.path(top.section("images").need("dir")) };
	const brokers = new Brokers(around);
	const broker = resolveBroker(top, brokers);
	const key = SCHEMA.properties?.pipelines?.additionalProperties as Key;
	const pipelines = Object.entries(top.section("pipelines").data)
		.filter(([, value]) => value !== undefined)
		.map(([name, value]) => {
			const section = new Section(key, asValues(value), ["pipelines", name]);
			const owner = { name, brokers, broker };
			return resolvePipeline(section, owner, around, inspect, images.dir);
		});
	checkTogether(pipelines, around.report);
	const quarantine = {
		dir: around.path(top.section("quarantine").need("dir")),
		maxBytes: top.section("quarantine").need<number>("maxBytes"),
	};
	const { dir } = quarantine;
	around.meet({ kind: "folder", dir }, top.section("quarantine").at("dir"));
	return {
		file: resolve(file),
		// Undefined only together with a problem, and then this is thrown away.
		broker: broker as GatewayConfig["broker"],
		http: resolveHttp(top, around.report),
		threads: top.need("threads"),
		gather: top.need("gather"),
		quarantine,
		images,
		log: { level: top.section("log").need("level") },
		stop: { deadline: top.section("stop").need("deadline") },
		pipelines: byName(pipelines, quarantine),
	};
}

/** A broker that was of the wrong type has been reported: nothing can be said about it. */
function resolveBroker(top: Section, brokers: Brokers) {
	const value = top.get<unknown>("broker");
	if (top.has("broker") && top.data.broker === undefined) return undefined;
	return brokers.resolve(value, top.at("broker"));
}

/** What is only wrong when pipelines are seen side by side. */
function checkTogether(pipelines: readonly Resolved[], report: Report): void {
	checkLoops(pipelines, report);
	checkClientIds(pipelines, report);
	const readers = pipelines.filter(({ from }) => from?.kind === "stdin");
	for (const { path } of readers.slice(1)) {
		const what = `pipeline ${readers[0]?.name} already reads stdin`;
		report.value([...path, "from"], what, "read it in one pipeline only");
	}
}

/** A broker cuts the connection that came first when a second one has its client id. */
function checkClientIds(pipelines: readonly Resolved[], report: Report): void {
	const owners = new Map<string, string>();
	const publishers = new Set<object>();
	for (const { from, to, path } of pipelines) {
		if (to?.kind === "mqtt" && !publishers.has(to.broker)) {
			publishers.add(to.broker);
			claim(to.broker, to.broker.clientId, [...path, "to"]);
		}
		if (from?.kind === "mqtt") {
			claim(from.broker, from.clientId, [...path, "from", "clientId"]);
		}
	}

	function claim(
		broker: Parameters<typeof brokerAddress>[0],
		id: string,
		path: (string | number)[],
	): void {
		const place = `${brokerAddress(broker)} ${id}`;
		const owner = owners.get(place);
		if (owner === undefined) {
			owners.set(place, path.slice(0, -1).join("."));
			return;
		}
		const what = `the client id ${JSON.stringify(id)} is also that of ${owner}: the two would cut each other off`;
		report.value(path, what, "give every connection its own clientId");
	}
}

function byName(
	pipelines: readonly Resolved[],
	quarantine: { dir: string; maxBytes: number },
): Record<string, PipelineConfig> {
	const all: Record<string, PipelineConfig> = Object.create(null);
	const { dir, maxBytes } = quarantine;
	for (const { name, config } of pipelines) {
		const file = join(dir, `${name}.ndjson`);
		if (config) all[name] = { ...config, quarantine: { file, maxBytes } };
	}
	return all;
}

function deepFreeze<T>(value: T): T {
	if (typeof value !== "object" || value === null || Object.isFrozen(value)) {
		return value;
	}
	Object.freeze(value);
	for (const each of Object.values(value)) deepFreeze(each);
	return value;
}
