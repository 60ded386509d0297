import { readFileSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import type { FailedReading } from "../../contract.js";
import type { Gateway } from "../gateway.js";
import type { Io } from "../io.js";
import { showLive } from "./live.js";
import type { Stage } from "./stage.js";
import {
	accountOf,
	type DemoSummary,
	type PipelineAccount,
	sumUp,
} from "./summary.js";

/** Longest waits once everything is published, ms. Far beyond what it takes. */
const SETTLE_MS = 30_000;
const RETURN_MS = 10_000;
/** Between two looks at the pipelines. */
const LOOK_MS = 20;

/** Publishes everything, waits until it has come through, and sums up. Shows the live line on `io`, if given. */
export async function play(
	stage: Stage,
	rate: number,
	io: Io | undefined,
): Promise<DemoSummary> {
	const watch = await watchPipelines(stage.gateway);
	const live =
		io && showLive(io.stdout, io.isTTY, () => progress(stage, watch));
	const seconds = await publish(stage, rate);
	await watch.settled(stage.readings.length);
	await stage.gateway.stop(SETTLE_MS);
	watch.stop();
	const pipelines = (await stage.gateway.snapshots()).map(accountOf);
	const outputs = pipelines.reduce((sum, each) => sum + each.outputs, 0);
	await stage.listener.wait(outputs, RETURN_MS);
	live?.stop();
	return sumUp({
		published: stage.readings.length - stage.devices.refused.length,
		broken: stage.readings.filter(({ broken }) => broken).length,
		seconds,
		received: stage.listener.received,
		quarantined: quarantined(stage).length,
		pipelines,
	});
}

async function publish(stage: Stage, rate: number): Promise<number> {
	const began = performance.now();
	await stage.devices.publish(stage.readings, rate);
	return (performance.now() - began) / 1000;
}

interface Watch {
	/** The last look. */
	readonly pipelines: readonly PipelineAccount[];
	/** Resolves when every pipeline has taken and settled `count` readings, or when it takes too long: the account then tells. */
	settled(count: number): Promise<void>;
	stop(): void;
}

async function watchPipelines(gateway: Gateway): Promise<Watch> {
	let pipelines = (await gateway.snapshots()).map(accountOf);
	const look = async () => {
		pipelines = (await gateway.snapshots()).map(accountOf);
	};
	const timer = setInterval(() => void look(), LOOK_MS);
	return {
		get pipelines() {
			return pipelines;
		},
		async settled(count) {
			const latest = performance.now() + SETTLE_MS;
			const open = () =>
				pipelines.some((each) => each.open > 0 || each.taken < count);
			while (open() && performance.now() < latest) await pass(LOOK_MS);
		},
		stop: () => clearInterval(timer),
	};
}

function progress({ readings, listener }: Stage, { pipelines }: Watch) {
	return { total: readings.length, alerts: listener.alerts, pipelines };
}

/** What lies in the quarantine. */
export function quarantined(stage: Stage): FailedReading[] {
	return Object.values(stage.config.pipelines).flatMap(({ quarantine }) =>
		linesOf(quarantine.file).map((line) => JSON.parse(line)),
	);
}

function linesOf(file: string): string[] {
	try {
		return readFileSync(file, "utf8")
			.split("\n")
			.filter((line) => line !== "");
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw thrown;
	}
}
