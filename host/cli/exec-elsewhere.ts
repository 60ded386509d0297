import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ending, ended } from "../engine/exec.js";
import { type CommandExecution, executeBy } from "../engine/exec-command.js";
import { executeTracked } from "../engine/exec-tracked.js";
import { startOf } from "../engine/runtimes/runtime.js";
import { fileSource } from "../store/ndjson.js";
import { openStore } from "./images.js";
import type { Io } from "./io.js";
import { packer } from "./packed-modules.js";
import { byHand, workshopOf } from "./workshop.js";

export interface Elsewhere
	extends Omit<
		CommandExecution,
		"runtime" | "workshop" | "env" | "folder" | "image" | "stop"
	> {
	/** A known name, or a command in one word. */
	engine: string;
	/** A container's. */
	network: string | undefined;
	/** "K=V" */
	params: readonly string[];
}

/** Exit codes of a program that is ended by them: a container would outlive it. */
const SIGNALS: Readonly<Record<string, number>> = {
	SIGHUP: 129,
	SIGINT: 130,
	SIGTERM: 143,
};
/** Bytes of the longest line read in tracked mode. */
const LONGEST = 1 << 28;

/** `wasieve exec --engine`. Throws E_USAGE, E_MODULE_*, E_ENGINE_*, E_STANDALONE. */
export async function runElsewhere(
	given: Elsewhere,
	{ stdin, ...io }: Io,
): Promise<Ending> {
	const stop = new AbortController();
	const runtime = byHand(given.engine, given.network);
	const workshop = workshopOf(io.env);
	const cache = join(openStore({}, io).dir, "runtimes");
	const execution: CommandExecution = {
		...{ ...given, runtime, workshop },
		env: given.params,
		start: Math.max(given.start, startOf(runtime, given.module.length)),
		folder: tmpdir(),
		image: packer(cache, workshop, io.env, stop.signal),
		stop: stop.signal,
	};
	const leave = io.onSignal((name) => stop.abort(SIGNALS[name]));
	try {
		if (!runtime.container?.deaf) return await executeBy(execution, stdin);
		const source = fileSource({ stdin, maxReading: LONGEST });
		return await executeTracked(execution, source);
	} catch (thrown) {
		// What is stopped while it is made ready fails in words of its own.
		if (!stop.signal.aborted) throw thrown;
		return ended(stop.signal.reason);
	} finally {
		// It may be left half read, and would keep the process.
		stdin.destroy();
		leave();
	}
}
