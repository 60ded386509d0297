import { Worker } from "node:worker_threads";
import { asWasieveError, WasieveError } from "../errors.js";
import { type Execution, Watch } from "./execution.js";
import { fault, faultOf } from "./fault.js";
import { ClosedPipe, StdioHost } from "./stdio-host.js";
import { RealNature, VirtualNature } from "./time.js";
import { Exit, wasiImports } from "./wasi.js";

/** How a run ended. */
export interface Ending {
	/** The guest's exit code; undefined when it did not end itself. */
	code: number | undefined;
	/** Why it was ended: E_GUEST_TRAP, E_GUEST_FUEL, E_GUEST_TIME. */
	error: WasieveError | undefined;
	/** Nobody reads stdout any more. */
	closedPipe: boolean;
	/** A filter made with the SDK that ended well, and never asked for input. */
	deaf?: boolean;
}

/**
 * Where virtual time begins, ms: 2000-01-01. The same in every run, so that the same input gives
 * the same output; not 1970, which programs take for "not set".
 */
export const BEGINNING = 946_684_800_000;

/** Runs the guest on this thread, blocking it: only for a process that does nothing else. */
export function execute(run: Execution, watch?: Int32Array): Ending {
	const nature = run.realTime ? new RealNature() : new VirtualNature(BEGINNING);
	const host = new StdioHost(run, nature, watch);
	const ending = live(run, host);
	try {
		host.flush();
		return ending;
	} catch (thrown) {
		if (thrown instanceof ClosedPipe) return { ...ended(0), closedPipe: true };
		return ending.error ? ending : failed(asWasieveError(thrown));
	}
}

function live(run: Execution, host: StdioHost): Ending {
	let memory: WebAssembly.Memory | undefined;
	try {
		const { exports } = new WebAssembly.Instance(
			run.wasm,
			wasiImports(host, () => memory),
		);
		if (exports.memory instanceof WebAssembly.Memory) memory = exports.memory;
		host.tank.attach(run.fuel && exports[run.fuel.global]);
		(exports._start as () => void)();
		return { ...ended(0), deaf: "pump" in exports && !host.asked };
	} catch (thrown) {
		if (thrown instanceof Exit) return ended(thrown.code);
		if (thrown instanceof ClosedPipe) return { ...ended(0), closedPipe: true };
		const why = faultOf(thrown, host.tank.left, "", run.wasm);
		// Nobody counts this byte: the tank may be empty, and the budget for output with it.
		host.finishLine();
		return failed(why.code.startsWith("E_GUEST") ? during(why, host) : why);
	}
}

/** The same, with the reading that the guest was at work on. */
function during(why: WasieveError, { reading }: StdioHost): WasieveError {
	if (reading === undefined) return why;
	const { code, message, hint = "", cause } = why;
	return fault(code, `${message} in reading ${reading}`, hint, cause);
}

/**
 * Runs the guest on a thread of its own, where it may block and loop, and ends it when it has
 * run for `time` ms since it last got input, `start` ms before it first does. What it spends
 * waiting for input does not count.
 */
export async function executeWatched(
	run: Execution,
	time: number,
	start: number,
): Promise<Ending> {
	const shared = new SharedArrayBuffer(Watch.COUNT * 4);
	const worker = new Worker(new URL("./exec-worker.js", import.meta.url), {
		workerData: { run, shared },
	});
	const guard = guardOf(new Int32Array(shared), time, start);
	const over = new Promise<Ending>((resolve) => {
		worker.on("message", (ending: Ending) => resolve(revive(ending)));
		worker.on("error", (error) => resolve(failed(asWasieveError(error))));
	});
	const ending = await Promise.race([over, guard.late]);
	guard.stop();
	await worker.terminate();
	return ending;
}

/** A message carries an error's fields but not its class. */
function revive(ending: Ending): Ending {
	if (ending.error === undefined) return ending;
	const { code, message, hint } = ending.error;
	return failed(new WasieveError(code, message, { hint }));
}

/** Looks at the guest's turns; `late` resolves when one has lasted too long. */
function guardOf(watch: Int32Array, time: number, start: number) {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<Ending>((resolve) => {
		let turn = 0;
		let writes = 0;
		let used = 0;
		// Ten looks a limit: a turn is cut after 1.0 to 1.1 times the limit.
		const step = Math.max(1, Math.ceil(time / 10));
		const look = () => {
			const [turns, reading, written, writing] = watch;
			// Held up by whoever reads its output, unless it gets rid of more all the time.
			const stuck = writing === 1 && written === writes;
			const idle = turns !== turn || reading === 1 || stuck;
			used = idle ? 0 : used + step;
			[turn, writes] = [turns as number, written as number];
			const limit = turn === 0 ? start : time;
			if (used > limit) resolve(failed(tooLong(limit)));
			else timer = setTimeout(look, step);
		};
		timer = setTimeout(look, step);
	});
	return { late, stop: () => clearTimeout(timer) };
}

/** It ended itself. */
export function ended(code: number | undefined): Ending {
	return { code, error: undefined, closedPipe: false };
}

export function failed(error: WasieveError): Ending {
	return { code: undefined, error, closedPipe: false };
}

export function tooLong(limit: number): WasieveError {
	return fault(
		"E_GUEST_TIME",
		`the module ran for more than ${limit} ms without asking for input`,
		"it loops without end or needs a higher --time",
	);
}
