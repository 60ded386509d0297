import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { EXIT, type Io, type Verb } from "./io.js";
import { parseOptions } from "./options.js";
import { usage } from "./report.js";

export const demoVerb: Verb = {
	name: "demo",
	summary:
		"real readings over MQTT through the shipped filters, each accounted for",
	help: `usage: wasieve demo [--rate READINGS] [--json]

Starts a broker on a free port of 127.0.0.1 and a gateway with examples/demo.yaml, publishes the
readings of examples/office-climate.ndjson as five devices, and some broken ones among them, shows
what the pipelines do, and at the end what became of every reading. Nothing is left behind.

  --rate READINGS   readings a second (default 2500; 0: as fast as the broker takes them)
  --json            no live line; print the summary as JSON on stdout

Exit codes: 0 every reading is accounted for, 1 not, or interrupted, 2 wrong command line, 3 the
shipped modules are missing (npm run build).

Example:
  wasieve demo --rate 500
`,
	async run(argv, io) {
		const { values, positionals } = parseOptions("demo", argv, {
			rate: { type: "string" },
			json: { type: "boolean" },
		});
		if (positionals.length > 0)
			throw usage("demo", `'${positionals[0]}' is one operand too many`);
		const rate = readRate(values.rate ?? "2500");
		const { clearLeftovers, makeScratch } = await import(
			"../engine/scratch.js"
		);
		await clearLeftovers(tmpdir());
		const dir = await makeScratch(tmpdir());
		io.onExit(() => rmSync(dir, { recursive: true, force: true }));
		return show(io, dir, rate, values.json === true);
	},
};

function readRate(text: string): number {
	const rate = Number(text);
	if (text.trim() !== "" && rate >= 0 && rate <= 1e7) return rate;
	throw usage("demo", `--rate ${text} is not a number of readings per second`);
}

async function show(
	io: Io,
	dir: string,
	rate: number,
	json: boolean,
): Promise<number> {
	const interrupted = new Promise<undefined>((resolve) =>
		io.onSignal(() => resolve(undefined)),
	);
	const [
		{ openStage },
		{ play },
		{ introduction, samples, next },
		{ summaryText },
	] = await Promise.all([
		import("./demo/stage.js"),
		import("./demo/play.js"),
		import("./demo/words.js"),
		import("./demo/summary.js"),
	]);
	const stage = await openStage(dir, io.env);
	const say = (text: string) => json || io.stdout.write(text);
	try {
		say(introduction(stage));
		const played = play(stage, rate, json ? undefined : io);
		const summary = await Promise.race([played, interrupted]);
		if (summary === undefined) {
			io.stderr.write("interrupted\n");
			return EXIT.FAILED;
		}
		say(samples(stage));
		say(summaryText(summary));
		say(next(io.cwd));
		if (json) io.stdout.write(`${JSON.stringify(summary)}\n`);
		return summary.balanced ? EXIT.OK : EXIT.FAILED;
	} finally {
		await stage.close();
	}
}
