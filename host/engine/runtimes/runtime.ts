/** What is put on a runtime's command line. */
export interface Launch {
	/** The module's file; the image that holds it where there is a container. */
	module: string;
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	/** Bytes of linear memory. The module declares the same as its maximum. */
	memory: number;
	/** A name that no other instance has or had. */
	name: string;
}

/** Versions from the first on and below the second. */
export type Versions = readonly [from: string, below: string];

/** A way to refuse a module, or to start at all, that has nothing to do with a reading. */
export interface Refusal {
	says: RegExp;
	message: string;
	hint: string;
}

/** Something known about a version that still runs filters right: a vulnerability, or slowness. */
export interface Flaw {
	/** Its number in a public list, or a word for what it is about. */
	id: string;
	what: string;
	affects: readonly Versions[];
	/** The only processor it is about (process.arch). */
	arch?: string;
	/** Finds the version in what the engine says where it is a part's, not the engine's own. */
	version?: RegExp;
}

/** A program that runs WASI modules: all that differs between one and another, as data. */
export interface Runtime {
	name: string;
	/** Looked for on the path. */
	program: string;
	/** Arguments behind the program. */
	arguments(launch: Launch): readonly string[];
	/** How to ask for the version; the pattern's first group is it. */
	version?: { arguments: readonly string[]; pattern: RegExp };
	/** Versions below the first that is known to work, and what does not work in some of the others: refused. */
	oldest?: string;
	bad?: readonly { affects: readonly Versions[]; why: string }[];
	/** What versions that work are known for: told. */
	flaws?: readonly Flaw[];
	/** What a line of stderr (or the last one of stdout) that names the cause of a trap has in it. */
	trap: RegExp;
	refusals?: readonly Refusal[];
	/** What it limits by itself; everything else is the module's own maximum and the gateway's clock. */
	limits: "memory" | "nothing";
	/** ms from its start until a small module asks for input; see {@link startOf}. */
	start: number;
	/** How to get it. */
	install: string;
	/** Runs an image, which holds the module already, in a container. */
	container?: Container;
}

/** What is to know about containers besides the command that runs one. */
export interface Container {
	/** Arguments that end the container of that name, one after the other, whatever becomes of the client. */
	end(name: string): readonly (readonly string[])[];
	/** Exit codes of the client when the container did not come to run. */
	failures: readonly number[];
	/** Why a container may not come to run without any word about it. */
	stuck: string;
	/** Whether the end of stdin never reaches the module: only one that is told in band ends. */
	deaf: boolean;
	/** What its images hold: Linux programs, or the bare module. */
	platform: "linux" | "wasi/wasm";
	/** Whether an image is there (exit code 0); without it one is loaded each time. */
	has?(image: string): readonly string[];
	/** Loads an archive; each is tried in turn until one works. */
	load(archive: string): readonly (readonly string[])[];
	/** Removes an image. */
	forget(image: string): readonly string[];
}

const MIB = 2 ** 20;
/** Compiling comes first: 0.6 s a MiB in wasmtime 49 on an AMD EPYC (2026-11-25), ten times that on a small board or a busy machine. */
const PER_MIB = 10_000;

/** ms that a module of `size` bytes has until it asks for input. */
export function startOf({ start }: Runtime, size: number): number {
	return start + Math.floor(size / MIB) * PER_MIB;
}
