// A/B in one run: what another commit built, and what this checkout did, measured by this harness in turn.
import { execFileSync } from "node:child_process";
import {
	cpSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, scratchFolder } from "./children.mjs";
import { compareFiles } from "./compare.mjs";
import { estimate } from "./estimate.mjs";
import { GROUPS } from "./groups.mjs";
import { checked, readResult, saveResult } from "./results.mjs";
import { ROOT } from "./subjects.mjs";

/** @typedef {import("./results.mjs").Result} Result */

/** What is measured when nothing else is asked for: what a change most likely moves. */
export const USUAL = ["cost", "size", "in-module", "capacity"];

/**
 * A folder with another commit, built, and this checkout's benchmark in it. It is gone when the process ends.
 *
 * @param {string} ref
 * @returns {{ root: string, commit: string }}
 * @throws when there is no such commit, or it cannot be built
 */
export function checkOut(ref) {
	const commit = commitOf(ref);
	const root = mkdtempSync(join(tmpdir(), "wasieve-against-"));
	git("worktree", "add", "--quiet", "--detach", "--force", root, commit);
	process.once("exit", () => {
		git("worktree", "remove", "--force", root);
		rmSync(root, { recursive: true, force: true });
	});
	rmSync(join(root, "bench"), { recursive: true, force: true });
	cpSync(join(ROOT, "bench"), join(root, "bench"), { recursive: true });
	if (needs(root) === needs(ROOT))
		symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
	else npm(root, "ci", "--no-audit", "--no-fund");
	npm(root, "run", "build");
	return { root, commit };
}

/** @param {string} ref */
function commitOf(ref) {
	try {
		return git("rev-parse", "--short", "--verify", `${ref}^{commit}`);
	} catch {
		throw new Error(`--against ${ref}: there is no such commit`);
	}
}

/** @type {(...args: string[]) => string} */
function git(...args) {
	return execFileSync("git", ["-C", ROOT, ...args], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
	}).trim();
}

/** @type {(cwd: string, ...args: string[]) => void} */
function npm(cwd, ...args) {
	execFileSync("npm", args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
}

/**
 * @param {string} root
 * @returns {string} what it runs with; what only tests and this benchmark need may differ
 */
function needs(root) {
	const text = readFileSync(join(root, "package.json"), "utf8");
	const { dependencies, optionalDependencies } = JSON.parse(text);
	return JSON.stringify([dependencies, optionalDependencies]);
}

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {string} root
 * @property {Result[]} runs
 */

/**
 * Group by group, round by round, each a new process: A B, B A, A B … so that a machine that drifts drifts for both.
 *
 * @param {readonly [Side, Side]} sides
 * @param {{ group: readonly string[], rounds: number, quick: boolean }} options
 * @param {import("./progress.mjs").Progress} progress
 */
export async function takeTurns(sides, { group, rounds, quick }, progress) {
	for (const [i, name] of group.entries()) {
		progress.begin(name, i + 1, group.length);
		const turns = GROUPS[name]?.counted ? 1 : rounds;
		for (let round = 0; round < turns; round++)
			for (const side of round % 2 ? [...sides].reverse() : sides) {
				progress.say(`round ${round + 1}/${turns}: ${side.name}`);
				side.runs.push(await measure(side, name, quick));
			}
	}
}

/**
 * @param {Side} side
 * @param {string} group
 * @param {boolean} quick
 * @returns {Promise<Result>}
 */
async function measure({ name, root }, group, quick) {
	const file = join(scratchFolder(), "turn.json");
	const args = ["--group", group, "--rounds", "1", "--alone", "--json", file];
	const run = [join(root, "bench/run.mjs"), "--built", ...args];
	const child = launch(process.execPath, quick ? [...run, "--quick"] : run);
	let said = "";
	child.stderr?.on("data", (chunk) => {
		said = (said + chunk).slice(-500);
	});
	const [code] = await new Promise((resolve) =>
		child.once("close", (...how) => resolve(how)),
	);
	if (code !== 0)
		throw new Error(`${name} cannot be measured (${group}):\n${said.trim()}`);
	return readResult(file);
}

/**
 * @param {readonly Result[]} runs of one side
 * @param {{ commit: string, rounds: number }} of
 * @returns {Result} each figure with a value a turn, its median: what lies within one process is no independent value
 */
export function merged(runs, { commit, rounds }) {
	const [first] = runs;
	if (!first) throw new Error("nothing was measured");
	/** @type {Map<string, import("./results.mjs").ResultFigure>} */
	const figures = new Map();
	for (const figure of runs.flatMap((run) => run.figures)) {
		const known = figures.get(figure.id);
		if (!known) figures.set(figure.id, { ...figure, values: [figure.median] });
		else if (!known.exact) known.values.push(figure.median);
	}
	const busy = Math.max(...runs.map(({ machine }) => machine.busy));
	return checked({
		schema: first.schema,
		machine: { ...first.machine, commit, busy },
		method: { ...first.method, rounds, paired: true },
		figures: [...figures.values()].map((figure) => ({
			...figure,
			...estimated(figure.values),
		})),
	});
}

/** @param {number[]} values */
function estimated(values) {
	const { n: _, ...figures } = estimate(values);
	return figures;
}

/**
 * @param {import("./options.mjs").Options & { against: string }} options
 * @param {import("./progress.mjs").Progress} progress
 * @returns {Promise<number>} exit code, as bench:compare has it
 */
export async function runAgainst(options, progress) {
	progress.tell(`building ${options.against}`);
	const base = checkOut(options.against);
	/** @type {[Side, Side]} */
	const sides = [
		{ name: options.against, root: base.root, runs: [] },
		{ name: "this checkout", root: ROOT, runs: [] },
	];
	const group = options.group.length > 0 ? options.group : USUAL;
	await takeTurns(sides, { ...options, group }, progress);
	progress.clear();
	const { rounds, json } = options;
	const commit = sides[1].runs[0]?.machine.commit ?? "unknown";
	const files = [base.commit, commit].map((commit, i) => {
		const result = merged(sides[i]?.runs ?? [], { commit, rounds });
		const before =
			json && (i ? json : json.replace(/(\.json)?$/, "-base.json"));
		return saveResult(before, result, "-ab");
	});
	for (const file of files) progress.tell(`written: ${file}`);
	const { gate, markdown } = options;
	return compareFiles(
		[...files, "--gate", gate, ...(markdown ? ["--markdown", markdown] : [])],
		console.log,
		progress.tell,
	);
}
