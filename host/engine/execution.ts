/** One run of a module on the process's stdin, stdout and stderr. */
export interface Execution {
	wasm: WebAssembly.Module;
	/** Program name first. */
	args: readonly string[];
	/** "K=V" */
	env: readonly string[];
	/** Export name of the fuel global, and units for each line it reads. */
	fuel: { global: string; units: number } | undefined;
	/** Bytes it may write for each line that it reads, and as many as it reads besides. */
	output: number;
	/** Grants the machine's clocks and random numbers. */
	realTime: boolean;
	/**
	 * Hands lines over one by one: to a module that keeps its outputs back until it has worked on all
	 * that a read gave it, as the SDK's do. What ends it then takes no finished reading's outputs along.
	 */
	singly: boolean;
}

/** Words shared with the watched thread. */
export const Watch = {
	/** Counts up whenever the guest gets input: its time begins anew. */
	TURNS: 0,
	/** 1 while the guest waits for input. */
	READING: 1,
	/** Counts its writes; 1 in the next word while one is under way. */
	WRITES: 2,
	WRITING: 3,
	COUNT: 4,
} as const;
