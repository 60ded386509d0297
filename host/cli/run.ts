import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { GatewayConfig } from "../config/types.js";
import type { Fault, PipelineSnapshot } from "../contract.js";
import { type Code, WasieveError } from "../errors.js";
import type { Gateway } from "./gateway.js";
import { EXIT, type Io, type Verb } from "./io.js";
import { oneOperand, parseOptions, quantity } from "./options.js";
import { pipelineWay } from "./places.js";
import { errorText } from "./report.js";

export const runVerb: Verb = {
	name: "run",
	summary: "run a gateway: readings from MQTT or files through filters and on",
	help: `usage: wasieve run CONFIG [--deadline DURATION]

Runs the pipelines of CONFIG (YAML, docs/config.md) until SIGTERM, SIGINT or SIGHUP, or until every
source has come to its end (files, stdin). Where every source has an end, a pipeline whose filter
cannot start or that is stopped for good has ended too, as a failure. MQTT_BROKER in the environment
overrides the config's broker. To outlive its terminal it needs setsid or a service: Node does not
keep to nohup.

A signal stops in stages, also while all is starting: no more readings are taken, filters are
flushed, outputs delivered, readings acknowledged. A second signal forces. What is not
acknowledged then, a persistent session delivers again at the next start.

  --deadline DURATION   how long a stop may take, as 30s (default: stop.deadline of the config)

stdout carries nothing but what a pipeline writes there; the log goes to stderr.

Exit codes: 0 ended or stopped in order, 1 could not start or ended with a pipeline stopped or its
output lost, or the stop was forced or not done by the deadline, 2 wrong command line, 3 the config
has errors.

Example:
  wasieve run examples/gateway.yaml
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("run", argv, {
			deadline: { type: "string" },
		});
		const path = resolve(io.cwd, oneOperand("run", "CONFIG", positionals));
		const { deadline: written } = values;
		const deadline =
			written === undefined
				? undefined
				: quantity("run", "deadline", "duration", written);
		// From here on a stop is one in stages: what a start has begun (a container, say) would outlive a killed gateway.
		const signals = hearSignals(io);
		startSmall(true);
		const { readConfig } = await import("./config.js");
		const config = readConfig(path, io.env);
		const starting = start(config, io);
		return stayUp(starting, signals, io, deadline ?? config.stop.deadline);
	},
};

async function start(config: GatewayConfig, io: Io): Promise<Gateway> {
	const { startGateway } = await import("./gateway.js");
	const { stdin, stdout, env } = io;
	const gateway = await startGateway(config, { stdin, stdout, env });
	announceDoors(gateway, io);
	const up = gateway.up.then(() => announcePipelines(config, io));
	const late = setTimeout(START, undefined, { ref: false });
	const started = () => startSmall(false);
	Promise.race([gateway.up, late]).then(started, started);
	return { ...gateway, up };
}

/** Pipelines that are up by then do not wait for the others to run at full speed, ms. */
const START = 2000;

/**
 * What runs once is not worth V8's optimizing compiler, whose work would stay in memory; and what a start leaves
 * behind (a config of thousands of lines) would make the young generation grow to 32 MiB, for good: until all is up it
 * stays at 2 MiB. V8 reads both flags each time, so they can be set at any time.
 */
function startSmall(small: boolean): void {
	setFlagsFromString(small ? "--no-opt" : "--opt");
	setFlagsFromString(`--semi-space-growth-factor=${small ? 1 : 2}`);
}

/** At once: whoever looks for why a pipeline is not up needs /health. */
function announceDoors(gateway: Gateway, io: Io): void {
	if (gateway.broker) io.stderr.write(`broker: up, ${gateway.broker}\n`);
	if (gateway.http)
		io.stderr.write(
			`http: up, ${gateway.http}/health and ${gateway.http}/metrics\n`,
		);
}

function announcePipelines(config: GatewayConfig, io: Io): void {
	for (const each of Object.values(config.pipelines))
		io.stderr.write(`${each.name}: up, ${pipelineWay(each)}\n`);
}

type Staying = Pick<Gateway, "up" | "ended" | "stop" | "snapshots">;

/** Waits for the end of all pipelines or a signal, also while they start, then stops in stages. */
export async function stayUp(
	starting: Promise<Staying>,
	signals: Signals,
	io: Pick<Io, "stderr">,
	deadline: number,
): Promise<number> {
	let gateway: Staying | undefined;
	const done = starting.then(async (started) => {
		gateway = started;
		// What has ended may never have been up.
		await Promise.race([started.up, started.ended]);
		return started.ended;
	});
	done.catch(() => {}); // a stop before all is up makes up fail: that is not news
	let asked: string | undefined;
	try {
		asked = (await Promise.race([done, signals.first])) ?? undefined;
	} catch (thrown) {
		await gateway?.stop(deadline);
		throw thrown;
	}
	const how = await Promise.race([
		stop(starting, deadline),
		signals.second.then(() => "forced"),
	]);
	signals.off();
	const snapshots = (await gateway?.snapshots()) ?? [];
	for (const each of snapshots) io.stderr.write(accountLine(each));
	const faults = how === "drained" ? [] : [notDrained(how, deadline)];
	// A signal ends what is stopped as it ends all else.
	if (asked === undefined)
		faults.push(
			...snapshots.flatMap(whyStopped),
			...snapshots.flatMap(lostSink),
		);
	for (const each of faults) io.stderr.write(errorText(each));
	return faults.length === 0 ? EXIT.OK : EXIT.FAILED;
}

function whyStopped({ name, state, reason }: PipelineSnapshot): WasieveError[] {
	if (state !== "stopped" || reason === undefined) return [];
	return [faultOf(name, reason)];
}

/** Where outputs went can take no more of them. */
function lostSink({ name, sink, undelivered }: PipelineSnapshot) {
	if (undelivered === undefined || sink.error === undefined) return [];
	return [faultOf(name, sink.error)];
}

function faultOf(name: string, { code, message, hint }: Fault): WasieveError {
	return new WasieveError(code as Code, `${name}: ${message}`, {
		hint: hint || undefined,
	});
}

/** Waiting for a start that takes long (it pulls an image, say) is part of the time that a stop may take. */
async function stop(
	starting: Promise<Staying>,
	deadline: number,
): Promise<"drained" | "late"> {
	const end = performance.now() + deadline;
	const late = setTimeout(deadline, undefined, { ref: false });
	const gateway = await Promise.race([starting, late]);
	const left = Math.max(0, end - performance.now());
	return (await gateway?.stop(left)) ? "drained" : "late";
}

interface Signals {
	/** Their names, when they come. */
	readonly first: Promise<string>;
	readonly second: Promise<string>;
	/** They are as deadly as ever. */
	off(): void;
}

/** Hears the first two signals, and says at once that it has heard the first. */
export function hearSignals(io: Pick<Io, "onSignal" | "stderr">): Signals {
	const heard: ((name: string) => void)[] = [];
	const first = new Promise<string>((resolve) => heard.push(resolve));
	const second = new Promise<string>((resolve) => heard.push(resolve));
	const off = io.onSignal((name) => heard.shift()?.(name));
	first.then((name) =>
		io.stderr.write(`${name}: stopping, a second signal forces\n`),
	);
	return { first, second, off };
}

function notDrained(how: string, deadline: number): WasieveError {
	const why =
		how === "forced"
			? "a second signal came"
			: `${deadline / 1000} s have passed`;
	return new WasieveError(
		"E_STOP_DEADLINE",
		`stopped before everything was delivered: ${why}`,
		{
			hint: "readings that were not acknowledged are delivered again at the next start; is the output broker up?",
		},
	);
}

function accountLine(each: PipelineSnapshot): string {
	const { name, taken, emitted, dropped, failed, open, missed } = each;
	const { undelivered = 0 } = each;
	const outputs = each.outputs - undelivered;
	const lost = undelivered === 0 ? "" : `; not delivered ${undelivered}`;
	const passed = missed === 0 ? "" : `; missed ${missed}`;
	return `${name}: taken ${taken} = emitted ${emitted} + dropped ${dropped} + failed ${failed} + open ${open}; outputs ${outputs}${lost}${passed}\n`;
}
