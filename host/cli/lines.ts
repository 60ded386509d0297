import { tmpdir } from "node:os";
import {
	EMBEDDED,
	type FilterConfig,
	type GatewayConfig,
	type PipelineConfig,
} from "../config/types.js";
import type { Clock, Engine, Log, PipelineSnapshot } from "../contract.js";
import { type FilterModule, loadFilter } from "../engine/filter-module.js";
import { inlineEngine } from "../engine/inline.js";
import { WasieveError } from "../errors.js";
import { Gather } from "../mqtt/gather.js";
import { Line } from "../pipeline/line.js";
import { OutputTopic } from "../pipeline/topic.js";
import { openQuarantine } from "../store/quarantine.js";
import { type Connections, known, sinkOf, sourceOf } from "./connections.js";
import { bytesOf, refuseOther, renewal } from "./module-file.js";
import { type Engines, imageOf, openEngines, runtimeOf } from "./workshop.js";

/** The pipelines of one thread. */
export interface Lines {
	/** Resolves when every pipeline is up. */
	readonly up: Promise<void>;
	/** Resolves when every pipeline has ended by itself, or is stopped for good. */
	readonly ended: Promise<void>;
	snapshots(): PipelineSnapshot[];
	/** Rejects with a WasieveError when a module cannot be run that is in its file by now. */
	resume(name: string): Promise<boolean>;
	halt(name: string): boolean;
	/** Staged stop of all; resolves when everything is delivered, acknowledged and closed. */
	stop(): Promise<void>;
	/** Lets go at once. */
	kill(): Promise<void>;
}

export interface Surroundings {
	/** The part of the gateway this thread runs. */
	names: readonly string[];
	/** 0 for the only or first thread; the others' publishing client ids carry their number. */
	thread: number;
	clock: Clock;
	log: Log;
	stdin: NodeJS.ReadableStream;
	stdout: NodeJS.WritableStream;
}

/**
 * Wires the real parts of the pipelines named and starts them. Modules are checked and
 * compiled before anything connects.
 * @throws {WasieveError} E_MODULE_* of the first module that cannot be loaded, E_ENGINE_* of its engine
 */
export async function openLines(
	config: GatewayConfig,
	around: Surroundings,
): Promise<Lines> {
	const common: Common = {
		publishers: new Map(),
		shares: new Map(),
		files: new Map(),
		modules: new Map(),
		gather: new Gather(config.gather),
		finite: comesToAnEnd(config),
		http: config.http,
	};
	const external = openEngines(config.images.dir, process.env, around.log);
	const lines: Line[] = [];
	for (const name of around.names) {
		const pipeline = config.pipelines[name] as PipelineConfig;
		lines.push(await wire(pipeline, common, external, around));
	}
	common.files.clear();
	common.modules.clear();
	const up = Promise.all(lines.map((line) => line.start())).then(() => {});
	// Whoever stops a line that is not up yet makes its start fail: that is not news.
	up.catch(() => {});
	const byName = new Map(lines.map((line) => [line.name, line] as const));
	const of = (name: string) => byName.get(name);
	const closePublishers = () =>
		Promise.allSettled(
			[...common.publishers.values()].map((each) => each.close()),
		);
	return {
		up,
		ended: Promise.all(lines.map((line) => line.ended)).then(() => {}),
		snapshots: () => lines.map((line) => line.snapshot()),
		async resume(name) {
			await of(name)?.resume();
			return of(name) !== undefined;
		},
		halt(name) {
			of(name)?.halt(onCommand());
			return of(name) !== undefined;
		},
		async stop() {
			await Promise.all(lines.map((line) => line.stop()));
			await closePublishers();
		},
		async kill() {
			await Promise.allSettled(lines.map((line) => line.kill()));
			await closePublishers();
		},
	};
}

/** What the pipelines of a thread have in common. */
interface Common extends Connections {
	/** Module files, read once while all is wired, and what has been made of them, by limits. */
	files: Map<string, Promise<Uint8Array>>;
	modules: Map<string, Promise<FilterModule>>;
	/** Of the whole gateway, whatever part of it this thread runs. */
	finite: boolean;
	http: GatewayConfig["http"];
}

