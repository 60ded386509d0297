import type { Readable, Writable } from "node:stream";
import { WasieveError } from "../errors.js";

/**
 * What a verb may touch of the process it runs in. Verbs take it as a parameter and never
 * name `process`, so that a test can run one in place and see all that it said.
 */
export interface Io {
	readonly stdin: Readable;
	readonly stdout: Writable;
	readonly stderr: Writable;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
	/** Whether stdout is a terminal, where lines may be rewritten. */
	readonly isTTY: boolean;
	/** Calls `listener` on SIGINT, SIGTERM and SIGHUP until the returned function is called. */
	onSignal(listener: (signal: string) => void): () => void;
	/** Calls `listener`, which must not wait for anything, when the process ends, in whatever way but a kill. */
	onExit(listener: () => void): void;
}

/**
 * A verb of the command line, one file each. The table of verbs imports the file only when
 * the verb (or the list of verbs) is asked for; heavy rooms are imported inside `run`.
 */
export interface Verb {
	readonly name: string;
	/** One line for `wasieve --help`. */
	readonly summary: string;
	/** All of `wasieve NAME --help`, ends with a line feed. */
	readonly help: string;
	/**
	 * Resolves to the exit code ({@link EXIT}). A WasieveError it throws is printed by doMain
	 * and becomes the exit code of its kind.
	 */
	run(argv: string[], io: Io): Promise<number>;
}

/** Exit codes of every verb but `exec`, which adds its guest's own. */
export const EXIT = {
	/** What was asked for was done. */
	OK: 0,
	/** What was asked for failed. */
	FAILED: 1,
	/** The command line is wrong. */
	USAGE: 2,
	/** The config or the module has errors. */
	INVALID: 3,
} as const;

/** The real process. Streams are opened when first touched: opening one costs a millisecond. */
export function processIo(): Io {
	return {
		get stdin() {
			return process.stdin;
		},
		get stdout() {
			return guarded(process.stdout);
		},
		get stderr() {
			return guarded(process.stderr);
		},
		env: process.env,
		get cwd() {
			return currentFolder();
		},
		get isTTY() {
			return process.stdout.isTTY === true;
		},
		onSignal(listener) {
			for (const signal of DEADLY) process.on(signal, listener);
			return () => {
				for (const signal of DEADLY) process.off(signal, listener);
			};
		},
		onExit(listener) {
			process.once("exit", listener);
		},
	};
}

/** Node takes back at its start that somebody (`nohup`) had it ignore SIGHUP, and nothing tells afterwards. */
const DEADLY = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A shell may stand in a folder that somebody has removed. */
function currentFolder(): string {
	try {
		return process.cwd();
	} catch (cause) {
		const what = "the current folder is not there any more";
		const hint = "cd to a folder that is";
		throw new WasieveError("E_FILE_READ", what, { hint, cause });
	}
}

/** Streams that something was said on. */
const opened = new Set<Writable>();

/** Resolves when all that was said has left, or it is known that it cannot: then the process ends with that. */
export async function flush(): Promise<void> {
	for (const stream of opened)
		await new Promise<void>((resolve) => stream.write("", () => resolve()));
	// A stream tells its error one turn after the write that met it.
	await new Promise((resolve) => setImmediate(resolve));
}

/** Without a listener an error of a stream would end the process with a stack. */
function guarded(stream: Writable): Writable {
	opened.add(stream);
	if (stream.listenerCount("error", leaveOnLostStream) === 0)
		stream.on("error", leaveOnLostStream);
	return stream;
}

/**
 * The reader went away (`wasieve … | head -1`): leave as a C program would on SIGPIPE. A full disk is
 * for the sink that writes there, if there is one: it counts what it cannot deliver.
 */
function leaveOnLostStream(this: Writable, error: NodeJS.ErrnoException): void {
	if (error.code === "EPIPE") process.exit(128 + 13);
	if (this.listenerCount("error") > 1) return;
	if (this === process.stdout)
		process.stderr.write(
			`error E_FILE_WRITE: standard output cannot be written (${error.code})\n`,
		);
	process.exit(EXIT.FAILED);
}
