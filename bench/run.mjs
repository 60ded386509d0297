// npm run bench: every case in one run on one machine, the gateway beside its rivals. See bench/README.md.
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { runAgainst } from "./against.mjs";
import { compareFiles } from "./compare.mjs";
import { GROUPS } from "./groups.mjs";
import { describeMachine, headerOf, warningOf } from "./machine.mjs";
import { mosquittoVersion } from "./mosquitto.mjs";
import { HELP, readOptions } from "./options.mjs";
import { openProgress } from "./progress.mjs";
import { resultOf, saveResult } from "./results.mjs";
import { nodeRed, isInstalled as nodeRedHere } from "./rivals/node-red.mjs";
import { overheatFile } from "./shipped.mjs";
import { bridge, built, ROOT, wasieve } from "./subjects.mjs";
import { markdownOf, replaceBlock, verdicts } from "./table.mjs";

/**
 * @typedef {object} Plan what a case is given
 * @property {import("./subjects.mjs").Subject[]} gateways the first is the one the aims are about
 * @property {import("./subjects.mjs").Subject[]} bridges the first is the one it is compared with
 * @property {import("./subjects.mjs").Subject[]} others rivals that are on this machine
 * @property {{ cli: string, module: string }} built
 * @property {boolean} quick
 * @property {boolean} alone no rivals
 * @property {number} rounds
 * @property {number} warmMs
 * @property {number} ms
 * @property {number} soakMinutes
 * @property {(line: string) => void} say progress, to stderr
 * @property {(line: string) => void} tell the same, to stay there
 */

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
	process.on(signal, () => process.exit(130));

const progress = openProgress(process.stderr);

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	progress.tell(`bench: ${/** @type {Error} */ (error).message}`);
	process.exitCode = 1;
}

/**
 * @param {string[]} argv
 * @returns {Promise<number>} exit code; a wrong command line is told before anything is built
 */
async function main(argv) {
	if (argv[0] === "compare")
		return compareFiles(argv.slice(1), console.log, console.error);
	const options = asked(argv);
	if (options === undefined) return 2;
	if (options.help) {
		console.log(HELP);
		return 0;
	}
	const { against } = options;
	const names = chosen(options);
	if (!options.built) build();
	if (against !== undefined)
		return runAgainst({ ...options, against }, progress);
	await bench(names, options);
	return 0;
}

/**
 * @param {readonly string[]} argv
 * @returns {import("./options.mjs").Options | undefined} undefined when what is wrong has been told
 */
function asked(argv) {
	try {
		return readOptions(argv);
	} catch (error) {
		const { message } = /** @type {Error} */ (error);
		progress.tell(
			`bench: ${message}\nnpm run bench -- --help lists what it takes`,
		);
		return undefined;
	}
}

/** What it says goes to stderr: stdout is for the figures. */
function build() {
	execFileSync("npm", ["run", "--silent", "build"], {
		cwd: ROOT,
		stdio: ["ignore", 2, 2],
	});
}

/**
 * @param {readonly string[]} names of groups
 * @param {import("./options.mjs").Options} options
 */
async function bench(names, options) {
	const plan = planOf(options);
	const machine = await describeMachine();
	const header = headerOf(machine);
	console.log(`${header}\n`);
	const warning = warningOf(
		machine,
		names.some((name) => !GROUPS[name]?.counted),
	);
	if (warning) progress.tell(warning);
	const { sections, took } = await runAll(names, plan);
	const aims = verdicts(sections);
	if (aims) console.log(markdownOf(aims));
	const { quick, rounds, warmMs, ms } = plan;
	const method = { quick, rounds, warmMs, ms };
	const result = resultOf(machine, method, sections);
	progress.tell(`written: ${saveResult(options.json, result)}`);
	if (options.markdown) {
		const all = aims ? [aims, ...sections] : sections;
		const text = [`\`${header}\``, `Minutes: ${took.join(" · ")}`];
		if (warning) text.push("**Not quiet.**");
		replaceBlock(
			resolve(options.markdown),
			[...text, ...all.map(markdownOf)].join("\n\n"),
		);
	}
}

/** @typedef {import("./table.mjs").Section & { group: string }} Grouped */

/**
 * @param {readonly string[]} names
 * @param {Plan} plan
 * @returns {Promise<{ sections: Grouped[], took: string[] }>} `took`: minutes by group
 */
async function runAll(names, plan) {
	/** @type {Grouped[]} */
	const sections = [];
	/** @type {string[]} */
	const took = [];
	for (const [i, group] of names.entries()) {
		progress.begin(group, i + 1, names.length);
		const begun = performance.now();
		const done = (await GROUPS[group]?.run(plan)) ?? [];
		progress.clear();
		for (const section of done) {
			sections.push({ ...section, group });
			console.log(markdownOf(section));
		}
		const seconds = (performance.now() - begun) / 1000;
		progress.tell(`${group}: ${seconds.toFixed(0)} s`);
		took.push(`${group} ${(seconds / 60).toFixed(1)}`);
	}
	return { sections, took };
}

/**
 * @param {import("./options.mjs").Options} options
 * @returns {Plan}
 */
function planOf(options) {
	const { quick, rounds, alone } = options;
	const files = options.rivals ? { cli: "", module: "" } : built(options.cli);
	return {
		gateways: options.rivals ? [] : gatewaysOf(options.cli, files),
		bridges: alone ? [] : [bridge(1), bridge(2)],
		others: nodeRedHere() && !alone ? [nodeRed] : [],
		built: files,
		quick,
		alone,
		rounds,
		warmMs: quick ? 500 : 2000,
		ms: quick ? 1000 : 4000,
		soakMinutes: options.soak,
		say: progress.say,
		tell: progress.tell,
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
 * @param {import("./options.mjs").Options} options
 * @returns {string[]} names of cases, those left out announced
 */
function chosen({ group, rivals }) {
	const broker = mosquittoVersion();
	return Object.keys(GROUPS).filter((name) => {
		if (group.length > 0 && !group.includes(name)) return false;
		if (rivals && !GROUPS[name]?.rival) return false;
		if (!GROUPS[name]?.broker || broker) return true;
		progress.tell(`${name}: not run, mosquitto is not installed`);
		return false;
	});
}
