// Rounds: wasieve, rival, wasieve, rival … so that a drifting machine drifts for all of them.

import { reasonOf } from "./reasons.mjs";

/** More foreign cores than this and a run is done again, at most RETRIES times. */
const FOREIGN = 0.3;

/** The same for a sender whose every hundredth reading left later than this, ms. */
const LATE = 2;
const RETRIES = 2;

/** To show that it works is no reason to wait for quiet. */
const quick = process.argv.includes("--quick");

/**
 * @typedef {Record<string, any> & Disturbed} Sample what one run has measured, by name
 * @typedef {object} Disturbed
 * @property {number} [foreign] cores that were busy with something else
 * @property {number} [late] ms by which the sender itself was late, p99; left out where it does not matter
 */

/**
 * @param {Sample} sample
 * @returns {number} above 1 when something else was in the way
 */
function disturbance({ foreign = 0, late = 0 }) {
	return Math.max(foreign / FOREIGN, late / LATE);
}

/** @type {WeakMap<Map<any, any>, { name: string, why: string }[]>} */
const failures = new WeakMap();

/**
 * What could not be measured, and why. A rival that cannot carry the load is news, not an error of the benchmark; where
 * the gateway itself fails, interleave() does.
 *
 * @param {Map<any, any>} samples of interleave()
 * @param {string} where
 */
export function absentOf(samples, where) {
	const failed = failures.get(samples) ?? [];
	return failed.map(({ name, why }) => ({ name: `${name}, ${where}`, why }));
}

/**
 * @template {{ name: string, rival?: boolean }} S
 * @template {Sample} M
 * @param {readonly S[]} subjects
 * @param {number} rounds
 * @param {(subject: S, round: number) => Promise<M>} measure
 * @param {(line: string) => void} say
 * @returns {Promise<Map<S, M[]>>} the samples of each subject, round by round
 */
export async function interleave(subjects, rounds, measure, say) {
	/** @type {Map<S, M[]>} */
	const samples = new Map(subjects.map((subject) => [subject, []]));
	/** @type {Map<S, string>} */
	const failed = new Map();
	for (let round = 0; round < rounds; round++)
		for (const subject of subjects) {
			if (failed.has(subject)) continue;
			say(`round ${round + 1}/${rounds}: ${subject.name}`);
			try {
				const run = () => measure(subject, round);
				const sample = quick ? await run() : await undisturbed(run, say);
				samples.get(subject)?.push(sample);
			} catch (error) {
				if (!subject.rival) throw error;
				const why = reasonOf(error);
				failed.set(subject, why);
				samples.set(subject, []);
				say(`  ${subject.name} is left out: ${why}`);
			}
		}
	failures.set(
		samples,
		[...failed].map(([{ name }, why]) => ({ name, why })),
	);
	return samples;
}

/**
 * @template {Sample} M
 * @param {() => Promise<M>} run
 * @param {(line: string) => void} say
 * @returns {Promise<M>} the first undisturbed run, or the least disturbed one
 */
async function undisturbed(run, say) {
	let best = await run();
	for (let i = 0; i < RETRIES && disturbance(best) > 1; i++) {
		const { foreign = 0, late = 0 } = best;
		say(
			`  disturbed (${foreign.toFixed(2)} foreign cores, sender ${late.toFixed(1)} ms late): again`,
		);
		const next = await run();
		if (disturbance(next) < disturbance(best)) best = next;
	}
	return best;
}

/**
 * @template {Record<string, any>} M
 * @param {readonly M[] | undefined} samples
 * @param {keyof M} key
 * @returns {number[]}
 */
export function pluck(samples, key) {
	return (samples ?? []).map((sample) => Number(sample[key]));
}
