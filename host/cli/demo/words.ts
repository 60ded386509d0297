import { join, relative } from "node:path";
import { pipelineWay } from "../places.js";
import { packageFolder } from "../version.js";
import { quarantined } from "./play.js";
import type { Stage } from "./stage.js";
import { count } from "./summary.js";

const WIDTH = 100;

/** What is about to happen. */
export function introduction({ config, broker, readings }: Stage): string {
	const ways = Object.values(config.pipelines).map(
		(each) => `  ${each.name.padEnd(13)}${pipelineWay(each)}`,
	);
	return [
		`${count(readings.length)} readings of an office, as five devices, over MQTT on ${broker}`,
		`through ${ways.length} pipelines (examples/demo.yaml); some readings are broken on purpose:`,
		...ways,
		"",
		"",
	].join("\n");
}

/** The first alert of each kind and the first failure of each pipeline, as they came. */
export function samples(stage: Stage): string {
	const failures = new Map(
		quarantined(stage).map((each) => [each.code + each.reason, each]),
	);
	return [
		"",
		"some of the alerts",
		...[...stage.listener.samples.values()].map((line) => `  ${line}`),
		"some of the quarantine",
		...[...failures.values()]
			.slice(0, 5)
			.map(({ pipeline, code, reason }) =>
				cut(`  ${pipeline}  ${code}: ${reason}`),
			),
		"",
		"",
	].join("\n");
}

function cut(line: string): string {
	return line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`;
}

/** Paths as they are typed where the demo was started. */
export function next(cwd: string): string {
	const from = (path: string) => {
		const near = relative(cwd, join(PACKAGE, path));
		return near.startsWith("..") ? join(PACKAGE, path) : near;
	};
	return `
try next
  npx wasieve run ${from("examples/office.yaml")}     a filter on a file, no broker
  npx wasieve check ${from("build/overheat.wasm")}    what a module is and may do
  npx wasieve new too-hot                  a filter of your own, with a test
`;
}

const PACKAGE = packageFolder();
