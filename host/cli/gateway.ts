import type {
	BrokerConfig,
	EmbeddedBroker,
	GatewayConfig,
	PipelineConfig,
	RemoteBroker,
} from "../config/types.js";
import type { Clock, Log, PipelineSnapshot } from "../contract.js";
import { startBroker } from "../mqtt/broker.js";
import { startHttp } from "../observe/http.js";
import { createLog } from "../observe/log.js";
import { isImage } from "../pack/reference.js";
import { type Lines, openLines, type Surroundings } from "./lines.js";
import type { openThreads } from "./threads.js";

export type { PipelineSnapshot } from "../contract.js";

export interface GatewayOptions {
	log?: Log;
	clock?: Clock;
	stdin?: NodeJS.ReadableStream;
	stdout?: NodeJS.WritableStream;
	/** Credentials for registries are looked up there; this process's by default. */
	env?: Readonly<Record<string, string | undefined>>;
}

/** Lines wherever they run: in this thread or in others. */
export type RemoteLines = {
	[K in keyof Lines]: Lines[K] extends (...args: infer A) => infer R
		? (...args: A) => Promise<Awaited<R>>
		: Lines[K];
};

/** A running gateway. */
export interface Gateway {
	/** Resolves when every pipeline is up: connected, subscribed, its filters started. */
	readonly up: Promise<void>;
	/**
	 * Resolves when every pipeline has come to its end by itself (files, stdin). Without any other source a
	 * pipeline whose filter cannot start, or that is stopped until told otherwise, has come to its end too.
	 */
	readonly ended: Promise<void>;
	/** Where /health and /metrics are, if anywhere: http://host:port. */
	readonly http: string | undefined;
	/** The embedded broker, if there is one: mqtt://host:port. */
	readonly broker: string | undefined;
	snapshots(): Promise<PipelineSnapshot[]>;
	/**
	 * Takes a stopped pipeline up again, with the modules that are in its files by now; false when there is none of that
	 * name. Rejects with a WasieveError (E_MODULE_*, E_CONFIG_KEY, E_PIPELINE_RESUME) when one cannot be run: it stays stopped.
	 */
	resume(name: string): Promise<boolean>;
	/** Pauses a pipeline until resume(). */
	halt(name: string): Promise<boolean>;
	/**
	 * Staged stop: no more readings in, filters flushed, outputs delivered, readings acknowledged.
	 * Resolves with false when that took longer than `deadline` ms and the rest was let go,
	 * unacknowledged.
	 */
	stop(deadline: number): Promise<boolean>;
}

/**
 * Starts the pipelines of a checked config. Resolves when everything is on its way; connections
 * come up by themselves ({@link Gateway.up}), so a broker that is down is no reason to fail.
 *
 * With `threads: 1` the pipelines run on the caller's thread, and fast flows rest it (`gather`, 2 ms a turn of the
 * event loop by default): a program with work of its own there sets `gather: 0`, or more threads.
 * @throws {WasieveError} E_IMAGE_*, E_REGISTRY_*, E_MODULE_*, E_BROKER_PORT, E_BROKER_MISSING, E_HTTP_PORT
 */
export async function startGateway(
	given: GatewayConfig,
	options: GatewayOptions = {},
): Promise<Gateway> {
	const around: Omit<Surroundings, "names" | "thread"> = {
		clock: options.clock ?? Date.now,
		log: options.log ?? createLog({ level: given.log.level }),
		stdin: options.stdin ?? process.stdin,
		stdout: options.stdout ?? process.stdout,
	};
	const env = options.env ?? process.env;
	const config = await pulled(given, around.log, env);
	const brokers = await startBrokers(config);
	try {
		const reachable = withBrokers(config, brokers);
		const lines =
			config.threads > 1
				? await inThreads(reachable, around)
				: inThisThread(
						await openLines(reachable, {
							...around,
							names: Object.keys(config.pipelines),
							thread: 0,
						}),
					);
		return await serve(config, lines, brokers);
	} catch (thrown) {
		for (const broker of brokers.values()) await broker.close();
		throw thrown;
	}
}

