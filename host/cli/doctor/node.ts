import { older } from "../../engine/preflight.js";
import { type Around, type Finding, fail, ok, warn } from "./finding.js";

/** Last day of each release line [github.com/nodejs/Release]; of later ones nothing is known here. */
const ENDS: Readonly<Record<string, string>> = {
	20: "2026-04-30",
	21: "2024-06-01",
	22: "2027-04-30",
	23: "2025-06-01",
	24: "2028-04-30",
	25: "2026-06-01",
	26: "2029-04-30",
};

const MEND = "nvm install --lts, or https://nodejs.org/en/download";

/** Where it is tested. */
const ARCHITECTURES = ["x64", "arm64", "arm"];

/** Node's version, and whether somebody still mends it. */
export async function lookAtNode({
	machine,
	clock,
}: Around): Promise<Finding[]> {
	const { node, oldest, lts } = machine;
	if (older(node, oldest))
		return [fail("node", `Node ${node}; ${oldest} is the oldest`, MEND)];
	const end = ENDS[node.split(".")[0] as string];
	if (end !== undefined && clock() > Date.parse(end))
		return [warn("node", `Node ${node} has had no fixes since ${end}`, MEND)];
	if (lts === undefined)
		return [warn("node", `Node ${node} is of no long-term support line`, MEND)];
	return [ok("node", `Node ${node} (LTS ${lts})`)];
}

/** What kind of processor this is, and what of it the gateway may have. */
export async function lookAtProcessor({
	machine,
	config,
}: Around): Promise<Finding[]> {
	const { arch, cores, platform, simd } = machine;
	const what = `${platform} ${arch}, ${cores} ${cores === 1 ? "core" : "cores"}`;
	if (platform !== "linux" || !ARCHITECTURES.includes(arch))
		return [
			warn(
				"cpu",
				`${what}: it is tested on Linux, x64, arm64 and arm`,
				"nothing, if it works for you",
			),
		];
	if (!simd)
		return [
			warn(
				"cpu",
				`${what}, without SIMD: modules that use it do not run here`,
				"wasieve build FILE (without --simd)",
			),
		];
	if (config !== undefined && config.threads > cores)
		return [
			warn(
				"cpu",
				`${what} for ${config.threads} threads`,
				`threads: ${cores} in ${config.file}`,
			),
		];
	return [ok("cpu", `${what}, SIMD`)];
}
