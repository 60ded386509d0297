/** The entry of the thread that executeWatched() watches. */
import { parentPort, workerData } from "node:worker_threads";
import { execute } from "./exec.js";
import type { Execution } from "./execution.js";

const { run, shared } = workerData as {
	run: Execution;
	shared: SharedArrayBuffer;
};

parentPort?.postMessage(tellable(execute(run, new Int32Array(shared))));

/** With the fields of an error that structured cloning would leave out. */
function tellable(ending: ReturnType<typeof execute>) {
	const { error } = ending;
	if (error === undefined) return ending;
	const { code, message, hint } = error;
	return { ...ending, error: { code, message, hint } };
}