/** The registry's client is loaded for whom it has something to do. */
async function pulled(
	config: GatewayConfig,
	log: Log,
	env: NonNullable<GatewayOptions["env"]>,
): Promise<GatewayConfig> {
	const filters = Object.values(config.pipelines).flatMap(
		(each) => each.filters,
	);
	if (!filters.some(({ module }) => isImage(module))) return config;
	const { withImages } = await import("./image-modules.js");
	return withImages(config, log, env);
}

async function serve(
	config: GatewayConfig,
	lines: RemoteLines,
	brokers: Brokers,
): Promise<Gateway> {
	const http = config.http
		? await startHttp({
				...config.http,
				snapshots: lines.snapshots,
				resume: lines.resume,
				stop: lines.halt,
			}).catch(async (thrown) => {
				await lines.kill();
				throw thrown;
			})
		: undefined;
	const [broker] = brokers.values();
	return {
		up: lines.up,
		ended: lines.ended,
		http: http?.url,
		broker: broker?.url,
		snapshots: lines.snapshots,
		resume: lines.resume,
		halt: lines.halt,
		async stop(deadline) {
			const drained = await inTime(lines.stop(), deadline);
			if (!drained) await lines.kill();
			await http?.close();
			for (const each of brokers.values()) await each.close();
			return drained;
		},
	};
}

/** Loaded for whom asks for threads. */
async function inThreads(...given: Parameters<typeof openThreads>) {
	const threads = await import("./threads.js");
	return threads.openThreads(...given);
}

function inThisThread(lines: Lines): RemoteLines {
	return {
		...lines,
		snapshots: async () => lines.snapshots(),
		halt: async (name) => lines.halt(name),
	};
}

/** Whether the work was done, and within `ms`: a stop that fails leaves others to be closed. */
async function inTime(work: Promise<void>, ms: number): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<false>((resolve) => {
		timer = setTimeout(() => resolve(false), ms);
	});
	const settled = work.then(
		() => true,
		() => false,
	);
	const done = await Promise.race([settled, late]);
	clearTimeout(timer);
	return done;
}

/* ---------------------------------------------------------- embedded broker */

type Brokers = Map<BrokerConfig, Awaited<ReturnType<typeof startBroker>>>;

/** One embedded broker per distinct setting, shared by all that name it. */
async function startBrokers(config: GatewayConfig): Promise<Brokers> {
	const brokers: Brokers = new Map();
	for (const { from, to } of Object.values(config.pipelines)) {
		for (const end of [from, to]) {
			if (end.kind !== "mqtt" || end.broker.kind !== "embedded") continue;
			if (brokers.has(end.broker)) continue;
			const { host, port } = end.broker;
			brokers.set(end.broker, await startBroker({ host, port }));
		}
	}
	return brokers;
}

/** The config with each embedded broker as what it is to a client: a broker at a URL. */
function withBrokers(config: GatewayConfig, brokers: Brokers): GatewayConfig {
	if (brokers.size === 0) return config;
	const remotes = new Map<BrokerConfig, RemoteBroker>();
	for (const [broker, { url }] of brokers) {
		const { host: _host, port: _port, ...rest } = broker as EmbeddedBroker;
		remotes.set(broker, { ...rest, kind: "remote", url });
	}
	const reach = <T extends PipelineConfig["from"] | PipelineConfig["to"]>(
		end: T,
	): T =>
		end.kind === "mqtt"
			? { ...end, broker: remotes.get(end.broker) ?? end.broker }
			: end;
	const pipelines = Object.entries(config.pipelines).map(
		([name, each]) =>
			[name, { ...each, from: reach(each.from), to: reach(each.to) }] as const,
	);
	// A broker on the same thread would rest with it, and its clients wait for it in turn.
	const gather = config.threads > 1 ? config.gather : 0;
	return { ...config, gather, pipelines: Object.fromEntries(pipelines) };
}
