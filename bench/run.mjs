// npm run bench: every case in one run on one machine, the gateway beside its rivals. See bench/README.md.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { capacity } from "./cases/capacity.mjs";
import { coldStart } from "./cases/cold-start.mjs";
import { cost } from "./cases/cost.mjs";
import { endToEnd } from "./cases/end-to-end.mjs";
import { footprint } from "./cases/footprint.mjs";
import { highestRate } from "./cases/highest-rate.mjs";
import { inModule } from "./cases/in-module.mjs";
import { latency } from "./cases/latency.mjs";
import { micro } from "./cases/micro.mjs";
import { scale } from "./cases/scale.mjs";
import { size } from "./cases/size.mjs";
import { describeMachine, headerOf, warningOf } from "./machine.mjs";
import { mosquittoVersion } from "./mosquitto.mjs";
import { HELP, readOptions } from "./options.mjs";
import { resultOf, writeResult } from "./results.mjs";
import { nodeRed, isInstalled as nodeRedHere } from "./rivals/node-red.mjs";
import { overheatFile } from "./shipped.mjs";
import { bridge, built, wasieve } from "./subjects.mjs";
import { markdownOf, replaceBlock, verdicts } from "./table.mjs";

/**
 * @typedef {object} Plan what a case is given
 * @property {import("./subjects.mjs").Subject[]} gateways the first is the one the aims are about
 * @property {import("./subjects.mjs").Subject[]} bridges the first is the one it is compared with
 * @property {import("./subjects.mjs").Subject[]} others rivals that are on this machine
 * @property {{ cli: string, module: string }} built
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} warmMs
 * @property {number} ms
 * @property {(line: string) => void} say progress, to stderr
 */

/** @type {Record<string, { run: (plan: Plan) => Promise<import("./table.mjs").Section[]>, broker?: boolean, rival?: boolean }>} */
const CASES = {
	capacity: { run: capacity, rival: true },
	"end-to-end": { run: endToEnd, rival: true },
	"highest-rate": { run: highestRate, rival: true },
	latency: { run: latency, rival: true },
	footprint: { run: footprint, broker: true, rival: true },
	"cold-start": { run: coldStart },
	micro: { run: micro },
	"in-module": { run: inModule },
	cost: { run: cost },
	size: { run: size },
	scale: { run: scale },
};

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
	process.on(signal, () => process.exit(130));

try {
	await bench(process.argv.slice(2));
} catch (error) {
	console.error(`bench: ${/** @type {Error} */ (error).message}`);
	process.exitCode = 1;
}

/** @param {string[]} argv */
async function bench(argv) {
	const options = readOptions(argv);
	if (options.help) return void console.log(HELP);
	const names = chosen(options);
	const plan = planOf(options);
	const machine = await describeMachine();
	const header = headerOf(machine);
	console.log(`${header}\n`);
	const warning = warningOf(machine);
	if (warning) console.error(warning);

	/** @type {(import("./table.mjs").Section & { group: string })[]} */
	const sections = [];
	for (const name of names) {
		const begun = performance.now();
		const done = (await CASES[name]?.run(plan)) ?? [];
		sections.push(...done.map((section) => ({ ...section, group: name })));
		for (const section of done) console.log(markdownOf(section));
		plan.say(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	}
	const aims = verdicts(sections);
	if (aims) console.log(markdownOf(aims));
	const all = aims ? [aims, ...sections] : sections;
	const { quick, rounds, warmMs, ms } = plan;
	const method = { quick, rounds, warmMs, ms };
	const saved = save(options.json, resultOf(machine, method, sections));
	plan.say(`written: ${saved}`);
	if (options.markdown) {
		const text = [`\`${header}\``, ...(warning ? ["**Not quiet.**"] : [])];
		replaceBlock(
			resolve(options.markdown),
			[...text, ...all.map(markdownOf)].join("\n\n"),
		);
	}
}

/** @param {ReturnType<typeof readOptions>} options */
function planOf(options) {
	const { quick, rounds } = options;
	const files = options.rivals ? { cli: "", module: "" } : built(options.cli);
	return {
		gateways: options.rivals ? [] : gatewaysOf(options.cli, files),
		bridges: [bridge(1), bridge(2)],
		others: nodeRedHere() ? [nodeRed] : [],
		built: files,
		quick,
		rounds,
		warmMs: quick ? 1000 : 2000,
		ms: quick ? 1000 : 4000,
		say: (/** @type {string} */ line) => console.error(line),
	};
}

/**
 * @param {string | undefined} cli
 * @param {{ cli: string, module: string }} files
 * @returns {import("./subjects.mjs").Subject[]} as shipped, and where no other build is asked for, with SIMD
 */
function gatewaysOf(cli, files) {
	const shipped = wasieve(files);
	if (cli) return [shipped];
	const module = overheatFile("--simd");
	return [shipped, wasieve({ ...files, module, name: "wasieve, SIMD filter" })];
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @returns {string[]} names of cases, those left out announced
 */
function chosen({ group, rivals }) {
	for (const name of group)
		if (!Object.hasOwn(CASES, name))
			throw new Error(`--group ${name}: ${Object.keys(CASES).join(", ")}`);
	const broker = mosquittoVersion();
	return Object.keys(CASES).filter((name) => {
		if (group.length > 0 && !group.includes(name)) return false;
		if (rivals && !CASES[name]?.rival) return false;
		if (!CASES[name]?.broker || broker) return true;
		console.error(`${name}: skipped, mosquitto is not installed`);
		return false;
	});
}

/**
 * @param {string | undefined} file
 * @param {import("./results.mjs").Result} result
 * @returns {string} where it is
 */
function save(file, result) {
	if (file === undefined) return writeResult(result);
	writeFileSync(resolve(file), `${JSON.stringify(result, null, "\t")}\n`);
	return file;
}
