// A module's way to its first output in a process that has done nothing before, as `wasieve exec` goes it. Talks over IPC:
//   phases.mjs MODULE READING      ← { phases: { process, read, compile, instantiate, first } }  ms
import { readFileSync } from "node:fs";
import { openGauge } from "#host/engine/gauge.js";

const [file = "", reading = ""] = process.argv.slice(2);

const begun = performance.now();
const bytes = readFileSync(file);
const read = performance.now() - begun;
const gauge = openGauge(bytes, {
	memory: 16 * 2 ** 20,
	fuel: 10_000_000,
	args: ["bench"],
	env: [],
});
const { output, instantiateMs, runMs } = gauge.run(Buffer.from(`${reading}\n`));
process.send?.({
	phases: {
		// performance.now() counts from when the process began.
		process: begun,
		read,
		compile: gauge.compileMs,
		instantiate: instantiateMs,
		first: runMs,
		output: Buffer.from(output).toString().trim(),
	},
});
