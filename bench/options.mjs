// The flags of bench/run.mjs.
import { parseArgs } from "node:util";
import { checkGate } from "./comparison.mjs";
import { GROUPS } from "./groups.mjs";

export const HELP = `npm run bench -- [flags]
  --quick           one short round: does it work, not how fast is it
  --group NAME      only this group; may be repeated (capacity capacity-by end-to-end
                    highest-rate latency footprint cold-start micro in-module cost size scale soak)
  --against REF     builds that commit in a folder of its own and measures it and this checkout in
                    turn, then compares (cost size in-module capacity, or the groups named)
  --gate WHICH      with --against, which figures may not get worse: exact (default), all, none
  --rivals          the rivals alone, no gateway
  --alone           the gateway alone, no rivals
  --rounds N        rounds of each measurement (default 3, quick 1; with --against 5 and 3)
  --soak MINUTES    how long memory is watched (default 10)
  --json FILE       where the result goes (default bench/results/<arch>-<commit>.json)
  --markdown FILE   replaces the table in FILE (bench/README.md); with --against, writes the comparison
  --built           build/ as it is, not built anew first
  --cli FILE        another build's build/bin/main.js
npm run bench -- compare A.json B.json [flags]   two results, as npm run bench:compare
Exit codes: 0 done, 1 something failed or the gate does not hold, 2 wrong command line.
`;

/** @typedef {ReturnType<typeof readOptions>} Options */

/**
 * @param {readonly string[]} argv
 * @throws with the name of the flag or group when it is unknown
 */
export function readOptions(argv) {
	const { values } = parseArgs({
		args: [...argv],
		options: {
			quick: { type: "boolean", default: false },
			group: { type: "string", multiple: true, default: [] },
			against: { type: "string" },
			gate: { type: "string", default: "exact" },
			rivals: { type: "boolean", default: false },
			alone: { type: "boolean", default: false },
			rounds: { type: "string" },
			soak: { type: "string", default: "10" },
			json: { type: "string" },
			markdown: { type: "string" },
			built: { type: "boolean", default: false },
			cli: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.rivals && values.alone)
		throw new Error("--rivals and --alone leave nothing to measure");
	for (const name of values.group)
		if (!Object.hasOwn(GROUPS, name))
			throw new Error(`--group ${name}: ${Object.keys(GROUPS).join(", ")}`);
	checkGate(values.gate);
	const rounds = Number(values.rounds ?? usualRounds(values));
	if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50)
		throw new Error(`--rounds ${values.rounds}: an integer from 1 to 50`);
	const soak = Number(values.soak);
	if (!(soak > 0 && soak <= 10_000))
		throw new Error(`--soak ${values.soak}: minutes, up to 10000`);
	return { ...values, rounds, soak };
}

/**
 * A difference needs more rounds than a figure: with three, only large ones are told from chance.
 *
 * @param {{ quick: boolean, against?: string | undefined }} values
 */
function usualRounds({ quick, against }) {
	if (against !== undefined) return quick ? 3 : 5;
	return quick ? 1 : 3;
}
