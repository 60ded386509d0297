// The flags of bench/run.mjs.
import { parseArgs } from "node:util";

export const HELP = `npm run bench -- [flags]
  --quick           one short round: does it work, not how fast is it
  --group NAME      only this group; may be repeated (capacity mosquitto latency footprint cold-start micro
                    in-module cost size scale)
  --rivals          the hand-written bridges alone, no gateway
  --rounds N        rounds of each measurement (default 3, quick 1)
  --json FILE       where the result goes (default bench/results/<arch>-<commit>.json)
  --markdown FILE   replaces the table in FILE (bench/README.md)
  --cli FILE        another build's build/bin/main.js
`;

/**
 * @param {readonly string[]} argv
 * @throws with the flag's name when it is unknown
 */
export function readOptions(argv) {
	const { values } = parseArgs({
		args: [...argv],
		options: {
			quick: { type: "boolean", default: false },
			group: { type: "string", multiple: true, default: [] },
			rivals: { type: "boolean", default: false },
			rounds: { type: "string" },
			json: { type: "string" },
			markdown: { type: "string" },
			cli: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
	if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50)
		throw new Error(`--rounds ${values.rounds}: an integer from 1 to 50`);
	return { ...values, rounds };
}
