// Loaded into a gateway (bench/census.mjs): at each SIGUSR2 it says on stderr what is alive after a full collection.
import { setImmediate as turn } from "node:timers/promises";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";

/** @type {() => void} */
let collect;

process.on("SIGUSR2", async () => {
	v8.setFlagsFromString("--expose-gc");
	collect ??= runInNewContext("gc");
	// What one collection finalizes, the next one frees.
	for (let i = 0; i < 3; i++) {
		collect();
		await turn();
	}
	const { heapUsed, external, rss } = process.memoryUsage();
	const objects = v8.queryObjects?.(Object, { format: "count" });
	const census = { objects, bytes: heapUsed + external, rss };
	process.stderr.write(`census ${JSON.stringify(census)}\n`);
});