/** A source without end keeps the gateway up, and with it everybody's next try. */
function comesToAnEnd({ pipelines }: GatewayConfig): boolean {
	return Object.values(pipelines).every(({ from }) => from.kind !== "mqtt");
}

async function wire(
	pipeline: PipelineConfig,
	common: Common,
	external: Engines,
	around: Surroundings,
): Promise<Line> {
	const { from, to, limits, restart } = pipeline;
	const topic =
		to.kind === "mqtt"
			? new OutputTopic(to.topic, from.kind === "mqtt" ? from.topic : "")
			: undefined;
	const engines: Engine[] = [];
	for (const filter of pipeline.filters) {
		engines.push(
			await engineOf(filter, pipeline, topic, common, external, around),
		);
	}
	return new Line({
		name: pipeline.name,
		source: sourceOf(pipeline, common, around),
		engines,
		sink: sinkOf(pipeline, common, around),
		quarantine: openQuarantine({ ...pipeline.quarantine, log: around.log }),
		topic,
		codec: from.codec,
		onError: pipeline.onError,
		window: limits.inflight,
		readingLimit: limits.reading,
		cooldown: restart.cooldown,
		finite: common.finite,
		resumeBy: resumeBy(pipeline.name, common.http),
		clock: around.clock,
		log: around.log,
	});
}

/** Only the engine of most filters is loaded with the gateway. */
async function engineOf(
	filter: FilterConfig,
	{ name, limits, restart }: PipelineConfig,
	topic: OutputTopic | undefined,
	{ files, modules, gather }: Common,
	external: Engines,
	{ clock }: Surroundings,
): Promise<Engine> {
	const path = filter.module;
	const bytes = await known(files, path, () => bytesOf(path));
	const shared = {
		env: Object.entries(filter.params).map(([key, value]) => `${key}=${value}`),
		limits,
		restart: {
			max: restart.max,
			backoff: { min: restart.backoff, max: Math.max(restart.backoff, 10_000) },
		},
		clock,
		name,
		unitBy: topic?.attributed ? ("topic" as const) : ("batch" as const),
	};
	if (filter.engine !== EMBEDDED) {
		gather.never(); // answers of a child process
		const runtime = runtimeOf(filter.engine);
		const { workshop, pack, tellFlaws } = external;
		const { checkEngine } = await import("../engine/preflight.js");
		tellFlaws(runtime, await checkEngine(runtime, workshop));
		const image = imageOf(filter.engine) ?? pack;
		const { commandEngine } = await import("../engine/command.js");
		return commandEngine({
			...{ ...shared, runtime, workshop, image },
			module: bytes,
			renewed: () => refuseOther(path, bytes),
			args: filter.args,
			folder: tmpdir(),
		});
	}
	const { module: size, memory } = limits;
	const module = await known(modules, `${size} ${memory} ${path}`, () =>
		loadFilter(bytes, { size, memory }),
	);
	const args = [filter.module, ...filter.args];
	const renew = () => renewal(filter, { size, memory }, module);
	if (module.info.inline)
		return inlineEngine({ ...shared, module, renew, args });
	gather.never(); // answers of a worker
	const { realTime } = filter;
	const { blockingEngine } = await import("../engine/blocking.js");
	return blockingEngine({ ...shared, module, renew, args, realTime });
}

/** A port that the system has chosen is in the log's first lines. */
function resumeBy(name: string, http: GatewayConfig["http"]): string {
	if (http === false) return "restart the gateway (its `http` is off)";
	const host = http.host.includes(":") ? `[${http.host}]` : http.host;
	const door = http.port === 0 ? "" : `http://${host}:${http.port}`;
	return `POST ${door}/pipelines/${name}/resume`;
}

function onCommand(): WasieveError {
	return new WasieveError("E_PIPELINE_STOPPED", "stopped on command", {
		hint: "POST /pipelines/NAME/resume takes it up again",
	});
}
