/** What is put on a runtime's command line. */
export interface Launch {
	/** The module's file. */
	module: string;
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	/** Bytes of linear memory. The module declares the same as its maximum. */
	memory: number;
	/** A name that no other instance has or had. */
	name: string;
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
	/** Versions below the first that is known to work, and what is wrong with some of the others. */
	oldest?: string;
	bad?: readonly { from: string; below: string; why: string }[];
	/** What a line of stderr (or the last one of stdout) that names the cause of a trap has in it. */
	trap: RegExp;
	/** Ways to refuse a module that have nothing to do with a reading. */
	refusals?: readonly { says: RegExp; message: string; hint: string }[];
	/** What it limits by itself; everything else is the module's own maximum and the gateway's clock. */
	limits: "memory" | "nothing";
	/** ms from its start until the module asks for input. */
	start: number;
	/** How to get it. */
	install: string;
	/** Runs an image, which holds the module already, in a container. */
	container?: {
		/** Arguments that end the container of that name, one after the other, whatever becomes of the client. */
		end(name: string): readonly (readonly string[])[];
		/** Exit codes of the client when the container did not come to run. */
		failures: readonly number[];
		/** Why a container may not come to run without any word about it. */
		stuck: string;
	};
}
