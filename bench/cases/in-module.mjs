// Inside the module: how many readings a second each shipped filter takes, by the size of what it is handed.
import { bareGuest } from "../bare-guest.mjs";
import { readings, shippedFilters } from "../filters.mjs";
import { notRun, reasonOf } from "../reasons.mjs";
import { jsonAs } from "../rivals/json-as.mjs";
import { jsonParse } from "../rivals/json-parse.mjs";
import { check } from "../shipped.mjs";
import { ratios } from "../stats.mjs";
import { figure } from "../table.mjs";
import { inEachEngine } from "./in-each-engine.mjs";

/** What is handed over at once, bytes; the first is one reading. */
export const BATCHES = [
	{ name: "1 reading", bytes: 0 },
	{ name: "4 KiB", bytes: 4096 },
	{ name: "64 KiB", bytes: 65_536 },
];
const COUNT = 6000;
const RIVAL = "JSON.parse";

/** @typedef {{ subject: string, guest: import("../bare-guest.mjs").BareGuest, values: number[][] }} Run */

/**
 * @param {import("../run.mjs").Plan} plan
 * @returns {Promise<import("../table.mjs").Section[]>}
 */
export async function inModule(plan) {
	const lines = readings(COUNT).toString().split("\n").slice(0, -1);
	const rounds = plan.quick ? 3 : Math.max(9, plan.rounds);
	const ms = plan.quick ? 10 : 100;
	const { rivals, absent } = plan.alone
		? { rivals: [], absent: [] }
		: await everyRival();
	const runs = [...(await everyFilter()), ...rivals];
	const batches = BATCHES.map(({ bytes }) => cut(lines, bytes));
	// The first round only lets V8 compile; the contenders take turns, so that a slow moment meets all of them.
	for (let round = -1; round < rounds; round++) {
		plan.say(`round ${round + 1}/${rounds}`);
		for (const { guest, values } of runs)
			for (const [i, batch] of batches.entries()) {
				const rate = rateOf(guest, batch, ms);
				if (round >= 0) values[i]?.push(rate);
			}
	}
	return [
		{
			title: "In the module",
			note: `Readings of ${lines[1]?.length} bytes, tracked mode, no fuel, the least possible host; ${rounds} rounds of ${ms} ms after one to warm up. JSON.parse and json-as do what overheat does, their alerts checked.${notRun(absent)}`,
			columns: ["", ...BATCHES.map(({ name }) => `readings/s at ${name}`)],
			rows: runs.map(({ subject, values }) => [
				subject,
				...values.map((each) => figure(each, 0)),
			]),
			aims: plan.alone ? [] : aimsOf(runs),
		},
		...(plan.alone ? [] : await inEachEngine(plan)),
	];
}

/** @type {(subject: string, guest: Run["guest"]) => Run} */
function runOf(subject, guest) {
	return { subject, guest, values: BATCHES.map(() => []) };
}

async function everyFilter() {
	return (await shippedFilters()).flatMap(({ name, params, scalar, simd }) => [
		runOf(name, bareGuest(scalar, { env: params })),
		runOf(`${name}, SIMD`, bareGuest(simd, { env: params })),
	]);
}

/** What else does overheat's work. */
async function everyRival() {
	const rivals = [runOf(RIVAL, jsonParse())];
	const absent = [];
	for (const simd of [false, true]) {
		const name = `json-as${simd ? ", SIMD" : ""}`;
		try {
			rivals.push(runOf(name, bareGuest(await jsonAs(simd))));
		} catch (error) {
			absent.push({ name, why: reasonOf(error) });
		}
	}
	for (const { guest } of rivals) check(guest);
	return { rivals, absent };
}

/**
 * @param {readonly Run[]} runs
 * @returns {import("../table.mjs").Aim[]}
 */
function aimsOf(runs) {
	const at64 = (/** @type {string} */ name) =>
		runs.find(({ subject }) => subject === name)?.values.at(-1) ?? [];
	return /** @type {const} */ ([
		["overheat", 3.5],
		["overheat, SIMD", 7],
	]).map(([name, aim]) => ({
		text: `${name}, against ${RIVAL}`,
		aim: `≥ ${aim} ×`,
		values: ratios(at64(name), at64(RIVAL)),
		digits: 1,
		met: (/** @type {number} */ ratio) => ratio >= aim,
	}));
}

/**
 * @param {readonly string[]} lines
 * @param {number} bytes at most, but at least one line
 * @returns {{ bytes: Buffer, count: number }[]}
 */
function cut(lines, bytes) {
	/** @type {{ bytes: Buffer, count: number }[]} */
	const batches = [];
	let text = "";
	let count = 0;
	const flush = () => {
		if (count > 0) batches.push({ bytes: Buffer.from(text), count });
		text = "";
		count = 0;
	};
	for (const line of lines) {
		if (text.length + line.length + 1 > bytes) flush();
		text += `${line}\n`;
		count++;
	}
	flush();
	return batches;
}

/**
 * @param {import("../bare-guest.mjs").BareGuest} guest
 * @param {readonly { bytes: Buffer, count: number }[]} batches
 * @param {number} ms at least
 * @returns {number} readings a second
 */
function rateOf(guest, batches, ms) {
	const begun = performance.now();
	let done = 0;
	let written = 0;
	let took = 0;
	// The clock is looked at between passes over all batches: some thousand readings each.
	do {
		for (const { bytes, count } of batches) {
			written += guest.run(bytes);
			done += count;
		}
		took = performance.now() - begun;
	} while (took < ms);
	if (written === 0) throw new Error("the filter said nothing");
	return (done / took) * 1000;
}
