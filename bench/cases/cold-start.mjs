// From nothing to the first alert: every engine of this machine, and one more filter inside a running gateway.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { end, launchFilter, scratchFolder, whileAlive } from "../children.mjs";
import { containerStarters } from "../containers.mjs";
import { externalEngines, startersOf } from "../engines.mjs";
import { answerOf, payloadOf } from "../load/readings.mjs";
import { notRun, reasonOf } from "../reasons.mjs";
import { quantile } from "../stats.mjs";
import { figure } from "../table.mjs";
import { phases } from "./phases.mjs";

/** Starts of each engine in a round. */
const STARTS = 30;
const LIMIT_MS = 20_000;
/** A container that is asked to end takes that long at most. */
const END_MS = 1000;

/** The least a module can do: one line, and no input is read. What it takes is the engine's own. */
const EMPTY = `(module
	(import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 1)
	(data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00.\\n")
	(func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))`;

const EXEC = "embedded, `wasieve exec`";

/**
 * @typedef {import("../engines.mjs").Starter & { expected?: string, whole?: boolean, stop?: () => void }} Start
 *   `expected`: its first line; `whole`: the end of the process counts, not a line; `stop`: how it is ended where the end of stdin does not
 */

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function coldStart(plan) {
	const { starters, absent } = await everyStarter(plan);
	const { found, failed } = await startAll(starters, plan);
	const missing = [...absent, ...failed];
	return [firstLines(found, missing, plan), ...(await phases(plan))];
}

/** @param {import("../run.mjs").Plan} plan */
async function everyStarter({ built: { cli, module }, alone, say }) {
	const node = process.execPath;
	/** @type {Start[]} */
	const own = [
		{ name: NODE, program: node, args: ["-e", "0"], whole: true },
		{ name: EXEC, program: node, args: [cli, "exec", module] },
	];
	if (alone) return { starters: own, absent: [] };
	const empty = await emptyModule();
	const { engines, absent } = await externalEngines();
	say("images");
	const containers = await containerStarters(cli, module);
	const starters = [
		...own,
		...engines.flatMap((engine) => [
			...startersOf(engine, module),
			...startersOf(engine, empty)
				.slice(0, 1)
				.map((each) => ({
					...each,
					name: `${engine.name}, empty module`,
					expected: ".",
				})),
		]),
		...containers.starters,
	];
	return { starters, absent: [...absent, ...containers.absent] };
}

const NODE = "node -e 0";

async function emptyModule() {
	const { parseWat } = await wabt();
	const parsed = parseWat("empty.wat", EMPTY);
	const file = join(scratchFolder(), "empty.wasm");
	writeFileSync(file, parsed.toBinary({}).buffer);
	parsed.destroy();
	return file;
}

/**
 * One start of each in turn, so that a slow moment meets all of them.
 *
 * @param {readonly Start[]} starters
 * @param {import("../run.mjs").Plan} plan
 */
async function startAll(starters, { quick, rounds, say }) {
	const starts = quick ? 10 : STARTS;
	/** @type {Map<Start, number[][]>} ms, by rounds */
	const found = new Map();
	/** @type {import("../engines.mjs").Absent[]} */
	const failed = [];
	for (const starter of starters)
		try {
			await start(starter); // Warms caches, the engine's own and those of the disk.
			found.set(
				starter,
				Array.from({ length: rounds }, () => []),
			);
		} catch (error) {
			failed.push({ name: starter.name, why: reasonOf(error) });
		}
	for (let round = 0; round < rounds; round++)
		for (let i = 0; i < starts; i++) {
			say(`round ${round + 1}/${rounds}, start ${i + 1}/${starts}`);
			for (const [starter, ms] of found) ms[round]?.push(await start(starter));
		}
	return { found, failed };
}

/**
 * @param {Start} starter
 * @returns {Promise<number>} ms from spawn to its first line
 */
async function start({ name, program, args, expected, whole, stop }) {
	const begun = performance.now();
	const child = launchFilter(program, args);
	const gone = once(child, "exit");
	child.stdin.write(`${payloadOf(0)}\n`);
	const wanted = whole ? gone.then(() => "") : firstLine(child.stdout);
	const line = await whileAlive(wanted, whole ? [] : [child], LIMIT_MS, name);
	const ms = performance.now() - begun;
	if (!whole && line !== (expected ?? answerOf(0)))
		throw new Error(`${name} said ${JSON.stringify(line)}`);
	child.stdin.end();
	stop?.();
	await end(child, END_MS);
	return ms;
}

/**
 * @param {import("node:stream").Readable} stream
 * @returns {Promise<string>}
 */
function firstLine(stream) {
	return new Promise((resolve) => {
		let text = "";
		stream.on("data", (chunk) => {
			text += chunk;
			if (text.includes("\n")) resolve(text.split("\n")[0] ?? "");
		});
	});
}

/**
 * @param {ReadonlyMap<Start, number[][]>} found
 * @param {readonly import("../engines.mjs").Absent[]} missing
 * @param {import("../run.mjs").Plan} plan
 * @returns {import("../table.mjs").Section}
 */
function firstLines(found, missing, plan) {
	const msOf = (/** @type {string} */ wanted) =>
		[...found].find(([{ name }]) => name === wanted)?.[1].flat() ?? [];
	const bare = msOf(NODE);
	const over = msOf(EXEC).map((ms, i) => ms - (bare[i] ?? Number.NaN));
	const each = [...found][0]?.[1][0]?.length ?? 0;
	return {
		title: "Spawn to the first alert",
		note: `One reading on stdin, until its alert is read from stdout; ${plan.rounds * each} starts of each in turn, after one that warms the caches. An empty module takes what the engine itself takes; "cached" is with the engine's own cache of compiled modules, warm.${notRun(missing)}`,
		columns: ["", "ms", "p95 ms", "over `node -e 0` ms"],
		rows: [...found].map(([{ name }, rounds]) => [
			name,
			figure(rounds.flat(), 1),
			figure(
				rounds.map((ms) => quantile(Float64Array.from(ms).sort(), 0.95)),
				1,
			),
			name === EXEC ? figure(over, 1) : "",
		]),
		aims: [
			{
				text: "`wasieve exec` over `node -e 0`",
				aim: "≤ 60 ms",
				values: over,
				digits: 1,
				met: (ms) => ms <= 60,
			},
		],
	};
}
